/**
 * Digests of a training: `node test/bench/step-digest.mjs [--tree <folder>] [--steps <n>] [--optimizer
 * <name>]` trains the network of `thermolink train` on the emulated board and prints the SHA-256 of all
 * parameters, losses and ticks. If a change must not change the bits of a step, its tree prints the same
 * digest as the previous tree. Both trees must be built.
 */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    tree: { type: 'string', default: '.' },
    steps: { type: 'string', default: '150' },
    optimizer: { type: 'string', default: 'tngd' },
  },
});
const load = (path) => import(pathToFileURL(resolve(values.tree, 'dist/src', path)).href);
const { connect } = await load('connect.js');
const { createAnalogSolver } = await load('algorithms/board-solver.js');
const { createConvolutionClassifier } = await load('learning/network/convolution-classifier.js');
const { createOptimizer } = await load('learning/optimizers/create.js');
const { loadDataset } = await load('learning/data/load-dataset.js');
const { train } = await load('learning/trainer.js');

const data = loadDataset({ kind: 'mnist' });
const device = await connect('emulator:ideal-crossbar');
const before = process.cpuUsage();
const losses = [];
const ticks = [];
try {
  const { rows, columns, classes } = data;
  const batch = 128;
  const { parameters } = await train({
    network: createConvolutionClassifier({ rows, columns, classes }),
    data: {
      ...data,
      test: {
        count: 100,
        inputs: data.test.inputs.subarray(0, 78400),
        labels: data.test.labels.subarray(0, 100),
      },
    },
    optimizer: createOptimizer(values.optimizer, {}, createAnalogSolver(device)),
    epochs: 1,
    batch,
    trainSize: Number(values.steps) * batch,
    seed: 1,
    onStep: (record) => {
      losses.push(record.loss);
      ticks.push(record.ticks);
    },
  });
  const digest = (numbers) =>
    createHash('sha256').update(Float64Array.from(numbers)).digest('hex').slice(0, 16);
  const { user, system } = process.cpuUsage(before);
  console.log(
    `parameters ${digest(parameters)}  losses ${digest(losses)}  ticks ${digest(ticks)}  (${ticks.length} steps)`,
  );
  console.error(`processor time ${((user + system) / 1000 / ticks.length).toFixed(2)} ms a step`);
} finally {
  await device.close();
}
