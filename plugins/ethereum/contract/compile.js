// Compiles Bitboot.sol to the JSON beside it: `node compile.js FOLDER`, where FOLDER has the package solc. Prints it.
const fs = require('fs');
const path = require('path');
const solc = require(path.resolve(process.argv[2], 'solc'));

const settings = {
  // Chains that are behind run it as well: nothing newer than what all have.
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 1000 },
  // The same bytes whatever comments say and wherever it is compiled.
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.methodIdentifiers'] } },
};
const source = fs.readFileSync(path.join(__dirname, 'Bitboot.sol'), 'utf8');
const input = { language: 'Solidity', sources: { 'Bitboot.sol': { content: source } }, settings };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const failures = output.errors || [];
if (failures.length) {
  failures.forEach((failure) => console.error(failure.formattedMessage));
  process.exit(1);
}
const { abi, evm } = output.contracts['Bitboot.sol'].Bitboot;
const { outputSelection, ...kept } = settings;
const compiled = {
  contract: 'Bitboot',
  compiler: solc.version(),
  settings: kept,
  abi,
  methods: evm.methodIdentifiers,
  bytecode: '0x' + evm.bytecode.object,
  deployedBytecode: '0x' + evm.deployedBytecode.object,
};
process.stdout.write(JSON.stringify(compiled, null, 2) + '\n');
