import { describe, expect, it } from 'vitest';
import {
  heisenbergChain,
  isingChain,
  type VariationalEnergy,
} from '../../../src/learning/quantum/variational-energy.js';
import { matVec, matVecTransposed, normInf, subtract } from '../../../src/linalg/products.js';
import { normalVector, problemRandom } from '../../support/solver-problems.js';

const RINGS: readonly [string, VariationalEnergy][] = [
  ['ising', isingChain({ sites: 6, chains: 4000, sweeps: 4 })],
  ['heisenberg', heisenbergChain({ sites: 6, chains: 4000, sweeps: 4 })],
];

/** Parameters of size 0.3, at which nothing is close to linear. */
const parametersOf = (problem: VariationalEnergy): Float64Array =>
  normalVector(problemRandom(5), problem.parameterCount).map((value) => 0.3 * value);

describe('ground energies', () => {
  it('agree with the published ones', () => {
    expect(isingChain({ sites: 16 }).groundEnergy).toBeCloseTo(-20.404594, 6);
    expect(heisenbergChain({ sites: 12 }).groundEnergy).toBeCloseTo(-21.549564, 6);
    expect(heisenbergChain({ sites: 8 }).groundEnergy).toBeCloseTo(4 * -3.6510934, 6);
  });

  it('are below the energies of states with other parameters', () => {
    for (const [, problem] of RINGS) {
      const { energy, energyError } = problem.test(parametersOf(problem), 0);
      expect(energy).toBeGreaterThan(problem.groundEnergy!);
      expect(energyError).toBeGreaterThan(0);
    }
  });
});

describe.each(RINGS)('the %s ring by Monte Carlo', (_, problem) => {
  const parameters = parametersOf(problem);
  const point = { parameters, state: problem.initialState!(7), step: 0, totalSteps: 1, seed: 7 };
  const { first, factor } = problem.evaluate(point);
  if (first instanceof Promise) throw new Error('a sampler needs no thread');
  const { loss, gradient, measures } = first;

  // There are 4000 chains with 20 sweeps. A normal number exceeds 5 standard errors once in 1.7 million
  // tests.
  it('estimates the energy within five standard errors', () => {
    const { energy } = problem.test(parameters, 0);
    expect(Math.abs(loss - energy)).toBeLessThan(5 * Math.sqrt(measures!.variance / 4000));
  });

  it('its gradient is the derivative of the exact energy', () => {
    const direction = normalVector(problemRandom(6), problem.parameterCount);
    const shifted = (sign: number): number =>
      problem.test(
        parameters.map((value, p) => value + sign * 1e-4 * direction[p]),
        0,
      )['energy'];
    const expected = (shifted(1) - shifted(-1)) / 2e-4;
    const estimated = gradient.reduce((sum, g, p) => sum + g * direction[p], 0);
    // The standard error of 2·mean(e·d). Here e is the excess energy, and d is the projection of O − Ō on the
    // direction.
    const k = factor();
    const projections = matVec(k, direction).map((value) => value * Math.sqrt(4000));
    const scatter = 2 * normInf(projections) * Math.sqrt(measures!.variance / 4000);
    expect(Math.abs(estimated - expected)).toBeLessThan(5 * scatter);
    expect(Math.abs(expected)).toBeGreaterThan(scatter);
  });

  it('estimates its energy at other parameters from the same samples', () => {
    const { lossAt, first: here } = problem.evaluate(point);
    expect(lossAt!(parameters)).toBeCloseTo((here as typeof first).loss, 10);
    const direction = normalVector(problemRandom(9), problem.parameterCount);
    const shifted = parameters.map((value, p) => value + 0.02 * direction[p]);
    const exact = problem.test(shifted, 0)['energy'];
    // At least half of the 4000 samples count, and their variance is about that at the first parameters. The
    // limit is five standard errors.
    expect(Math.abs(lossAt!(shifted) - exact)).toBeLessThan(5 * Math.sqrt((2 * measures!.variance) / 2000));
    expect(Math.abs(exact - loss)).toBeGreaterThan(0);
    const far = parameters.map((value, p) => value + 5 * direction[p]);
    expect(lossAt!(far)).toBe(Infinity);
  });

  it('its factor has centered columns', () => {
    const k = factor();
    const sums = matVecTransposed(k, new Float64Array(k.rows).fill(1));
    expect(normInf(sums)).toBeLessThan(1e-9);
    expect([k.rows, k.columns]).toEqual([problem.curvatureRows, problem.parameterCount]);
  });

  it('the same point gives the same bits, and another seed others', () => {
    const again = problem.evaluate(point).first as typeof first;
    expect(subtract(again.gradient, gradient).every((value) => value === 0)).toBe(true);
    const other = problem.evaluate({ ...point, seed: 8 }).first as typeof first;
    expect(other.loss).not.toBe(loss);
  });
});
