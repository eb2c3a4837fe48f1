/**
 * Measures the gain of the asynchronous mode: `node test/bench/asynchronous.mjs [--run-ms <ms>]
 * [--bytes-per-second <n>]` trains on digits with a delay, by turns with and without the asynchronous mode.
 * The board is emulated in this process and paced: a board run lasts at least `--run-ms` ms, and couplings
 * are sent with at most `--bytes-per-second` bytes a second. Prints the median time of a step of each
 * training, after the first five steps. Without a pace (0 and 0) an emulated board computes in this thread,
 * and there is nothing to gain.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createAnalogSolver } from '../../dist/src/algorithms/board-solver.js';
import { connect } from '../../dist/src/connect.js';
import { loadDataset } from '../../dist/src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../dist/src/learning/network/convolution-classifier.js';
import { createOptimizer } from '../../dist/src/learning/optimizers/create.js';
import { train } from '../../dist/src/learning/trainer.js';

const { values } = parseArgs({
  options: {
    'run-ms': { type: 'string', default: '20' },
    'bytes-per-second': { type: 'string', default: '40e6' },
    steps: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
  },
});
const runMs = Number(values['run-ms']);
const bytesPerSecond = Number(values['bytes-per-second']);
const steps = Number(values.steps);

/** The device at the pace of a board and its link. */
function paced(device) {
  const linkMs = (image) => (bytesPerSecond > 0 ? (1000 * image.couplings.byteLength) / bytesPerSecond : 0);
  const atLeast = async (ms, call) => (await Promise.all([call(), ms > 0 ? sleep(ms) : undefined]))[0];
  return {
    identity: device.identity,
    get sessionCount() {
      return device.sessionCount;
    },
    get uploadedBytes() {
      return device.uploadedBytes;
    },
    loadProgram: (bank, image, ...rest) =>
      atLeast(linkMs(image), () => device.loadProgram(bank, image, ...rest)),
    uploadCouplings: (bank, image, ...rest) =>
      atLeast(linkMs(image), () => device.uploadCouplings(bank, image, ...rest)),
    rewriteProgram: (...all) => device.rewriteProgram(...all),
    acquire: (options) => atLeast(runMs, () => device.acquire(options)),
  };
}

const data = loadDataset({ kind: 'mnist' });
const network = createConvolutionClassifier(data);
const batch = 128;

async function millisecondsOfStep(asynchronous) {
  const device = await connect('emulator:ideal-crossbar');
  const ends = [];
  try {
    await train({
      ...{ network, data, epochs: 1, batch, trainSize: steps * batch, seed: 1 },
      optimizer: createOptimizer('tngd', { delay: 0.5, asynchronous }, createAnalogSolver(paced(device))),
      onStep: () => ends.push(performance.now()),
    });
  } finally {
    await device.close();
  }
  const lengths = ends.slice(5, -1).map((end, i) => ends[i + 6] - end);
  return lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
}

for (let round = 0; round < Number(values.rounds); round++)
  for (const asynchronous of [false, true])
    console.log(
      `${asynchronous ? 'asynchronous' : 'one after the other'}: ${(await millisecondsOfStep(asynchronous)).toFixed(1)} ms a step`,
    );
