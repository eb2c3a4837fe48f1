import { describe, expect, it } from 'vitest';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { StepPoint } from '../../../src/learning/problem/contract.js';
import { autoencoder } from '../../../src/learning/regression/autoencoder.js';
import { type Pairs, regression } from '../../../src/learning/regression/regression.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { randomSource } from '../../../src/linalg/random.js';

const STREAM = 9999;
const [INPUTS, HIDDEN, OUTPUTS] = [3, 4, 2];

/** Pairs of random inputs x and the targets `of(x)`. */
function pairs(count: number, seed: number, of: (x: Float32Array) => number[]): Pairs {
  const random = randomSource({ seed, stream: STREAM });
  const inputs = Float32Array.from({ length: count * INPUTS }, () => random.normal());
  const targets = Array.from({ length: count }, (_, e) => of(inputs.subarray(e * INPUTS, (e + 1) * INPUTS)));
  return { count, inputs, targets: Float32Array.from(targets.flat()) };
}

const curved = ([a, b, c]: Float32Array): number[] => [Math.sin(a) + b * c, Math.tanh(a - b)];
const train = pairs(32, 1, curved);
const test = pairs(16, 2, curved);

const pointAt = (parameters: Float64Array, step = 0, seed = 5): StepPoint => ({
  ...{ parameters, state: {}, step, totalSteps: 10, seed },
});

/** Rows ∂z_k/∂θ of one example by the network's formula, W₁ b₁ W₂ b₂ in this order. */
function jacobian(parameters: Float64Array, x: ArrayLike<number>): Float64Array[] {
  const [w1, b1] = [parameters.subarray(0, 12), parameters.subarray(12, 16)];
  const w2 = parameters.subarray(16, 24);
  const h = Array.from({ length: HIDDEN }, (_, o) =>
    Math.tanh(b1[o] + w1[o * 3] * x[0] + w1[o * 3 + 1] * x[1] + w1[o * 3 + 2] * x[2]),
  );
  return Array.from({ length: OUTPUTS }, (_, k) => {
    const row = new Float64Array(parameters.length);
    for (let o = 0; o < HIDDEN; o++) {
      const delta = w2[k * HIDDEN + o] * (1 - h[o] ** 2);
      for (let i = 0; i < INPUTS; i++) row[o * INPUTS + i] = delta * x[i];
      row[12 + o] = delta;
      row[16 + k * HIDDEN + o] = h[o];
    }
    row[24 + k] = 1;
    return row;
  });
}

describe('a regression', () => {
  const problem = regression({ train, test, hidden: [HIDDEN], batch: 32, curvatureExamples: 8, draws: 2 });
  const parameters = problem.init(3);

  it('has the gradient of its loss, by finite differences', () => {
    const { first, lossAt } = problem.evaluate(pointAt(parameters));
    const { loss, gradient } = first as Awaited<typeof first>;
    expect(lossAt!(parameters)).toBeCloseTo(loss, 6);
    for (let i = 0; i < parameters.length; i++) {
      const moved = (by: number): number =>
        lossAt!(parameters.map((value, j) => (i === j ? value + by : value)));
      // Outputs are float32, so a smaller step would be lost in their rounding.
      expect(gradient[i], `parameter ${i}`).toBeCloseTo((moved(0.02) - moved(-0.02)) / 0.04, 3);
    }
  });

  it('has rows of K whose mean square is the Gauss–Newton matrix of its examples (200 seeds)', () =>
    expectGaussNewton(200));
  it(
    'has rows of K whose mean square is the Gauss–Newton matrix of its examples (1500 seeds)',
    {
      tags: 'long',
    },
    () => expectGaussNewton(1500),
  );

  function expectGaussNewton(seeds: number): void {
    const n = parameters.length;
    // One batch is the whole set in an order that the seed decides. Its first 8 examples give the rows.
    const sum = new Float64Array(n * n);
    const all = regression({
      train: pairs(8, 1, curved),
      test,
      hidden: [HIDDEN],
      draws: 2,
      curvatureExamples: 8,
    });
    for (let seed = 0; seed < seeds; seed++) {
      const { data } = all.evaluate(pointAt(parameters, 0, seed)).factor();
      for (let r = 0; r < 16; r++)
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) sum[i * n + j] += (data[r * n + i] * data[r * n + j]) / seeds;
    }
    const { inputs } = pairs(8, 1, curved);
    const exact = new Float64Array(n * n);
    for (let e = 0; e < 8; e++)
      for (const row of jacobian(parameters, inputs.subarray(3 * e, 3 * e + 3)))
        for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) exact[i * n + j] += (row[i] * row[j]) / 8;
    // For each seed an entry is the mean of 16 products of normal numbers, with a variance of at most G_ii
    // G_jj + G_ij². One of 351 entries is beyond six standard errors with a probability of 1e-6.
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        const spread = exact[i * n + i] * exact[j * n + j] + exact[i * n + j] ** 2;
        expect(Math.abs(sum[i * n + j] - exact[i * n + j])).toBeLessThan(
          6 * Math.sqrt((8 * spread) / (seeds * 2)),
        );
      }
  }

  it('gives for one example factors of a layer whose product is the part of the row of K for this layer', () => {
    const single = regression({ train: pairs(1, 1, curved), test, hidden: [HIDDEN], draws: 1 });
    const at = single.evaluate(pointAt(parameters));
    const { data: row } = at.factor();
    const [first] = at.layers!.curvatures();
    for (let o = 0; o < HIDDEN; o++)
      for (let i = 0; i < INPUTS; i++)
        expect(first.inputs.data[i] * first.outputs.data[o]).toBeCloseTo(row[o * INPUTS + i], 12);
  });

  it('uses every pair once in an epoch, and other batches for another seed or epoch', () => {
    const small = regression({ train, test, hidden: [], batch: 8 });
    const firstLoss = (step: number, seed: number): number =>
      (small.evaluate(pointAt(new Float64Array(small.parameterCount), step, seed)).first as { loss: number })
        .loss;
    const epoch = [0, 1, 2, 3].map((step) => firstLoss(step, 1));
    const whole = [...train.targets].reduce((sum, y) => sum + (y * y) / (2 * 32), 0);
    expect(epoch.reduce((a, b) => a + b) / 4).toBeCloseTo(whole, 6);
    expect(firstLoss(0, 2)).not.toBeCloseTo(epoch[0], 6);
    expect(firstLoss(4, 1)).not.toBeCloseTo(epoch[0], 6);
  });

  it('without hidden layers is linear: natural gradient finds the exact line', async () => {
    const line = ([a, b, c]: Float32Array): number[] => [2 * a - b + 0.5, 3 * c - 1];
    const linear = regression({
      train: pairs(64, 3, line),
      test: pairs(32, 4, line),
      hidden: [],
      draws: 8,
      curvatureExamples: 64,
      batch: 64,
    });
    const optimizer = createOptimizer('ngd', { rate: 0.5, damping: 1e-3, clip: Number.MAX_VALUE });
    const { summary, parameters: found } = await trainProblem({
      problem: linear,
      optimizer,
      steps: 60,
      seed: 1,
    });
    expect(summary.unexplainedShare).toBeLessThan(1e-6);
    for (const [i, value] of [2, -1, 0, 0, 0, 3, 0.5, -1].entries()) expect(found[i]).toBeCloseTo(value, 2);
  });

  it('refuses pairs that do not fit', () => {
    const refused = (settings: object): void =>
      expect(() => regression({ train, test, hidden: [2], ...settings })).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENT' }),
      );
    refused({ test: { ...test, inputs: test.inputs.subarray(0, 32) } });
    refused({ train: { ...train, targets: train.targets.map(() => Number.NaN) } });
    refused({ train: { ...train, inputs: train.inputs.subarray(1) } });
    refused({ test: { ...test, targets: new Float32Array(32) } });
    refused({ batch: 33 });
    refused({ curvatureExamples: 33 });
    refused({ draws: 0 });
    refused({ hidden: [0] });
  });
});

describe('an autoencoder', () => {
  const images = Float32Array.from({ length: 6 * 25 }, (_, i) => (i % 7) / 7);
  const set = { count: 6, inputs: images, labels: new Uint8Array(6) };
  const data = { name: 'd', rows: 5, columns: 5, classes: 2, train: set, test: set, digest: 'abc' };

  it('has as inputs the means over 2×2 pixels, and the same means as targets', () => {
    const problem = autoencoder(data, { hidden: [2], pool: 2 });
    expect([problem.rows, problem.columns, problem.parameterCount]).toEqual([2, 2, 4 * 2 + 2 + 2 * 4 + 4]);
    const { inputs, targets } = problem.testPairs;
    expect(inputs[0]).toBeCloseTo((images[0] + images[1] + images[5] + images[6]) / 4, 6);
    expect(inputs[3]).toBeCloseTo((images[12] + images[13] + images[17] + images[18]) / 4, 6);
    expect(targets).toBe(inputs);
    const out = problem.outputs(problem.init(1), inputs, 6);
    expect(out).toHaveLength(inputs.length);
  });

  it('of other images or with another pooling has other settings', () => {
    const settings = (made: object, from = data): string =>
      JSON.stringify(autoencoder(from, { hidden: [2], ...made }).settings);
    expect(settings({ pool: 2 })).not.toBe(settings({ pool: 2 }, { ...data, digest: 'other' }));
    expect(settings({ pool: 2 })).not.toBe(settings({ pool: 1 }));
    expect(() => autoencoder(data, { pool: 6 })).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});
