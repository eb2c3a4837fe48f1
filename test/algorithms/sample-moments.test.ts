import { describe, expect, it, type TestContext } from 'vitest';
import { drawSamples } from '../../src/algorithms/sample.js';
import { type MomentsResult, sampleMoments } from '../../src/algorithms/sample-moments.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import { ThermolinkError } from '../../src/errors.js';
import { matrix } from '../../src/linalg/matrix.js';
import { DEVICES } from '../device-contract/devices.js';
import { openTestBoard } from '../support/test-board.js';

const address = { seed: 7, step: 0, block: 0 };

/** The tridiagonal matrix with 2 on the diagonal and −½ beside it. Its condition number is below 3. */
function precision(n: number) {
  const p = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) p.data[i * n + j] = i === j ? 2 : Math.abs(i - j) === 1 ? -0.5 : 0;
  return { kind: 'dense', matrix: p } as const;
}

async function onBoard<T>(uri: string, work: (device: Device) => Promise<T>): Promise<T> {
  const device = await connect(uri);
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof ThermolinkError ? error.code : String(error)),
  );

describe('moments that the board adds up', () => {
  const count = 4000;

  it('are those of N(0, P⁻¹), with correct standard errors and effective sample sizes', async () => {
    const n = 8;
    const result = await onBoard('emulator:ideal-8', (device) =>
      sampleMoments(device, { precision: precision(n), count, address }),
    );
    expect(result).toMatchObject({ count, batches: 32, isCovarianceKnown: true });
    // P⁻¹ of the tridiagonal matrix in closed form by its determinants θ_k = 2θ_{k−1} − ¼θ_{k−2}.
    const theta = [1, 2];
    for (let k = 2; k <= n; k++) theta.push(2 * theta[k - 1] - theta[k - 2] / 4);
    const exact = (i: number, j: number) =>
      (0.5 ** Math.abs(i - j) * theta[Math.min(i, j)] * theta[n - 1 - Math.max(i, j)]) / theta[n];
    // Entries of a covariance have a variance of at most 2·(P⁻¹_ii)²/count, and means have P⁻¹_ii/count.
    // Neighbouring samples have a correlation of at most e⁻³, which multiplies these variances by 1.1. The
    // limit of the 44 numbers is six standard errors, which one of 10⁷ random seeds exceeds.
    for (let i = 0; i < n; i++) {
      expect(Math.abs(result.mean[i])).toBeLessThan(6 * Math.sqrt((1.1 * exact(i, i)) / count));
      for (let j = i; j < n; j++) {
        const bound = 6 * Math.sqrt((1.1 * 2 * exact(i, i) * exact(j, j)) / count);
        expect(Math.abs(result.covariance!.data[i * n + j] - exact(i, j))).toBeLessThan(bound);
      }
      expect(result.variance[i]).toBe(result.covariance!.data[i * n + i]);
      expect(result.effectiveSampleSize[i]).toBeCloseTo(result.variance[i] / result.standardError[i] ** 2, 6);
    }
    // The variance of 32 batch means has the standard error √(2/31). The sum over 8 cells is like χ² of 31 ·
    // 8 degrees of freedom, with a standard deviation of about √(2·248)/248 = 9 %. The bound is six standard
    // deviations, and allows correlations of at most 5 %.
    const share = [...result.effectiveSampleSize].reduce((sum, x) => sum + count / x, 0) / n;
    expect(Math.abs(share - 1)).toBeLessThan(6 * 0.09 + 0.11);
  });

  it('cost the bytes of their sums for any count, and draws cost 20 times as many bytes', async () => {
    const n = 16;
    const received = (work: (device: Device) => Promise<unknown>) =>
      openTestBoard('ideal-64').then(async ({ device, clock }) => {
        await clock.run(work(device));
        return device.linkCounters.bytesReceived;
      });
    const system = { precision: precision(n), address };
    const all = await received((device) => sampleMoments(device, { ...system, count }));
    const twice = await received((device) => sampleMoments(device, { ...system, count: 2 * count }));
    const means = await received((device) => sampleMoments(device, { ...system, count, covariance: false }));
    const draws = await received((device) => drawSamples(device, { ...system, count }));
    const overhead = 600;
    expect(all).toBeLessThan(32 * 4 * n + 8 * ((n * (n + 1)) / 2) + overhead);
    expect(Math.abs(twice - all)).toBeLessThan(overhead);
    expect(means).toBeLessThan(32 * 4 * n + 8 * n + overhead);
    expect(draws).toBeGreaterThan(2 * n * count);
    expect(draws / all).toBeGreaterThan(20);
  });

  it('are refused with the reason if the board cannot compute them', async () => {
    await onBoard('emulator:ideal-256', async (device) => {
      const system = { precision: precision(65), address, count };
      expect(await code(sampleMoments(device, { ...system, covariance: true }))).toBe('UNSUPPORTED');
      for (const wrong of [63, 100.5, Number.NaN, 32 * 65536])
        expect(await code(sampleMoments(device, { ...system, count: wrong }))).toBe('BAD_ARGUMENT');
      expect(device.linkCounters.framesSent).toBe(1);
      expect((await sampleMoments(device, { ...system, count: 64 })).covariance).toBeUndefined();
    });
  });
});

describe('the same moments', () => {
  const request = { precision: precision(6), count: 320, address };
  let expected: Promise<MomentsResult> | undefined;
  const inMemory = () =>
    (expected ??= onBoard('emulator:ideal-8?die=1', (device) => sampleMoments(device, request)));

  it.for(DEVICES.filter(({ profile }) => profile === 'ideal-8'))(
    'from $name',
    // The first test may have to compile the C device.
    { timeout: 240_000 },
    async (board, context: TestContext) => {
      const missing = board.missing();
      if (missing !== undefined && !process.env['CI']) context.skip(missing);
      const running = await board.start();
      try {
        const device = await Device.open(await running.open());
        const { mean, standardError, covariance } = await sampleMoments(device, request);
        await device.close();
        const { cost: _, ...rest } = await inMemory();
        expect({ mean, standardError, covariance }).toEqual({
          mean: rest.mean,
          standardError: rest.standardError,
          covariance: rest.covariance,
        });
      } finally {
        await running.end();
      }
    },
  );
});
