import { describe, expect, it } from 'vitest';
import { lineSearch } from '../../../src/learning/optimizers/line-search.js';
import { type QuasiNewtonName, quasiNewton } from '../../../src/learning/optimizers/quasi-newton.js';
import { heat } from '../../../src/learning/pinn/heat.js';
import { ResidualProblem } from '../../../src/learning/pinn/residual-problem.js';
import type { Trial } from '../../../src/learning/problem/contract.js';
import { dot } from '../../../src/linalg/products.js';

/** Rosenbrock's valley in pairs of coordinates; its minimum is 0 at (1, 1, …). */
const valley: Trial = {
  loss: (x) => valley.lossAndGradient(x).loss,
  lossAndGradient(x) {
    let loss = 0;
    const gradient = new Float64Array(x.length);
    for (let i = 0; i < x.length; i += 2) {
      const bend = x[i + 1] - x[i] ** 2;
      loss += 100 * bend ** 2 + (1 - x[i]) ** 2;
      gradient[i] = -400 * x[i] * bend - 2 * (1 - x[i]);
      gradient[i + 1] = 200 * bend;
    }
    return { loss, gradient };
  },
};

/** The loss is quadratic, with the curvatures 1, 3, … 2187 along the axes. */
const curvatures = Float64Array.from({ length: 8 }, (_, i) => 3 ** i);
const bowl: Trial = {
  loss: (x) => bowl.lossAndGradient(x).loss,
  lossAndGradient(x) {
    const gradient = x.map((value, i) => curvatures[i] * value);
    return { loss: dot(x, gradient) / 2, gradient };
  },
};

async function descend(
  name: QuasiNewtonName,
  trial: Trial,
  start: Float64Array,
  steps: number,
): Promise<{ parameters: Float64Array; losses: number[] }> {
  const optimizer = quasiNewton(name, { memory: 10 });
  let parameters = start;
  let state = optimizer.init(start.length);
  const losses = [trial.loss(start)];
  for (let step = 0; step < steps; step++) {
    const { gradient } = trial.lossAndGradient(parameters);
    const asked = { parameters, gradient, factor: undefined, trial, step, totalSteps: steps, seed: 1 };
    ({ parameters, state } = await optimizer.update(state, asked));
    losses.push(trial.loss(parameters));
  }
  return { parameters, losses };
}

describe.each(['lbfgs', 'bfgs'] as const)('%s', (name) => {
  it('finds the end of a bent valley, and never raises the loss', async () => {
    const { parameters, losses } = await descend(name, valley, Float64Array.of(-1.2, 1, 0.5, -2), 100);
    for (const value of parameters) expect(value).toBeCloseTo(1, 6);
    for (let step = 1; step < losses.length; step++)
      expect(losses[step]).toBeLessThanOrEqual(losses[step - 1]);
  });

  it('minimises a quadratic loss of condition 2187', async () => {
    const { losses } = await descend(name, bowl, new Float64Array(8).fill(1), 60);
    expect(losses[60]).toBeLessThan(1e-9 * losses[0]);
  });

  it('reduces the loss of a heat equation a hundredfold', async () => {
    const problem = new ResidualProblem(heat(6), [8]);
    const { losses } = await descend(name, problem, problem.initial(2), 120);
    expect(losses[120]).toBeLessThan(1e-2 * losses[0]);
  });

  it('does not move from a minimum', async () => {
    const { parameters } = await descend(name, valley, Float64Array.of(1, 1), 3);
    expect([...parameters]).toEqual([1, 1]);
  });
});

// SciPy 1.17.1's L-BFGS-B has this loss after 24 iterations on the same bowl, with memory 10.
it('lbfgs takes the steps of SciPy', async () => {
  const { losses } = await descend('lbfgs', bowl, new Float64Array(8).fill(1), 24);
  expect(losses[24] / 0.13406924730555247).toBeCloseTo(1, 9);
});

describe('a line search', () => {
  it('meets the strong Wolfe conditions from first lengths of any size', () => {
    const parameters = Float64Array.of(-1.2, 1);
    const start = { parameters, ...valley.lossAndGradient(parameters) };
    const direction = start.gradient.map((value) => -value);
    const slope = dot(start.gradient, direction);
    for (const length of [1e-6, 1e-4, 1e-3, 0.1, 1, 100]) {
      const end = lineSearch(valley, start, direction, length);
      expect(end).toBeDefined();
      if (end === undefined) continue;
      const step = (end.parameters[0] - parameters[0]) / direction[0];
      expect(end.loss).toBeLessThanOrEqual(start.loss + 1e-4 * step * slope);
      expect(Math.abs(dot(end.gradient, direction))).toBeLessThanOrEqual(-0.9 * slope);
    }
  });

  it('does not end on the steep far side of a valley', () => {
    for (const power of [4, 9])
      for (let length = 0.05; length < 8; length *= 1.07) {
        // The slope of −t + tⁿ/n is −1 at 0. Beyond the minimum at 1 the slope soon has a larger magnitude.
        const slopeAt = (t: number): number => t ** (power - 1) - 1;
        const walled: Trial = {
          loss: ([t]) => t ** power / power - t,
          lossAndGradient: (x) => ({ loss: walled.loss(x), gradient: Float64Array.of(slopeAt(x[0])) }),
        };
        const parameters = Float64Array.of(0);
        const start = { parameters, ...walled.lossAndGradient(parameters) };
        const end = lineSearch(walled, start, Float64Array.of(1), length);
        expect(end?.loss).toBeLessThanOrEqual(-1e-4 * end!.parameters[0]);
        expect(Math.abs(slopeAt(end!.parameters[0])), `first length ${length}`).toBeLessThanOrEqual(0.9);
      }
  });

  it('refuses a direction that does not descend, and recovers from losses that are not finite', () => {
    const parameters = Float64Array.of(2, 1);
    const start = { parameters, ...valley.lossAndGradient(parameters) };
    expect(lineSearch(valley, start, start.gradient, 1)).toBeUndefined();
    const walled: Trial = {
      loss: (x) => walled.lossAndGradient(x).loss,
      lossAndGradient: (x) =>
        x[0] < 1
          ? { loss: Number.NaN, gradient: new Float64Array(2).fill(Number.NaN) }
          : valley.lossAndGradient(x),
    };
    const down = start.gradient.map((value) => -value);
    const end = lineSearch(walled, start, down, 1);
    expect(end?.loss).toBeLessThan(start.loss);
  });
});
