// node --import ./here.mjs PATH/arlocal PORT ...: what arlocal needs to run on a machine that others reach, and that compiles nothing.
import { createRequire } from 'node:module';
import Module from 'node:module';
import net from 'node:net';
import { pathToFileURL } from 'node:url';

// It listens on a port of every address; here that is an address of this machine alone.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...others) {
  const isPortOnly = /^\d+$/.test(String(first)) && typeof others[0] !== 'string';
  return listen.call(this, first, ...(isPortOnly ? ['127.0.0.1', ...others] : others));
};

// Its SQLite is a build for several systems that comes as an ES module, where arlocal's libraries expect one of CommonJS.
const sqlite = await import(pathToFileURL(createRequire(process.argv[1]).resolve('sqlite3')));
const load = Module._load;
Module._load = function (name, ...others) {
  if (name === 'sqlite3') return sqlite.default;
  const loaded = load.call(this, name, ...others);
  // It finds no transaction whose id begins with `tx`, one of 4096: what looks for parts of bundles cuts the path in the wrong place.
  return name === './middlewares/transaction' ? { ...loaded, txAccessMiddleware: (_, next) => next() } : loaded;
};
