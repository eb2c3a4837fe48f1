import { describe, expect, it } from 'vitest';
import { createCholeskySolver } from '../../../src/algorithms/cholesky-solver.js';
import type { RelaxationSolver } from '../../../src/algorithms/contract.js';
import type { ThermolinkError } from '../../../src/errors.js';
import type { Optimizer } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { naturalGradient } from '../../../src/learning/optimizers/ngd.js';
import type { OptimizerOptions } from '../../../src/learning/optimizers/registry.js';
import { cholesky, choleskySolve } from '../../../src/linalg/cholesky.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { formDense, norm2 } from '../../../src/linalg/products.js';
import { exactSolver } from '../../support/exact-solver.js';
import { noiseVector } from '../../support/network-examples.js';
import { difference, factorOfNoise, M, P, request, trajectory } from '../../support/optimizer-steps.js';

const ALL: Record<string, () => Optimizer> = {
  sgd: () => createOptimizer('sgd'),
  adam: () => createOptimizer('adam'),
  'sign-sgd': () => createOptimizer('sign-sgd'),
  rmsprop: () => createOptimizer('rmsprop'),
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

  it('ends in DIVERGED instead of parameters that are not finite', async () => {
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

  it('is g/λ if there is no curvature', () => {
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

describe('sign-sgd and rmsprop', () => {
  it('sign-sgd steps by the sign of the running mean of gradients', async () => {
    const [eta, mu] = [0.02, 0.7];
    const found = await trajectory(createOptimizer('sign-sgd', { rate: eta, momentum: mu }), 3);
    const theta: Float64Array = noiseVector(P, 1);
    const v = new Float64Array(P);
    for (let step = 0; step < 3; step++) {
      const g = noiseVector(P, 20 + step);
      for (let i = 0; i < P; i++) {
        v[i] = mu * v[i] + (1 - mu) * g[i];
        theta[i] -= eta * (1 - step / 10) * Math.sign(v[i]);
      }
      expect(difference(found[step], theta)).toBeLessThan(1e-14);
    }
  });

  it('rmsprop is Adam without its running mean of gradients', async () => {
    const options = { rate: 0.02, beta2: 0.9 };
    const adam = await trajectory(createOptimizer('adam', { ...options, beta1: 0 }), 4);
    expect(await trajectory(createOptimizer('rmsprop', options), 4)).toEqual(adam);
  });
});

describe('a falling damping', () => {
  it.each(['ngd', 'cg'] as const)(
    'falls geometrically for %s, and is constant if finalDamping is 1',
    async (name) => {
      const damping = 0.4;
      const optimizer = createOptimizer(name, { damping, finalDamping: 0.01, rate: 1, clip: 1e9 });
      const constant = createOptimizer(name, { damping, rate: 1, clip: 1e9 });
      const same = createOptimizer(name, { damping, finalDamping: 1, rate: 1, clip: 1e9 });
      const step = 5;
      const asked = request({ step });
      const at = createOptimizer(name, { damping: damping * 0.1, rate: 1, clip: 1e9 });
      const parametersOf = async (one: Optimizer) => (await one.update(one.init(P), asked)).parameters;
      // After half of the steps the damping is multiplied by √0.01, the square root of finalDamping.
      expect(difference(await parametersOf(optimizer), await parametersOf(at))).toBeLessThan(1e-10);
      expect(await parametersOf(same)).toEqual(await parametersOf(constant));
    },
  );

  it('is used by the relaxation of tngd too', async () => {
    const solver = exactSolver();
    await trajectory(createOptimizer('tngd', { damping: 0.4, finalDamping: 0.01 }, solver), 6);
    const dampings = solver.calls.map(({ system }) => (system as { damping: number }).damping);
    dampings.forEach((value, step) => {
      expect(value).toBeCloseTo(0.4 * 0.01 ** (step / 10), 12);
    });
  });
});

describe('createOptimizer', () => {
  const bad = (
    name: Parameters<typeof createOptimizer>[0],
    options: OptimizerOptions,
    solver?: RelaxationSolver,
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
    ['a delay without a kept state', 'tngd', { delay: 1, initial: 'zero' }],
    ['a time far beyond the equilibrium', 'tngd', { time: 81, damping: 0.5 }],
    ['a delay far beyond the equilibrium', 'tngd-adam', { delay: 1e6 }],
    ['momentum for adam', 'adam', { momentum: 0.9 }],
    ['damping for sgd', 'sgd', { damping: 0.1 }],
  ])('refuses %s', (_, name, options) => {
    expect(bad(name, options, exactSolver())).toBe('BAD_ARGUMENT');
  });

  it('takes any time without damping, and up to 40/λ with it', () => {
    expect(bad('tngd', { time: 80, damping: 0.5 }, exactSolver())).toMatchObject({ name: 'tngd' });
    expect(bad('tngd', { time: 1e9, damping: 0 }, exactSolver())).toMatchObject({ name: 'tngd' });
  });

  it('refuses tngd without a solver, or with one that knows the equilibrium only', () => {
    expect(bad('tngd', {})).toBe('BAD_ARGUMENT');
    expect(bad('tngd-adam', {}, createCholeskySolver() as never)).toBe('UNSUPPORTED');
  });

  it('says which form of tngd has a given option', () => {
    const refused = (options: OptimizerOptions): string => {
      try {
        createOptimizer('tngd', options, exactSolver());
      } catch (error) {
        const { message, hint } = error as ThermolinkError;
        return `${message} ${hint}`;
      }
      return '';
    };
    expect(refused({ average: 0.5 })).toBe('tngd has the option average only with ticks. Give `ticks` too.');
    expect(refused({ ticks: 64, time: 1 })).toBe(
      'tngd has the option time only without ticks. Leave `ticks` out.',
    );
  });

  it('treats an option with the value undefined as left out', () => {
    const options = { rate: undefined } as unknown as OptimizerOptions;
    expect(createOptimizer('sgd', options).settings).toEqual(createOptimizer('sgd').settings);
  });
});
