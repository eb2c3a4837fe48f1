import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/index.js';
import { drawSamples } from '../../../src/algorithms/sample.js';
import type { BoardCalibration } from '../../../src/board/calibration.js';
import { connect } from '../../../src/connect.js';
import { cholesky, choleskySolve } from '../../../src/linalg/cholesky.js';
import type { Matrix } from '../../../src/linalg/matrix.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { randomProblem, rootMeanSquare } from '../../support/one-pass.js';

const CELLS = 8;

function inverseOf(p: Matrix): Float64Array {
  const outcome = cholesky(p);
  if (!outcome.ok) throw new Error('bug: not positive definite');
  return Float64Array.from({ length: CELLS * CELLS }, (_, k) => {
    const unit = new Float64Array(CELLS);
    unit[k % CELLS] = 1;
    return choleskySolve(outcome.factor, unit)[Math.floor(k / CELLS)];
  });
}

/**
 * ‖C − P⁻¹‖_F/‖P⁻¹‖_F, where C has the second moments about 0. An offset would therefore also increase it.
 */
function covarianceError({ data, rows }: Matrix, wanted: Float64Array): number {
  const sums = new Float64Array(CELLS * CELLS);
  for (let s = 0; s < rows; s++)
    for (let i = 0; i < CELLS; i++)
      for (let j = 0; j < CELLS; j++) sums[i * CELLS + j] += data[s * CELLS + i] * data[s * CELLS + j];
  const off = Array.from(sums, (sum, k) => sum / rows - wanted[k]);
  return rootMeanSquare(off) / rootMeanSquare([...wanted]);
}

interface CovarianceErrors {
  readonly uncalibrated: number;
  readonly calibrated: number;
}

/** Root mean squares over the dies. */
async function errorsOn(
  board: string,
  dies: readonly number[],
  count: number,
  samples: number,
): Promise<CovarianceErrors> {
  const before: number[] = [];
  const after: number[] = [];
  for (const die of dies) {
    const device = await connect(`emulator:${board}?die=${die}`);
    const { calibration } = await calibrate(device, { seed: die, samples });
    const { system } = randomProblem(500 + die, CELLS, 10, 'log-uniform', 'b');
    const wanted = inverseOf(system.matrix);
    const draw = (known: { calibration?: BoardCalibration }) =>
      drawSamples(device, { precision: system, count, address: { seed: die, step: 0, block: 0 }, ...known });
    const uncalibrated = await draw({});
    const calibrated = await draw({ calibration });
    expect([uncalibrated.isCovarianceKnown, calibrated.isCovarianceKnown]).toEqual([false, true]);
    before.push(covarianceError(uncalibrated.draws, wanted));
    after.push(covarianceError(calibrated.draws, wanted));
    await device.close();
  }
  return { uncalibrated: rootMeanSquare(before), calibrated: rootMeanSquare(after) };
}

// The covariance of 5,000 exact draws has an error of 3.5 %, which varies by ± 1.2 % for one die and by ± 0.7
// % for three dies. The calibration of temperatures leaves an error of 1.4 %. With random seeds the limits of
// 7.5 % and 5.5 % would be exceeded less than once in a hundred times.
it('calibrated draws have the covariance P⁻¹, which uncalibrated ones miss by far', () =>
  expectCovariances([1], 0.075));

it('calibrated draws of three dies have the covariance P⁻¹ too', { tags: 'long' }, () =>
  expectCovariances([1, 2, 3], 0.055),
);

async function expectCovariances(dies: readonly number[], most: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  try {
    // The noise of these cells differs so much that few draws are enough to show it.
    const profile = findProfile('prototype-8')!;
    const noiseMismatch = { spreadPpm: 100_000, source: 'test' };
    const inputOffset = { spreadPpm: 20_000, source: 'test' };
    const file = join(directory, 'board.json');
    // Common-mode noise is left out. It is small and slow to emulate.
    const effects = { ...profile.effects, noiseMismatch, inputOffset, commonModeNoise: null };
    writeFileSync(file, JSON.stringify({ ...profile, effects }));
    const { uncalibrated, calibrated } = await errorsOn(`file=${file}`, dies, 5000, 10_000);
    expect(uncalibrated).toBeGreaterThan(0.12);
    expect(calibrated).toBeLessThan(most);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Measures the figure of docs/how-to/calibrate.md. It takes minutes and is started by hand:
 *
 *   CALIBRATED_DRAWS=200000 npx vitest run test/measure/calibration/draws.test.ts
 */
const count = Number(process.env['CALIBRATED_DRAWS'] ?? '0');
describe.skipIf(count === 0)('prototype-8', () => {
  it('covariance', { timeout: 900_000 }, async () => {
    const { uncalibrated, calibrated } = await errorsOn('prototype-8', [1, 2, 3], count, 20_000);
    const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
    console.log(`covariance error: ${percent(uncalibrated)}, calibrated ${percent(calibrated)}`);
    expect(uncalibrated).toBeGreaterThan(2 * calibrated);
  });
});
