/**
 * Measures the benefit of a dense curvature that is averaged over batches: `node
 * test/bench/dense-curvature.mjs`. Softmax regression of MNIST digits of 9 × 9 pixels, whose features are
 * rotated, scaled over two decades and rotated again, so that no diagonal method can undo it. 29 steps of
 * 2,048 digits an epoch. Prints the mean loss of steps 25 to 34 and the mean loss at the end, a line for each
 * method and seed. `--only NAME` runs one method, `--options JSON` gives it other settings, `--seeds 0` takes
 * seed 0 in place of 1,2,3, and `--epochs 2` takes fewer steps.
 */
import { parseArgs } from 'node:util';
import { createAnalogSolver } from '../../dist/src/algorithms/board-solver.js';
import { connect } from '../../dist/src/connect.js';
import { loadDataset } from '../../dist/src/learning/data/load-dataset.js';
import { createMlp } from '../../dist/src/learning/network/mlp.js';
import { createOptimizer } from '../../dist/src/learning/optimizers/create.js';
import { train } from '../../dist/src/learning/trainer.js';
import { randomSource } from '../../dist/src/linalg/random.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    options: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    epochs: { type: 'string', default: '10' },
  },
});

const EDGE = 9;
const POOL = 3;
const FEATURES = EDGE * EDGE;
/** Random numbers of this program's own. */
const STREAM = 60_001;

/** Images pooled, centred by the mean of the training images, and multiplied by R₂ D R₁. */
function harderDigits() {
  const data = loadDataset({ kind: 'mnist' });
  const train = pooled(data.train, data.columns);
  const test = pooled(data.test, data.columns);
  const mean = new Float64Array(FEATURES);
  for (let i = 0; i < train.inputs.length; i++) mean[i % FEATURES] += train.inputs[i] / train.count;
  const [first, second] = [rotation(1), rotation(2)];
  const scales = Float64Array.from({ length: FEATURES }, (_, i) => 10 ** ((-2 * i) / (FEATURES - 1)));
  for (const { inputs } of [train, test])
    for (let start = 0; start < inputs.length; start += FEATURES) {
      const image = mean.map((value, i) => inputs[start + i] - value);
      const scaled = applied(first, image).map((value, i) => scales[i] * value);
      inputs.set(applied(second, scaled), start);
    }
  return { ...data, name: 'harder digits', rows: 1, columns: FEATURES, train, test, digest: 'harder digits' };
}

function pooled({ count, inputs, labels }, columns) {
  const out = new Float32Array(count * FEATURES);
  const pixels = columns * columns;
  for (let n = 0; n < count; n++)
    for (let r = 0; r < EDGE * POOL; r++)
      for (let c = 0; c < EDGE * POOL; c++) {
        const place = Math.floor(r / POOL) * EDGE + Math.floor(c / POOL);
        out[n * FEATURES + place] += inputs[n * pixels + r * columns + c] / POOL ** 2;
      }
  return { count, inputs: out, labels };
}

/** A random orthogonal matrix, as rows: Gram and Schmidt's method on normal numbers. */
function rotation(block) {
  const random = randomSource({ seed: 0, stream: STREAM, block });
  const rows = [];
  while (rows.length < FEATURES) {
    const row = Float64Array.from({ length: FEATURES }, () => random.normal());
    for (const other of [...rows, ...rows]) {
      const share = inner(row, other);
      for (let i = 0; i < FEATURES; i++) row[i] -= share * other[i];
    }
    const length = Math.sqrt(inner(row, row));
    rows.push(row.map((value) => value / length));
  }
  return rows;
}

const inner = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const applied = (rows, x) => Float64Array.from(rows, (row) => inner(row, x));

const data = harderDigits();
const network = createMlp({ inputCount: FEATURES, hidden: [], classes: data.classes });
const dense = await connect('emulator:ideal-1024');

const ROUGH = { clip: Infinity, ticks: 256, runs: 4 };
const MEAN = { clip: Infinity, average: 0.5, reload: 25 };
/** Several rates of adam and momentum were tried on seed 0. For each other method one setting was tried. */
const METHODS = [
  {
    ...{ label: 'board', name: 'tngd', solver: createAnalogSolver(dense), own: { ...ROUGH, ...MEAN } },
    best: { rate: 1, damping: 1e-4 },
  },
  { label: 'exact', name: 'ngd', own: MEAN, best: { rate: 1, damping: 1e-4 } },
  { label: 'adam', name: 'adam', own: {}, best: { rate: 1 } },
  { label: 'momentum', name: 'sgd', own: { momentum: 0.9 }, best: { rate: 30 } },
];

async function run({ name, solver, own, examples = 128 }, options, seed) {
  const optimizer = createOptimizer(name, { ...own, ...options }, solver);
  const losses = [];
  try {
    const { summary } = await train({
      ...{ network, data, optimizer, epochs: Number(values.epochs), batch: 2048, seed },
      ...(optimizer.needsCurvature ? { curvatureExamples: examples } : {}),
      onStep: ({ loss }) => losses.push(loss),
    });
    const early = losses.slice(25, 35).reduce((sum, loss) => sum + loss / 10, 0);
    const { trainLoss, testAccuracy, ticks, uploadBytesPerStep, timing } = summary;
    return {
      early,
      trainLoss,
      testAccuracy,
      ticks: ticks / losses.length,
      uploadBytesPerStep,
      seconds: timing.hostSeconds,
    };
  } catch (error) {
    return { failure: error.code };
  }
}

try {
  for (const method of METHODS.filter(({ label }) => label === (values.only ?? label)))
    for (const seed of values.seeds.split(',').map(Number)) {
      const options = values.options === undefined ? method.best : JSON.parse(values.options);
      console.log(
        JSON.stringify({ label: method.label, ...options, seed, ...(await run(method, options, seed)) }),
      );
    }
} finally {
  await dense.close();
}
