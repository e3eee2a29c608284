// node nodes.js --nodes 50 : a BitTorrent DHT on loopback, of nodes that are not ours.
// Prints one JSON line {"bootstrap": ["127.x.y.z:port", …]} and stays until its stdin closes. Each line HOST:PORT on its
// stdin is a node of somebody else that all of them take as one of theirs.
'use strict';
const { createPublicKey, verify: verifySignature } = require('node:crypto');
const { createInterface } = require('node:readline');
const { parseArgs } = require('node:util');
const { dieWithParent, listen, loadDht } = require('./rig');

const BOOTSTRAP = 3;
const CLOSEST = 8; // BEP 5

// One address per node, or clients that want different addresses refuse the rest. The pid chooses a /24, so
// that networks side by side share none; 127.0/16 stays free for everything else.
const subnet = `127.${1 + (process.pid % 254)}.${Math.floor(process.pid / 254) % 256}`;

async function main() {
  const { values } = parseArgs({ options: { nodes: { type: 'string', default: '50' } } });
  const count = Number(values.nodes);
  if (!(count >= BOOTSTRAP && count <= 254)) throw new Error(`--nodes takes ${BOOTSTRAP} to 254`);
  dieWithParent();

  const DHT = await loadDht();
  const hosts = Array.from({ length: count }, (_, i) => `${subnet}.${i + 1}`);
  const start = (host) => listen(DHT, host, { bootstrap: false, krpc: generousRpc(), verify });
  const nodes = await Promise.all(hosts.map(start));
  const contacts = nodes.map((node, i) => ({ id: node.nodeId, host: hosts[i], port: node.address().port }));
  introduce(nodes, contacts);

  const bootstrap = contacts.slice(0, BOOTSTRAP).map(({ host, port }) => `${host}:${port}`);
  console.log(JSON.stringify({ bootstrap }));
}

// Without it `bittorrent-dht` takes no mutable item (BEP 44). With it, it is a strict node: a `seq` that is lower
// or equal is answered with 302, a `cas` that is not what it has with 301.
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // An ed25519 key without the key (RFC 8410).
function verify(signature, message, key) {
  if (signature?.length !== 64 || key?.length !== 32) return false;
  const spki = { key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' };
  return verifySignature(null, message, createPublicKey(spki), signature);
}

// Replies like most nodes in the wild: with the peers or the value *and* the closest nodes, so that a search goes
// on past the first node that knows one and finds those stored closer to the hash. Left alone, `bittorrent-dht`
// sends what it has or nodes, and of nodes all it has.
function generousRpc() {
  const rpc = require('k-rpc')({ nodes: [] });
  const { response } = rpc;
  rpc.response = (node, query, reply, nodes, done) => {
    const closest = (nodes || reply.values || reply.v) && rpc.nodes.closest(query.a.info_hash || query.a.target, CLOSEST);
    response.call(rpc, node, query, reply, closest, done);
  };
  return rpc;
}

// Told of each other instead of searching, the nodes are a whole network at once. Anybody else they serve and
// forget: a test's client lives a second, and a dead contact costs each later search its time-out (2 s here,
// 15 s in libtorrent).
function introduce(nodes, contacts) {
  const address = ({ host, port }) => `${host}:${port}`;
  const members = new Set(contacts.map(address));
  for (const node of nodes) {
    node.on('node', (contact) => members.has(address(contact)) || node.removeNode(contact.id));
    contacts.filter(({ id }) => id !== node.nodeId).forEach((contact) => node.addNode({ ...contact }));
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [host, port] = line.split(':');
    members.add(line);
    nodes.forEach((node) => node.addNode({ host, port: Number(port) }));
  });
}

main().catch((error) => { console.error(error.message); process.exit(1); });
