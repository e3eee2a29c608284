// What nodes.js and peer.js share.
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// `bittorrent-dht` can only be imported, and an import by name never looks at NODE_PATH, where the tests
// have it: so its file is found the way `require` would, and imported by path.
exports.loadDht = async () => {
  const folders = require.resolve.paths('bittorrent-dht');
  const file = folders.map((folder) => join(folder, 'bittorrent-dht', 'index.js')).find(existsSync);
  if (!file) throw new Error('bittorrent-dht is not installed, or NODE_PATH does not name its folder');
  return (await import(file)).default;
};

// Binds in the turn that creates: a query that leaves before would bind the socket to every interface.
exports.listen = (DHT, host, options) => {
  const dht = new DHT(options);
  dht.listen(0, host);
  return new Promise((resolve, reject) => {
    dht.once('listening', () => resolve(dht));
    // An address that is not this machine's is only a warning there.
    dht.once('error', reject).once('warning', reject);
  });
};

// A test killed with -9 stops nobody, but the pipe it held closes all the same.
exports.dieWithParent = () => process.stdin.resume().on('end', () => process.exit(0));
