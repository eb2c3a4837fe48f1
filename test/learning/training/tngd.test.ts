import { describe, expect, it } from 'vitest';
import type { RelaxationSolver } from '../../../src/algorithms/contract.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import type { Optimizer, OptimizerState } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { naturalGradient } from '../../../src/learning/optimizers/ngd.js';
import { CONTROL, type OptimizerOptions } from '../../../src/learning/optimizers/registry.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { norm2 } from '../../../src/linalg/products.js';
import { exactSolver } from '../../support/exact-solver.js';
import { noiseVector } from '../../support/network-examples.js';
import { difference, factorOfNoise, M, P, request, trajectory } from '../../support/optimizer-steps.js';

describe('tngd', () => {
  const relaxing = (options: OptimizerOptions, solver: RelaxationSolver = exactSolver()): Optimizer =>
    createOptimizer('tngd', options, solver);

  it('for time 0 from the gradient is gradient descent, bit for bit', async () => {
    const options = { rate: 0.4, clip: 0.5 };
    const found = await trajectory(relaxing({ ...options, time: 0, initial: 'gradient' }), 5);
    const expected = await trajectory(createOptimizer('sgd', { ...options, momentum: 0 }), 5);
    expect(found).toEqual(expected);
  });

  it.each(['keep', 'gradient', 'zero'] as const)(
    'for long times from %s is natural gradient descent',
    async (initial) => {
      const options = { rate: 0.4, damping: 0.3 };
      const found = await trajectory(relaxing({ ...options, time: 100, initial }), 5);
      const expected = await trajectory(createOptimizer('ngd', options), 5);
      found.forEach((parameters, step) => {
        expect(difference(parameters, expected[step])).toBeLessThan(1e-9);
      });
    },
  );

  it.each(['keep', 'gradient', 'zero'] as const)(
    'takes the same step from %s if the gradient is a promise',
    async (initial) => {
      const solver = exactSolver();
      const optimizer = createOptimizer('tngd', { initial, delay: initial === 'keep' ? 0.5 : 0 }, solver);
      const state = optimizer.init(P);
      const { gradient } = request();
      const expected = await optimizer.update(state, request());
      const late = await optimizer.update(state, request({ gradient: async () => gradient }));
      expect(late).toEqual(expected);
      const isAskedBySolver = typeof solver.calls.at(initial === 'keep' ? 2 : 1)?.drive === 'function';
      expect(isAskedBySolver).toBe(initial !== 'gradient');
    },
  );

  it('steps against the gradient: the sign convention', async () => {
    const { gradient, parameters: start } = request();
    for (const time of [0.01, 1, 50]) {
      const optimizer = relaxing({ time, initial: 'gradient' });
      const { parameters } = await optimizer.update(optimizer.init(P), request());
      const slope = gradient.reduce((sum, g, i) => sum + g * (parameters[i] - start[i]), 0);
      expect(slope).toBeLessThan(0);
    }
  });

  it('comes monotonically closer to the natural gradient with time', async () => {
    const exact = naturalGradient(factorOfNoise(3), 0.3, request().gradient);
    let last = Number.POSITIVE_INFINITY;
    for (const time of [0, 0.5, 1, 2, 5, 10, 50]) {
      const optimizer = relaxing({ time, damping: 0.3, initial: 'gradient' });
      const { state } = await optimizer.update(optimizer.init(P), request());
      const error = difference(state.arrays['solution'], exact);
      expect(error).toBeLessThan(last);
      last = error;
    }
  });

  it('with a kept state and no curvature is SGD with the momentum e^(−λt)', async () => {
    const [damping, time] = [0.3, 1];
    const optimizer = relaxing({ damping, time, rate: 1, clip: Number.POSITIVE_INFINITY });
    let state = optimizer.init(P);
    let expected: Float64Array = new Float64Array(P);
    for (let step = 0; step < 4; step++) {
      const gradient = noiseVector(P, 20 + step);
      ({ state } = await optimizer.update(state, request({ step, gradient, factor: matrix(M, P) })));
      const decay = Math.exp(-damping * time);
      expected = expected.map((x, i) => decay * x + ((1 - decay) / damping) * gradient[i]);
      expect(difference(state.arrays['solution'], expected)).toBeLessThan(1e-13);
    }
    expect(CONTROL.momentum).toBeCloseTo(Math.exp(-damping * time), 15);
  });

  it('starts the next relaxation from the unclipped solution', async () => {
    const solver = exactSolver();
    const optimizer = relaxing({ clip: 1e-3 }, solver);
    const { state, parameters } = await optimizer.update(optimizer.init(P), request());
    expect(difference(parameters, request().parameters)).toBeCloseTo(1e-3, 12);
    expect(norm2(state.arrays['solution'])).toBeGreaterThan(0.1);
    await optimizer.update(state, request({ step: 1 }));
    expect(solver.calls.map(({ initial }) => norm2(initial))).toEqual([0, norm2(state.arrays['solution'])]);
  });

  it('with a delay continues to relax under the old problem before the next one', async () => {
    const solver = exactSolver();
    const delayed = relaxing({ time: 1, delay: 0.5 }, solver);
    const longer = relaxing({ time: 1.5 });
    const undelayed = relaxing({ time: 1 });
    const first = await delayed.update(delayed.init(P), request());
    expect(first.parameters).toEqual((await undelayed.update(undelayed.init(P), request())).parameters);
    const kept = (await longer.update(longer.init(P), request())).state.arrays['solution'];
    expect(difference(first.state.arrays['solution'], kept)).toBeLessThan(1e-12);
    await delayed.update(first.state, request({ step: 9 }));
    // The second update is the last of ten steps. No step follows it, so it leaves out the delay.
    expect(solver.calls.map(({ time }) => time)).toEqual([1, 0.5, 1]);
  });

  it('never uses an address of the board twice', async () => {
    const solver = exactSolver();
    await trajectory(relaxing({ delay: 0.1 }, solver), 6);
    const addresses = solver.calls.map(({ address }) => JSON.stringify(address));
    expect(new Set(addresses).size).toBe(12);
  });

  it('hands the abort signal to the solver', async () => {
    const solver = exactSolver();
    const { signal } = new AbortController();
    const optimizer = relaxing({}, solver);
    await optimizer.update(optimizer.init(P), request({ signal }));
    expect(solver.calls[0].signal).toBe(signal);
  });

  it('gives up when the board overloads in two steps in succession, not in one', async () => {
    const overloaded = new Set([1, 3, 4]);
    const optimizer = relaxing(
      {},
      exactSolver((step) => (overloaded.has(step) ? 1 : 0)),
    );
    let state: OptimizerState = optimizer.init(P);
    for (const step of [0, 1, 2, 3]) ({ state } = await optimizer.update(state, request({ step })));
    await expect(optimizer.update(state, request({ step: 4 }))).rejects.toMatchObject({ code: 'DIVERGED' });
  });

  it('gives up when the solution outgrows 2¹⁰ · max(1, 1/λ) · largest |g|∞, not before', async () => {
    const largest = 0.5;
    const growing = (x: number): RelaxationSolver => {
      const solver = exactSolver();
      return {
        ...solver,
        relax: async (r) => ({ ...(await solver.relax(r)), x: new Float64Array(P).fill(x) }),
      };
    };
    const gradient = new Float64Array(P).fill(largest);
    const bound = (2 ** 10 / 0.25) * largest;
    const update = (x: number): Promise<unknown> => {
      const optimizer = relaxing({ damping: 0.25 }, growing(x));
      return optimizer.update(optimizer.init(P), request({ gradient }));
    };
    await expect(update(bound)).resolves.toBeDefined();
    await expect(update(bound * 1.01)).rejects.toMatchObject({ code: 'DIVERGED' });
  });

  it('applies the same bounds to the solution after the delay, which is kept for the next step', async () => {
    const solver = exactSolver();
    const changed = (
      change: (x: Float64Array) => Float64Array,
      overloadRetries: number,
    ): RelaxationSolver => ({
      ...solver,
      relax: async (r) => {
        const { x, cost } = await solver.relax(r);
        return r.address.block === 0 ? { x, cost } : { x: change(x), cost: { ...cost, overloadRetries } };
      },
    });
    const runaway = relaxing(
      { delay: 0.5 },
      changed((x) => x.map(() => 1e9), 0),
    );
    await expect(runaway.update(runaway.init(P), request())).rejects.toMatchObject({ code: 'DIVERGED' });
    const retrying = relaxing(
      { delay: 0.5 },
      changed((x) => x, 1),
    );
    const { state } = await retrying.update(retrying.init(P), request());
    await expect(retrying.update(state, request({ step: 1 }))).rejects.toMatchObject({ code: 'DIVERGED' });
  });

  it('accepts a vanishing gradient without damping', async () => {
    const optimizer = relaxing({ damping: 0 });
    const { parameters } = await optimizer.update(
      optimizer.init(P),
      request({ gradient: new Float64Array(P) }),
    );
    expect(parameters).toEqual(request().parameters);
  });
});

describe('tngd on the ideal sampler', () => {
  it('for time 0 from the gradient is gradient descent, bit for bit', async () => {
    const found = await trajectory(
      createOptimizer('tngd', { rate: 0.4, clip: 0.5, time: 0, initial: 'gradient' }, createIdealSampler()),
      5,
    );
    expect(found).toEqual(await trajectory(createOptimizer('sgd', { rate: 0.4, clip: 0.5, momentum: 0 }), 5));
  });

  it('follows the exact relaxation', async () => {
    const found = await trajectory(createOptimizer('tngd', { delay: 0.2 }, createIdealSampler()), 5);
    const expected = await trajectory(createOptimizer('tngd', { delay: 0.2 }, exactSolver()), 5);
    found.forEach((parameters, step) => {
      expect(difference(parameters, expected[step])).toBeLessThan(1e-10);
    });
  });
});

describe('tngd-adam', () => {
  it('with β = (0, 0) steps by the sign of the solution', async () => {
    const optimizer = createOptimizer('tngd-adam', { beta1: 0, beta2: 0, rate: 0.1 }, exactSolver());
    const { parameters, state } = await optimizer.update(optimizer.init(P), request());
    const { parameters: start } = request();
    const x = state.arrays['solution'];
    for (let i = 0; i < P; i++)
      expect(start[i] - parameters[i]).toBeCloseTo((0.1 * x[i]) / (Math.abs(x[i]) + 1e-8), 12);
  });

  it('is Adam when nothing relaxes', async () => {
    const found = await trajectory(
      createOptimizer('tngd-adam', { time: 0, initial: 'gradient', rate: 0.02 }, exactSolver()),
      4,
    );
    expect(found).toEqual(await trajectory(createOptimizer('adam', { rate: 0.02 }), 4));
  });
});
