// node surfnet.js FILE [MILLISECONDS]: a Solana chain of its own (Surfpool) on a free port of this machine, with so many milliseconds from one
// block to the next. Writes its address into FILE once it is there, and ends when it is told to.
const fs = require('fs');
const { Surfnet } = require('surfpool-sdk-linux-x64-gnu');

const [file, slot] = process.argv.slice(2);
const chain = Surfnet.startWithConfig({ offline: true, blockProductionMode: 'clock', slotTimeMs: Number(slot || 50) });
fs.writeFileSync(`${file}.new`, chain.rpcUrl);
fs.renameSync(`${file}.new`, file);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
// What it tells of itself would pile up otherwise; and a process that waits for nothing ends.
setInterval(() => chain.drainEvents(), 500);
