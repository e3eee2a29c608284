// The npm package `bittorrent-dht` behind the protocol of README.md.
//   node npm.js --bootstrap H:P,H:P --host 127.a.b.c [--port N] [--node]
'use strict';
const { createPrivateKey, createPublicKey, createHash, sign, verify } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { parseArgs } = require('node:util');
const { loadDht } = require('../../../host/tests/interop/rig');

const PATIENCE = 30_000; // For whatever the library may never tell the end of.
const MISSED = 10_000; // For one of many lookups.

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const micros = (since) => Math.round((performance.now() - since) * 1000);

/** Binds in the turn that creates: a query that leaves before would bind the socket to every interface. */
function start({ DHT, bootstrap, host }, port) {
  const dht = new DHT({ bootstrap: bootstrap.length ? bootstrap : false, verify: isSigned });
  dht.setMaxListeners(0);
  dht.on('warning', () => {}); // Nodes that answer late or oddly.
  dht.listen(port, host);
  return dht;
}

/** A search: `onPeer` per distinct peer, `onEnd` once. Returns what stops it. */
function search(dht, hash, onPeer, onEnd) {
  const seen = new Set();
  const heard = ({ host, port }, of) => {
    const peer = `${host}:${port}`;
    if (of.toString('hex') !== hash || seen.has(peer)) return;
    seen.add(peer);
    onPeer(peer);
  };
  const stop = () => { dht.removeListener('peer', heard); abort(); };
  dht.on('peer', heard);
  const abort = dht.lookup(hash, (error) => { dht.removeListener('peer', heard); onEnd(error); });
  return stop;
}

function lookup(dht, { hash }, since = performance.now()) {
  const answer = { first_us: null, done_us: null, peers: [] };
  return new Promise((resolve) => {
    const end = () => { clearTimeout(timer); resolve(answer); };
    const onPeer = (peer) => { answer.first_us ??= micros(since); answer.peers.push(peer); };
    const stop = search(dht, hash, onPeer, () => { answer.done_us = micros(since); end(); });
    const timer = setTimeout(() => { stop(); end(); }, PATIENCE);
  });
}

async function cold(setup, request) {
  const since = performance.now();
  const dht = start(setup, 0);
  // Like the process's own client, one that cannot bind is an error.
  const failed = new Promise((_, reject) => { dht.once('error', reject); });
  const answer = await Promise.race([lookup(dht, request, since), failed]);
  dht.destroy();
  return answer;
}

async function lookups(dht, { hashes, parallel, until = 'done' }) {
  const since = performance.now();
  const todo = hashes.values();
  let missed = 0;
  const one = (hash) => new Promise((resolve) => {
    let found = false;
    const end = () => { clearTimeout(timer); stop(); resolve(found); };
    const stop = search(dht, hash, () => { found = true; if (until === 'first') end(); }, end);
    const timer = setTimeout(end, MISSED);
  });
  const worker = async () => { for (const hash of todo) if (!await one(hash)) missed += 1; };
  await Promise.all(Array.from({ length: Math.max(1, parallel) }, worker));
  return { took_us: micros(since), missed };
}

function announce(dht, { hash, port }) {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    dht.announce(hash, port, (error, acks) => {
      if (error) reject(error);
      else resolve({ done_us: micros(since), acks });
    });
  });
}

// An ed25519 key without the key: of a private one (RFC 8410, PKCS#8) and of a public one.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

function isSigned(signature, message, key) {
  if (signature?.length !== 64 || key?.length !== 32) return false;
  const spki = { key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' };
  return verify(null, message, createPublicKey(spki), signature);
}

function keys({ seed }) {
  const pkcs8 = Buffer.concat([PKCS8, Buffer.from(seed, 'hex')]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const key = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
  return { secret, key };
}

function put(dht, request) {
  const { secret, key } = keys(request);
  const { seq, cas } = request;
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const item = { k: key, v: Buffer.from(request.value, 'hex'), seq, sign: (data) => sign(null, data, secret) };
    dht.put(cas === undefined ? item : { ...item, cas }, (error, _, acks) => {
      if (error) reject(error);
      else resolve({ done_us: micros(since), acks, seq });
    });
  });
}

function get(dht, request) {
  const target = createHash('sha1').update(keys(request).key).digest();
  const since = performance.now();
  return new Promise((resolve, reject) => {
    // From the network, also what this client itself holds.
    dht.get(target, { cache: false }, (error, item) => {
      if (error) return reject(error);
      const values = item ? [{ seq: item.seq, value: Buffer.from(item.v).toString('hex') }] : [];
      return resolve({ done_us: micros(since), values });
    });
  });
}

function rss() {
  const [, kib] = /^VmRSS:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return { rss_kib: Number(kib) };
}

async function answer(setup, dht, line) {
  let id = null;
  try {
    const request = JSON.parse(line);
    id = request.id ?? null;
    const ops = { lookup, announce, lookups, put, get, rss, cold: (_, wanted) => cold(setup, wanted) };
    if (!Object.hasOwn(ops, request.op)) throw new Error(`no such op: ${request.op}`);
    if (request.hash !== undefined && !/^[0-9a-f]{40}$/.test(request.hash)) throw new Error('hash: 40 hex digits');
    return { id, ...await ops[request.op](dht, request) };
  } catch (error) {
    return { id, error: error.message };
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      bootstrap: { type: 'string', default: '' },
      host: { type: 'string' },
      port: { type: 'string', default: '0' },
      node: { type: 'boolean' }, // It always serves.
    },
  });
  if (!values.host) throw new Error('missing --host');
  const lines = [];
  let wake = () => {};
  createInterface({ input: process.stdin })
    .on('line', (line) => { if (line.trim()) { lines.push(line); wake(); } })
    .on('close', () => process.exit(0));
  process.stdout.on('error', () => process.exit(0));

  const setup = { DHT: await loadDht(), bootstrap: values.bootstrap.split(',').filter(Boolean), host: values.host };
  const dht = start(setup, Number(values.port));
  // An address that is not this machine's is only a warning there.
  const failed = new Promise((_, reject) => { dht.once('error', reject).once('warning', reject); });
  const up = new Promise((resolve) => { dht.once('listening', resolve); });
  const ready = new Promise((resolve) => { dht.once('ready', resolve); });
  await Promise.race([up, failed]);
  failed.catch(() => {}); // What comes later is only a warning.
  await ready;
  const { address, port } = dht.address();
  say({ ready: true, at: `${address}:${port}`, bootstrapped: !setup.bootstrap.length || dht.nodes.count() > 0 });
  for (;;) {
    if (!lines.length) await new Promise((resolve) => { wake = resolve; });
    say(await answer(setup, dht, lines.shift()));
  }
}

main().catch((error) => { console.error(error.message); process.exit(1); });
