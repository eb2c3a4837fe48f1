/**
 * `npm run digests` computes the state digests of a fixed set of problems with every implementation of the
 * device model. It compares them with firmware-protocol/vectors/digests.json. With `-- --write` it writes
 * that file with the results of the oracle, which is needed after a change of the problems.
 */
import { PROBLEMS } from '../reference-firmware/problems.js';
import { ARM_IMPLEMENTATIONS } from './arm-implementations.js';
import { compare, exitCodeOf, tableOf } from './comparison.js';
import { filed, readDigestFile, writeDigestFile } from './digest-file.js';
import { IMPLEMENTATIONS, ORACLE } from './implementations.js';

if (process.argv.includes('--write')) {
  const printed = ORACLE.run(PROBLEMS);
  writeDigestFile(PROBLEMS.map((problem, i) => ({ ...problem, prints: filed(printed[i]) })));
}
const cases = readDigestFile();
const verdicts = [...IMPLEMENTATIONS, ...ARM_IMPLEMENTATIONS].map((implementation) =>
  compare(implementation, cases),
);
process.stdout.write(tableOf(verdicts, cases.length));
process.exitCode = exitCodeOf(verdicts, Boolean(process.env['CI']));
