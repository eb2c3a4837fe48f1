import { describe, expect, it } from 'vitest';
import { type RandomSource, randomSource } from '../../src/linalg/random.js';
import { covarianceDeviations, meanDeviations } from '../../src/testing/gaussian-check.js';
import '../../src/testing/matchers.js';

const CELLS = 5;
const MEAN = Float64Array.from({ length: CELLS }, (_, i) => i - 2);
/** x_i = 2 (z_i + ½ z_{i+1}): variance 5, covariance 2 with both neighbours. */
const COVARIANCE = Float64Array.from({ length: CELLS * CELLS }, (_, at) => {
  const apart = Math.abs(Math.floor(at / CELLS) - (at % CELLS));
  return apart === 0 ? 5 : apart === 1 || apart === CELLS - 1 ? 2 : 0;
});

/** Samples of that Gaussian that are correlated in time. */
function samplesOf(count: number, memory: number, random: RandomSource): Float64Array {
  const samples = new Float64Array(count * CELLS);
  const z = Float64Array.from({ length: CELLS }, () => random.normal());
  for (let t = 0; t < count; t++) {
    if (t > 0)
      for (let i = 0; i < CELLS; i++) z[i] = memory * z[i] + Math.sqrt(1 - memory * memory) * random.normal();
    for (let i = 0; i < CELLS; i++) samples[t * CELLS + i] = MEAN[i] + 2 * (z[i] + 0.5 * z[(i + 1) % CELLS]);
  }
  return samples;
}

const source = (seed: number): RandomSource => randomSource({ seed, stream: 9999 });
const changed = (values: Float64Array, at: number, value: number): Float64Array => values.with(at, value);

describe('samples of the expected distribution', () => {
  it.each([
    [16, 0],
    [50, 0],
    [300, 0.6],
  ])('fail as often as the rate says: %d samples with a memory of %d', expectRate);
  it.each([[1000, 0.3]])(
    'fail as often as the rate says: %d samples with a memory of %d',
    { tags: 'long' },
    expectRate,
  );

  function expectRate(count: number, memory: number): void {
    const random = source(count);
    let [means, covariances] = [0, 0];
    for (let trial = 0; trial < 200; trial++) {
      const samples = samplesOf(count, memory, random);
      if ((meanDeviations(samples, MEAN, 0.05) ?? []).length > 0) means++;
      if ((covarianceDeviations(samples, COVARIANCE, 0.05) ?? []).length > 0) covariances++;
    }
    // At most 10 of 200 trials raise an alarm on average. More than 24 alarms come once in 25,000 such tests.
    expect(means).toBeLessThanOrEqual(24);
    expect(covariances).toBeLessThanOrEqual(24);
  }

  it('pass the matchers', () => {
    const samples = samplesOf(2000, 0.3, source(1));
    // Each matcher fails for one of a million random seeds.
    expect(samples).toHaveSampleMean(MEAN, { rate: 1e-6 });
    expect(samples).toHaveSampleCovariance(COVARIANCE, { rate: 1e-6 });
    expect(samples).toBeSamplesOf({ mean: MEAN, covariance: COVARIANCE }, { rate: 1e-6 });
  });
});

describe('samples of another distribution', () => {
  const samples = samplesOf(4000, 0.3, source(2));

  it('fail, and the message names the cell and the size', () => {
    expect(samples).not.toHaveSampleMean(changed(MEAN, 3, 1.5), { rate: 1e-6 });
    expect(() => expect(samples).toHaveSampleMean(changed(MEAN, 3, 1.5), { rate: 1e-6 })).toThrow(
      /mean of cell 3: expected 1\.5\d*, found (1\.0|0\.9)\d+ \(chance/,
    );
    expect(() => expect(samples).toHaveSampleCovariance(changed(COVARIANCE, 0, 6.5), { rate: 1e-6 })).toThrow(
      /variance of cell 0: expected 6\.5\d*, found [45]\.\d+/,
    );
    const other = changed(changed(COVARIANCE, 1, 0.5), CELLS, 0.5);
    expect(() => expect(samples).toHaveSampleCovariance(other, { rate: 1e-6 })).toThrow(
      /correlation of cells 0, 1: expected 0\.1\d*, found 0\.(3|4)\d*/,
    );
    expect(samples).not.toBeSamplesOf({ mean: MEAN, covariance: other }, { rate: 1e-6 });
  });
});

describe('samples that can not be judged', () => {
  it('fail if there are too few, or if all are equal', () => {
    const few = samplesOf(10, 0, source(3));
    expect(() => expect(few).toHaveSampleMean(MEAN, { rate: 0.01 })).toThrow(/too few/);
    const frozen = new Float64Array(100 * CELLS).fill(1);
    expect(frozen).not.toHaveSampleMean(MEAN, { rate: 0.01 });
    expect(frozen).not.toHaveSampleCovariance(COVARIANCE, { rate: 0.01 });
  });

  it('are refused: wrong shapes, NaN, a rate that is not a probability', () => {
    expect(() => meanDeviations(new Float64Array(7), MEAN, 0.01)).toThrow(
      /^samples\.length is 7; it must be a multiple of 5, and above 0\.$/,
    );
    expect(() => meanDeviations(new Float64Array(10).fill(Number.NaN), MEAN, 0.01)).toThrow(/samples\[0\]/);
    expect(() => meanDeviations(new Float64Array(100), MEAN, 0)).toThrow(/rate/);
    expect(() => covarianceDeviations(new Float64Array(100), new Float64Array(24), 0.01)).toThrow(
      /^covariance\.length is 24; it must be N × N for N cells\.$/,
    );
    expect(() => covarianceDeviations(new Float64Array(100), new Float64Array(25), 0.01)).toThrow(/above 0/);
  });
});
