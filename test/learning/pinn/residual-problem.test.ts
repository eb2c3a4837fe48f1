import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { burgers } from '../../../src/learning/pinn/burgers.js';
import type { Equation } from '../../../src/learning/pinn/equation.js';
import { heat } from '../../../src/learning/pinn/heat.js';
import { burgersPinn } from '../../../src/learning/pinn/pinn-problem.js';
import { poissonCube, poissonSquare } from '../../../src/learning/pinn/poisson.js';
import { ResidualProblem } from '../../../src/learning/pinn/residual-problem.js';
import { dot, matVec, matVecTransposed, norm2 } from '../../../src/linalg/products.js';

interface GoldenCase {
  readonly sizes: readonly number[];
  readonly residuals: readonly number[];
  readonly gradient: readonly number[];
  readonly jacobianTimesCosine: readonly number[];
  readonly frobenius: number;
}
const GOLDEN: Record<'poisson-2d' | 'heat' | 'burgers', GoldenCase> & {
  burgersSolution: readonly (readonly [number, number, number, number])[];
} = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));

const SMALL: Record<'poisson-2d' | 'heat' | 'burgers', Equation> = {
  'poisson-2d': poissonSquare(3),
  heat: heat(3),
  burgers: burgers({ grid: 3, boundaryCount: 2 }),
};
const EVERY: readonly Equation[] = [...Object.values(SMALL), poissonCube(3, 12, 8)];

/** Allows errors of 1e-12 of the largest value, because two programs round differently. */
function expectNear(got: ArrayLike<number>, wanted: readonly number[]): void {
  const scale = Math.max(...wanted.map(Math.abs));
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(got[i] - value)).toBeLessThan(1e-12 * scale);
  });
}

function parametersOf(problem: ResidualProblem): Float64Array {
  return Float64Array.from({ length: problem.parameterCount }, (_, i) => 0.8 * Math.sin(1.3 * i + 0.4));
}

describe('residuals and derivatives', () => {
  it.each(['poisson-2d', 'heat', 'burgers'] as const)('of %s are those of the Python program', (name) => {
    const golden = GOLDEN[name];
    const problem = new ResidualProblem(SMALL[name], golden.sizes.slice(1, -1));
    const parameters = parametersOf(problem);
    const { residuals, jacobian } = problem.linearise(parameters);
    expectNear(residuals, golden.residuals);
    const cosine = Float64Array.from({ length: problem.parameterCount }, (_, i) => Math.cos(i));
    expectNear(matVec(jacobian, cosine), golden.jacobianTimesCosine);
    expectNear(matVecTransposed(jacobian, residuals), golden.gradient);
    expect(norm2(jacobian.data) / golden.frobenius).toBeCloseTo(1, 12);
  });

  it.each(EVERY)('of $name agree with each other and with finite differences', (equation) => {
    const problem = new ResidualProblem(equation, [5, 4]);
    const parameters = problem.initial(7);
    const { residuals, jacobian } = problem.linearise(parameters);
    const { loss, gradient } = problem.lossAndGradient(parameters);
    expect(loss).toBeCloseTo(dot(residuals, residuals) / 2, 12);
    expect(problem.loss(parameters)).toBe(loss);
    expectNear(gradient, [...matVecTransposed(jacobian, residuals)]);
    const direction = Float64Array.from({ length: problem.parameterCount }, (_, i) => Math.sin(i * i));
    const step = 1e-5;
    const at = (sign: number): Float64Array =>
      problem.linearise(parameters.map((value, i) => value + sign * step * direction[i])).residuals;
    const [ahead, behind] = [at(1), at(-1)];
    const slope = ahead.map((value, i) => (value - behind[i]) / (2 * step));
    const predicted = matVec(jacobian, direction);
    const error = norm2(slope.map((value, i) => value - predicted[i]));
    expect(error).toBeLessThan(1e-7 * norm2(predicted));
  });
});

describe('the known solutions', () => {
  it('of the Burgers equation agree with another quadrature', () => {
    for (const [viscosity, t, x, value] of GOLDEN.burgersSolution)
      expect(burgers({ viscosity }).exact(Float64Array.of(t, x), 0)).toBeCloseTo(value, 9);
  });

  it.each([
    ['viscosity', 0.0009, '0.001 to 0.5'],
    ['viscosity', Number.NaN, '0.001 to 0.5'],
    ['grid', 0, '1 to 200'],
    ['boundaryCount', 2.5, '1 to 200'],
  ])('of the Burgers equation refuse the %s %d', (name, value, range) => {
    expect(() => burgersPinn({ [name]: value })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', message: expect.stringContaining(range) }),
    );
  });

  // Central differences with step 1e-3 leave an error of about 1e-6 times the fourth derivative.
  it.each([poissonSquare(4), heat(4), burgers({ grid: 4, boundaryCount: 3 }), poissonCube(3, 20, 8)])(
    'of $name fulfil their equation',
    (equation) => {
      const { interior, dimensions, along } = equation;
      const step = 1e-3;
      for (let i = 0; i < interior.count; i++) {
        const start = i * dimensions;
        const point = interior.coordinates.slice(start, start + dimensions);
        const moved = (k: number, by: number): number =>
          equation.exact(
            point.map((value, j) => value + (j === k ? by : 0)),
            0,
          );
        const value = equation.exact(point, 0);
        const jet = {
          value,
          first: Float64Array.from(along, (k) => (moved(k, step) - moved(k, -step)) / (2 * step)),
          second: Float64Array.from(along, (k) => (moved(k, step) - 2 * value + moved(k, -step)) / step ** 2),
        };
        const partials = {
          value: 0,
          first: new Float64Array(along.length),
          second: new Float64Array(along.length),
        };
        expect(Math.abs(equation.residual(i, jet, partials))).toBeLessThan(2e-3);
      }
    },
  );

  it('has the relative error 1 for parameters of zero', () => {
    const problem = new ResidualProblem(heat(4), [3]);
    expect(problem.relativeError(new Float64Array(problem.parameterCount))).toBe(1);
  });
});
