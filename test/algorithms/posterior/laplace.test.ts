import { describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import {
  areaUnderRoc,
  entropies,
  meanProbabilities,
  scoreProbabilities,
} from '../../../src/algorithms/posterior/calibration-scores.js';
import {
  drawExactLaplace,
  drawLaplace,
  laplacePosterior,
} from '../../../src/algorithms/posterior/laplace.js';
import { type Matrix, matrix } from '../../../src/linalg/matrix.js';
import { randomSource } from '../../../src/linalg/random.js';
import { inverseOf } from '../../../src/linalg/woodbury.js';
import { SolverBoard } from '../../support/solver-board.js';

const address = { seed: 9, step: 0, block: 0 };
const [outputs, inputs, count] = [3, 4, 60];

function layer() {
  const random = randomSource({ seed: 5, stream: 0 });
  const features = matrix(count, inputs);
  for (let k = 0; k < features.data.length; k++)
    features.data[k] = k % inputs === inputs - 1 ? 1 : random.normal();
  const weights = matrix(outputs, inputs);
  for (let k = 0; k < weights.data.length; k++) weights.data[k] = random.normal();
  return { weights, features, probabilities: meanProbabilities(features, [weights]) };
}

const posterior = laplacePosterior(layer(), 2);

/** The covariance of the weights of all networks, row by row, about the trained weights. */
function covarianceOf(networks: readonly Matrix[]): Matrix {
  const size = outputs * inputs;
  const out = matrix(size, size);
  for (const { data } of networks)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        out.data[i * size + j] +=
          ((data[i] - posterior.weights.data[i]) * (data[j] - posterior.weights.data[j])) / networks.length;
  return out;
}

/** G⁻¹ ⊗ A⁻¹ of the factors A and G, which are computed here from their formulas. */
function expectedCovariance(): Matrix {
  const { features, probabilities } = layer();
  const root = Math.sqrt(count);
  const a = matrix(inputs, inputs);
  const g = matrix(outputs, outputs);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < inputs; j++)
        a.data[i * inputs + j] += (features.data[k * inputs + i] * features.data[k * inputs + j]) / root;
    const p = probabilities.data.subarray(k * outputs, (k + 1) * outputs);
    for (let c = 0; c < outputs; c++)
      for (let d = 0; d < outputs; d++)
        g.data[c * outputs + d] += ((c === d ? p[c] : 0) - p[c] * p[d]) / root;
  }
  for (let i = 0; i < inputs; i++) a.data[i * inputs + i] += Math.SQRT2;
  for (let c = 0; c < outputs; c++) g.data[c * outputs + c] += Math.SQRT2;
  const [ia, ig] = [inverseOf(a)!, inverseOf(g)!];
  const size = outputs * inputs;
  const out = matrix(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      out.data[i * size + j] =
        ig.data[Math.floor(i / inputs) * outputs + Math.floor(j / inputs)] *
        ia.data[(i % inputs) * inputs + (j % inputs)];
  return out;
}

function distance(a: Matrix, b: Matrix): number {
  const square = (values: Float64Array) => values.reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(square(a.data.map((entry, k) => entry - b.data[k])) / square(b.data));
}

// The covariance S of n exact draws has a mean ‖S − C‖²/‖C‖² of (1 + (tr C)²/‖C‖²)/n, which is (5.1 %)² for
// 3,000 draws of this covariance. The bound is twice that distance. By an estimate, not a measurement, fewer
// than 1 of 10⁵ random seeds exceed the bound.
describe.each([
  ['the host', async () => drawExactLaplace(posterior, 3000, address)],
  [
    'an ideal board',
    async () => {
      const board = new SolverBoard(findProfile('ideal-8')!);
      return (await drawLaplace(board, { posterior, networks: 3000, address })).networks;
    },
  ],
])('networks drawn by %s', (_, draw) => {
  it('have the covariance G⁻¹ ⊗ A⁻¹', async () => {
    expect(distance(covarianceOf(await draw()), expectedCovariance())).toBeLessThan(0.1);
  });
});

it('refuses shapes that do not fit and numbers that are not finite', () => {
  const { features } = layer();
  expect(() => laplacePosterior({ ...layer(), features: matrix(2, inputs) }, 1)).toThrow(/do not fit/);
  expect(() => laplacePosterior(layer(), 0)).toThrow(/priorPrecision/);
  const broken = matrix(
    count,
    inputs,
    features.data.map((entry, k) => (k === 5 ? Number.NaN : entry)),
  );
  expect(() => laplacePosterior({ ...layer(), features: broken }, 1)).toThrow(/NaN/);
});

describe('scores', () => {
  it('agree with a case that was counted by hand', () => {
    const probabilities = matrix(4, 2, Float64Array.of(0.9, 0.1, 0.9, 0.1, 0.4, 0.6, 0.25, 0.75));
    const { accuracy, logLoss, calibrationError } = scoreProbabilities(probabilities, [0, 1, 1, 1]);
    expect(accuracy).toBe(0.75);
    expect(logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1) + Math.log(0.6) + Math.log(0.75)) / 4, 9);
    // The bins have the width 1/15. Their confidences are 0.9 twice (one of the two is right), 0.6 and 0.75.
    expect(calibrationError).toBeCloseTo(0.5 * 0.4 + 0.25 * 0.4 + 0.25 * 0.25, 12);
    expect(entropies(probabilities)[2]).toBeCloseTo(-0.4 * Math.log(0.4) - 0.6 * Math.log(0.6), 9);
  });

  it('AUROC is the share of pairs in the right order, and a tie counts as half', () => {
    expect(areaUnderRoc(Float64Array.of(1, 2), Float64Array.of(2, 3))).toBe(7 / 8);
    expect(areaUnderRoc(Float64Array.of(1, 2), Float64Array.of(3))).toBe(1);
    expect(areaUnderRoc(Float64Array.of(3), Float64Array.of(1, 2))).toBe(0);
  });

  it('a higher temperature makes the probabilities more equal', () => {
    const features = matrix(1, 2, Float64Array.of(1, 0));
    const network = matrix(2, 2, Float64Array.of(4, 0, 0, 0));
    expect(meanProbabilities(features, [network]).data[0]).toBeCloseTo(1 / (1 + Math.exp(-4)), 12);
    expect(meanProbabilities(features, [network], 4).data[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
  });
});
