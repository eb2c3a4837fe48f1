import { describe, expect, it } from 'vitest';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { formDense, norm2 } from '../../src/linalg/products.js';
import type { LinearSolver } from '../../src/solver/contract.js';
import { createIdealSampler } from '../../src/solver/ideal-sampler.js';
import type { Optimizer, OptimizerState, StepRequest } from '../../src/training/optimizers/contract.js';
import { CONTROL, createOptimizer, type OptimizerOptions } from '../../src/training/optimizers/create.js';
import { naturalGradient } from '../../src/training/optimizers/ngd.js';
import { exactSolver } from '../support/model-exact-solver.js';
import { noiseVector } from '../support/model-examples.js';

const P = 30;
const M = 8;

function factorOfNoise(seed: number): Matrix {
  return matrix(M, P, noiseVector(M * P, seed, 0.5));
}

function request(overrides: Partial<StepRequest> = {}): StepRequest {
  return {
    parameters: noiseVector(P, 1),
    gradient: noiseVector(P, 2),
    factor: factorOfNoise(3),
    step: 0,
    totalSteps: 10,
    seed: 7,
    ...overrides,
  };
}

/** Runs some steps with changing gradients and curvature; returns the parameters after each. */
async function trajectory(optimizer: Optimizer, steps: number): Promise<Float64Array[]> {
  let state = optimizer.init(P);
  let parameters: Float64Array = noiseVector(P, 1);
  const all: Float64Array[] = [];
  for (let step = 0; step < steps; step++) {
    const result = await optimizer.update(
      state,
      request({ parameters, step, gradient: noiseVector(P, 20 + step), factor: factorOfNoise(40 + step) }),
    );
    ({ parameters, state } = result);
    all.push(parameters);
  }
  return all;
}

const difference = (a: Float64Array, b: Float64Array): number => norm2(a.map((value, i) => value - b[i]));

const ALL: Record<string, () => Optimizer> = {
  sgd: () => createOptimizer('sgd'),
  adam: () => createOptimizer('adam'),
  ngd: () => createOptimizer('ngd'),
  tngd: () => createOptimizer('tngd', { delay: 0.5 }, exactSolver()),
  'tngd-adam': () => createOptimizer('tngd-adam', {}, exactSolver()),
};

describe.each(Object.entries(ALL))('%s', (_, create) => {
  it('is pure: the same arguments give the same bits and stay as they are', async () => {
    const optimizer = create();
    const { state } = await optimizer.update(optimizer.init(P), request());
    const copy = structuredClone({ state, request: request({ step: 1 }) });
    const again = request({ step: 1 });
    const first = await optimizer.update(state, again);
    const second = await optimizer.update(state, again);
    expect(second).toEqual(first);
    expect({ state, request: again }).toEqual(copy);
  });

  it('has settings that survive JSON and state that is arrays and finite numbers', async () => {
    const optimizer = create();
    expect(JSON.parse(JSON.stringify(optimizer.settings))).toBeTruthy();
    const { state } = await optimizer.update(optimizer.init(P), request());
    expect(Object.values(state.numbers).every(Number.isFinite)).toBe(true);
    expect(Object.values(state.arrays).every((array) => array instanceof Float64Array)).toBe(true);
  });

  it('ends in DIVERGED rather than in parameters that are not finite', async () => {
    const optimizer = create();
    const gradient = noiseVector(P, 2).fill(Number.POSITIVE_INFINITY, 3, 4);
    await expect(optimizer.update(optimizer.init(P), request({ gradient }))).rejects.toMatchObject({
      code: 'DIVERGED',
    });
  });
});

describe('sgd', () => {
  it('is v ← μv + g, θ ← θ − ηv with η falling linearly to 0', async () => {
    const [mu, eta] = [0.8, 0.3];
    const found = await trajectory(createOptimizer('sgd', { momentum: mu, rate: eta }), 4);
    let theta: Float64Array = noiseVector(P, 1);
    let v: Float64Array = new Float64Array(P);
    for (let step = 0; step < 4; step++) {
      const g = noiseVector(P, 20 + step);
      v = v.map((value, i) => mu * value + g[i]);
      theta = theta.map((value, i) => value - eta * (1 - step / 10) * v[i]);
      expect(difference(found[step], theta)).toBeLessThan(1e-14);
    }
  });

  it('shortens the step to the clip and keeps its direction and its velocity', async () => {
    const clipped = createOptimizer('sgd', { rate: 5, clip: 0.25 });
    const free = createOptimizer('sgd', { rate: 5 });
    const { parameters, state } = await clipped.update(clipped.init(P), request());
    const unclipped = await free.update(free.init(P), request());
    const [start, short, long] = [request().parameters, parameters, unclipped.parameters];
    const step = start.map((value, i) => value - short[i]);
    const freeStep = start.map((value, i) => value - long[i]);
    expect(norm2(step)).toBeCloseTo(0.25, 12);
    expect(step[4] / step[9]).toBeCloseTo(freeStep[4] / freeStep[9], 10);
    expect(state).toEqual(unclipped.state);
  });
});

describe('adam', () => {
  it('takes a first step of η · sign(g), whatever the gradient’s size', async () => {
    const optimizer = createOptimizer('adam', { rate: 0.01 });
    const { parameters } = await optimizer.update(optimizer.init(P), request());
    const { parameters: start, gradient } = request();
    for (let i = 0; i < P; i++)
      expect(start[i] - parameters[i]).toBeCloseTo(0.01 * Math.sign(gradient[i]), 7);
  });

  it('is the published recurrence', async () => {
    const [eta, beta1, beta2] = [0.02, 0.9, 0.99];
    const found = await trajectory(createOptimizer('adam', { rate: eta, beta1, beta2 }), 3);
    let theta = noiseVector(P, 1)[0];
    let [m, v] = [0, 0];
    for (let step = 0; step < 3; step++) {
      const g = noiseVector(P, 20 + step)[0];
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g ** 2;
      const mHat = m / (1 - beta1 ** (step + 1));
      const vHat = v / (1 - beta2 ** (step + 1));
      theta -= (eta * (1 - step / 10) * mHat) / (Math.sqrt(vHat) + 1e-8);
      expect(found[step][0]).toBeCloseTo(theta, 14);
    }
  });
});

describe('ngd', () => {
  it('solves (KᵀK + λI)x = g: Woodbury agrees with the dense Cholesky solve', () => {
    for (const damping of [1e-3, 0.3, 10]) {
      const { gradient } = request();
      const factor = factorOfNoise(3);
      const decomposition = cholesky(formDense(factor, damping));
      expect(decomposition.ok).toBe(true);
      if (!decomposition.ok) return;
      const dense = choleskySolve(decomposition.factor, gradient);
      expect(difference(naturalGradient(factor, damping, gradient), dense) / norm2(dense)).toBeLessThan(
        1e-10,
      );
    }
  });

  it('is g/λ where there is no curvature', () => {
    const { gradient } = request();
    const x = naturalGradient(matrix(M, P), 0.5, gradient);
    expect(
      difference(
        x,
        gradient.map((g) => g / 0.5),
      ),
    ).toBe(0);
  });
});

describe('tngd', () => {
  const relaxing = (options: OptimizerOptions, solver: LinearSolver = exactSolver()): Optimizer =>
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

  it('with kept state and no curvature is momentum e^(−λt)', async () => {
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

  it('with a delay goes on relaxing to the old problem before the next one', async () => {
    const solver = exactSolver();
    const delayed = relaxing({ time: 1, delay: 0.5 }, solver);
    const longer = relaxing({ time: 1.5 });
    const undelayed = relaxing({ time: 1 });
    const first = await delayed.update(delayed.init(P), request());
    expect(first.parameters).toEqual((await undelayed.update(undelayed.init(P), request())).parameters);
    const kept = (await longer.update(longer.init(P), request())).state.arrays['solution'];
    expect(difference(first.state.arrays['solution'], kept)).toBeLessThan(1e-12);
    await delayed.update(first.state, request({ step: 9 }));
    // Nothing follows the last of ten steps, so the board has nothing to wait for.
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
    const growing = (x: number): LinearSolver => {
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

describe('createOptimizer', () => {
  const bad = (
    name: Parameters<typeof createOptimizer>[0],
    options: OptimizerOptions,
    solver?: LinearSolver,
  ): unknown => {
    try {
      return createOptimizer(name, options, solver);
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  it.each<[string, Parameters<typeof createOptimizer>[0], OptimizerOptions]>([
    ['a rate of zero', 'sgd', { rate: 0 }],
    ['a rate that is no number', 'sgd', { rate: Number.NaN }],
    ['an infinite rate', 'adam', { rate: Number.POSITIVE_INFINITY }],
    ['a momentum of one', 'sgd', { momentum: 1 }],
    ['β₂ = 1', 'adam', { beta2: 1 }],
    ['a clip of zero', 'tngd', { clip: 0 }],
    ['a negative damping', 'tngd', { damping: -0.1 }],
    ['no damping in exact ngd', 'ngd', { damping: 0 }],
    ['a negative time', 'tngd', { time: -1 }],
    ['an unknown starting point', 'tngd', { initial: 'last' as never }],
    ['a delay that nothing keeps', 'tngd', { delay: 1, initial: 'zero' }],
    ['momentum for adam', 'adam', { momentum: 0.9 }],
    ['damping for sgd', 'sgd', { damping: 0.1 }],
  ])('refuses %s', (_, name, options) => {
    expect(bad(name, options, exactSolver())).toBe('BAD_ARGUMENT');
  });

  it('refuses tngd without a solver, or with one that knows the equilibrium only', () => {
    expect(bad('tngd', {})).toBe('BAD_ARGUMENT');
    expect(bad('tngd-adam', {}, { ...exactSolver(), canRelax: false })).toBe('UNSUPPORTED');
  });

  it('treats an option given as undefined as left out', () => {
    const options = { rate: undefined } as unknown as OptimizerOptions;
    expect(createOptimizer('sgd', options).settings).toEqual(createOptimizer('sgd').settings);
  });
});
