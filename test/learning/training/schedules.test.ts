import { expect, it } from 'vitest';
import { createExactSolver } from '../../../src/algorithms/truncated.js';
import type { OptimizerState } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { Trial } from '../../../src/learning/problem/contract.js';
import { logAmplitude } from '../../../src/learning/quantum/boltzmann-state.js';
import { chainsAt, startChains } from '../../../src/learning/quantum/sampler.js';
import { isingModel } from '../../../src/learning/quantum/spin-chain.js';
import { reweightedEnergy } from '../../../src/learning/quantum/variational-energy.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { norm2 } from '../../../src/linalg/products.js';
import { noiseVector } from '../../support/network-examples.js';

it('K-FAC uses the first twenty batches and then every fourth one, and inverts in steps 0, R/10 and kR', async () => {
  const exact = createExactSolver();
  const inverted: number[] = [];
  const taken: number[] = [];
  let now = 0;
  const optimizer = createOptimizer(
    'kfac',
    { reload: 25 },
    {
      ...exact,
      invert: (request) => {
        inverted.push(now);
        return exact.invert(request);
      },
    },
  );
  let state: OptimizerState = optimizer.init(2);
  let parameters: Float64Array = Float64Array.of(1, -1);
  for (now = 0; now < 56; now++) {
    const rows = (seed: number, columns: number) => matrix(3, columns, noiseVector(3 * columns, seed + now));
    const result = await optimizer.update(state, {
      ...{ parameters, gradient: noiseVector(2, now), factor: undefined, step: now, totalSteps: 60, seed: 1 },
      layers: {
        places: [{ outputs: 1, inputs: 1, weightOffset: 0, biasOffset: 1 }],
        curvatures: () => {
          taken.push(now);
          return [{ inputs: rows(100, 2), outputs: rows(300, 1) }];
        },
      },
    });
    ({ parameters, state } = result);
  }
  const all = Array.from({ length: 56 }, (_, step) => step);
  expect(taken).toEqual(all.filter((step) => step < 20 || step % 4 === 0));
  // Two factors for one layer.
  expect(inverted).toEqual([0, 0, 2, 2, 25, 25, 50, 50]);
});

it.each([0.2, 1, 30])(
  'a quasi-Newton method first tries the step min(1, ‖g‖), for ‖g‖ = %d',
  async (size) => {
    const tried: number[] = [];
    const gradient = Float64Array.of(0.6 * size, -0.8 * size);
    const trial: Trial = {
      loss: () => 0,
      lossAndGradient: (at) => {
        tried.push(norm2(at));
        return { loss: 1, gradient };
      },
    };
    const optimizer = createOptimizer('bfgs');
    await optimizer.update(optimizer.init(2), {
      ...{
        parameters: new Float64Array(2),
        gradient,
        factor: undefined,
        trial,
        step: 0,
        totalSteps: 9,
        seed: 1,
      },
    });
    expect(tried[0]).toBeCloseTo(Math.min(1, size), 12);
  },
);

it('samples of earlier parameters are used while at least half of them are effective, (Σw)²/Σw² ≥ m/2', () => {
  const shape = { sites: 6, hidden: 6 };
  const model = isingModel(6, 1);
  const here = noiseVector(48, 5, 0.1);
  const chains = chainsAt(shape, here, startChains(model, 60, 5));
  const shares: number[] = [];
  for (let k = 0; k < 80; k++) {
    const there = here.map((value, i) => value + 0.006 * k * Math.cos(i));
    const weights = Array.from({ length: 60 }, (_, c) => {
      const pattern = chains.spins.subarray(6 * c, 6 * c + 6);
      return Math.exp(2 * (logAmplitude(shape, there, pattern) - logAmplitude(shape, here, pattern)));
    });
    const [sum, squares] = weights.reduce(([s, q], w) => [s + w, q + w * w], [0, 0]);
    const share = (sum * sum) / squares / 60;
    shares.push(share);
    expect(Number.isFinite(reweightedEnergy(model, shape, chains, here, there))).toBe(share >= 0.5);
  }
  expect(shares.some((share) => share > 0.5 && share < 0.55)).toBe(true);
  expect(shares.some((share) => share > 0.45 && share < 0.5)).toBe(true);
});
