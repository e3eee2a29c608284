// A peer that is not ours: the npm package `bittorrent-dht`.
//   node peer.js announce --bootstrap H:P[,H:P] --host 127.a.b.c --info-hash HEX --port N
//     prints {"announced": NODES} and stays until its stdin closes
//   node peer.js lookup --bootstrap H:P[,H:P] --host 127.a.b.c --info-hash HEX --timeout SECONDS
//     prints {"peer": "ip:port"} for each distinct peer; ends with the search or the time-out
'use strict';
const { parseArgs } = require('node:util');
const { dieWithParent, listen, loadDht } = require('./rig');

const FLAGS = {
  announce: ['bootstrap', 'host', 'info-hash', 'port'],
  lookup: ['bootstrap', 'host', 'info-hash', 'timeout'],
};

const say = (value) => console.log(JSON.stringify(value));

function announce(dht, args) {
  dieWithParent();
  return new Promise((resolve, reject) => {
    dht.announce(args['info-hash'], Number(args.port), (error, announced) => {
      if (error) reject(error);
      else resolve(say({ announced }));
    });
  });
}

function lookup(dht, args) {
  setTimeout(() => process.exit(0), Number(args.timeout) * 1000);
  const seen = new Set();
  dht.on('peer', ({ host, port }) => {
    const peer = `${host}:${port}`;
    if (!seen.has(peer)) say({ peer });
    seen.add(peer);
  });
  dht.lookup(args['info-hash'], () => process.exit(0));
}

async function main() {
  const [mode, ...rest] = process.argv.slice(2);
  const flags = FLAGS[mode];
  if (!flags) throw new Error('usage: node peer.js announce|lookup, flags as in the head of this file');
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' }]));
  const { values } = parseArgs({ args: rest, options });
  const missing = flags.filter((flag) => !values[flag]);
  if (missing.length) throw new Error(`missing --${missing.join(', --')}`);

  const dht = await listen(await loadDht(), values.host, { bootstrap: values.bootstrap.split(',') });
  await { announce, lookup }[mode](dht, values);
}

main().catch((error) => { console.error(error.message); process.exit(1); });
