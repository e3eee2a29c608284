// node flood.mjs PATH/arlocal URL KEY... < JSON: posts transactions by many owners, made and signed by arweave-js. The JSON is
// { topic, primes, data: [base64url, ...] }. Owners are made of the primes of the keys in the given files, and of some more, two by two: they are
// worth nothing, and cost no time to make.
import { createHash, generatePrimeSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [arlocal, url, ...files] = process.argv.slice(2);
const { topic, primes: more, data } = JSON.parse(readFileSync(0, 'utf8'));
const { hostname, port } = new URL(url);
const arweave = createRequire(arlocal)('arweave').init({ host: hostname, port, protocol: 'http', logging: false });

const E = 65537n;
const AT_ONCE = 8;
const number = (text) => BigInt('0x' + Buffer.from(text, 'base64url').toString('hex'));
const text = (value) => {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
};

/** The number that is 1 when it is multiplied by another one (extended Euclid). */
function inverse(of, modulus) {
  let [a, b, x, y] = [of % modulus, modulus, 1n, 0n];
  while (b) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
}

function wallet(p, q) {
  const d = inverse(E, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: E, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, text(value)])) };
}

const primes = files.flatMap((file) => {
  const key = JSON.parse(readFileSync(file, 'utf8'));
  return [number(key.p), number(key.q)];
});
for (let left = more; left > 0; left--) primes.push(generatePrimeSync(2048, { bigint: true }));
const wallets = primes.flatMap((p, at) => primes.slice(at + 1).map((q) => wallet(p, q)));

for (const { n } of wallets) {
  const address = createHash('sha256').update(Buffer.from(n, 'base64url')).digest('base64url');
  await fetch(`${url}/mint/${address}/1000000000000`);
}
const anchor = await (await fetch(`${url}/tx_anchor`)).text();

async function post(bytes, key) {
  const options = { data: Buffer.from(bytes, 'base64url'), last_tx: anchor, reward: '65595508' };
  const transaction = await arweave.createTransaction(options, key);
  for (const [name, value] of [['App-Name', 'bitboot'], ['App-Version', '1'], ['Bitboot-Key', topic]]) {
    transaction.addTag(name, value);
  }
  await arweave.transactions.sign(transaction, key, { saltLength: 32 });
  const { status } = await arweave.api.post('tx', transaction);
  if (status !== 200) throw new Error(`not taken: ${status}`);
}

for (let at = 0; at < data.length; at += AT_ONCE) {
  await Promise.all(data.slice(at, at + AT_ONCE).map((bytes, i) => post(bytes, wallets[(at + i) % wallets.length])));
}
