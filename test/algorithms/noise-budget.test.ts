import { describe, expect, it } from 'vitest';
import {
  noiseOfStandardError,
  noiseResidualBound,
  quietestStandardError,
  wantedNoise,
} from '../../src/algorithms/solve/noise-budget.js';
import { nominalModel } from '../../src/board/board-model.js';
import { checkSystem } from '../../src/board/checked-system.js';
import type { Average } from '../../src/board/equilibrium-pass.js';
import { type EquilibriumPlan, planEquilibrium, plusDamping } from '../../src/board/equilibrium-plan.js';
import { matrix } from '../../src/linalg/matrix.js';
import { solverBoard } from '../support/solver-board.js';

const { identity } = solverBoard('ideal-8');

/** The plan of a diagonal system. Its eigenvalues are the entries, so every sum below has a closed form. */
function planOf(...diagonal: number[]): EquilibriumPlan {
  const n = diagonal.length;
  const a = matrix(n, n);
  for (const [i, entry] of diagonal.entries()) a.data[i * n + i] = entry;
  return planEquilibrium(checkSystem({ kind: 'dense', matrix: a }), identity, nominalModel(identity));
}

/** An average of 64 samples at the noise temperature κ. */
function averageOf(n: number, noiseTemperature: number, standardError = 0): Average {
  return {
    ...{ x: new Float64Array(n), rounding: new Float64Array(n), solutionScale: 2 ** -20, peak: 0.5 },
    ...{ samples: 64, noiseTemperature, standardError: new Float64Array(n).fill(standardError) },
    carryNoiseShare: 0,
  };
}

/** The number of samples, 1.5 time constants apart, that are worth one independent sample. */
const WORTH = (1 + Math.exp(-1.5)) / (1 - Math.exp(-1.5));

describe('the noise of an average', () => {
  it('explains a residual of one unknown up to 1 + √(2 ln 10⁶) standard deviations', () => {
    for (const eigenvalue of [0.5, 3]) {
      const kappa = 2;
      const deviation = Math.sqrt((kappa * WORTH * eigenvalue) / 64);
      const bound = noiseResidualBound(planOf(eigenvalue), averageOf(1, kappa));
      expect(bound / deviation).toBeCloseTo(1 + Math.sqrt(2 * Math.log(1e6)), 3);
    }
  });

  it('is taken from the measured noise if that is larger than the noise of the register', () => {
    const plan = planOf(3);
    const [measured, register] = [averageOf(1, 1e-12, 0.1), averageOf(1, (0.1 ** 2 * 3 * 64) / WORTH)];
    expect(noiseResidualBound(plan, measured) / noiseResidualBound(plan, register)).toBeCloseTo(1, 4);
  });

  it('must show at least a tenth of the variance of independent samples, κ tr(A⁻¹)/S', () => {
    expect(quietestStandardError(planOf(3), averageOf(1, 2))).toBeCloseTo(Math.sqrt(0.1 * (2 / 3 / 64)), 9);
    // Four equal unknowns have four times the variance of one. Of two unlike unknowns only the slower counts.
    expect(quietestStandardError(planOf(3, 3, 3, 3), averageOf(4, 2)) ** 2).toBeCloseTo(
      0.4 * (2 / 3 / 64),
      9,
    );
    expect(quietestStandardError(planOf(1, 900), averageOf(2, 2)) ** 2).toBeCloseTo(0.1 * (2 / 64), 3);
  });

  it('takes a quarter of the tolerance in the certificate, and half as much after each refused average', () => {
    const plan = planOf(2, 5, 11);
    for (const averages of [0, 1, 2]) {
      const kappa = wantedNoise(plan, 0.08, averages, 3);
      const proved = Math.sqrt((kappa * WORTH * 18) / plan.samplesMin) / plan.spectrum.eigenvalueMin;
      expect(proved / 3).toBeCloseTo(0.02 / 2 ** averages, 9);
    }
  });

  it('gives a standard error of a quarter of the tolerance on request', () => {
    const plan = planOf(5);
    for (const averages of [0, 1, 2]) {
      const kappa = noiseOfStandardError(plan, 0.08, averages, 3);
      const standardError = Math.sqrt((kappa * WORTH) / 5 / plan.samplesMin);
      expect(standardError / 3).toBeCloseTo(0.02 / 2 ** averages, 4);
    }
  });
});

it('a damping that is added later lowers tr A⁻¹ to at most N/(λ₋ + λ)', () => {
  const diagonal = [2, 5, 11];
  const plan = planOf(...diagonal);
  for (const damping of [0.1, 3, 80]) {
    const { inverseTrace, trace, eigenvalueMin, eigenvalueMax } = plusDamping(plan, damping).spectrum;
    const exact = diagonal.reduce((sum, entry) => sum + 1 / (entry + damping), 0);
    expect(inverseTrace).toBeLessThanOrEqual(3 / (1.9 + damping));
    // The estimate itself is right to a factor of two and a half.
    expect(inverseTrace).toBeGreaterThan(0.4 * exact);
    expect(trace).toBeCloseTo(18 + 3 * damping, 9);
    expect(eigenvalueMin).toBeCloseTo(2 + damping, 0);
    expect(eigenvalueMax).toBeCloseTo(11 + damping, 0);
  }
});
