import { findProfile } from '../../../emulator/index.js';
import { connect } from '../../../src/connect.js';
import { type Characterization, characterize } from '../../../src/measure/characterize.js';
import { quantitiesOf } from '../../../src/measure/quantities.js';
import { dieTruth } from './die-truth.js';

/** Number of readings with noise. It is enough for estimates, but not for single codes. */
const SAMPLES = 4000;

export async function measure(
  uri: string,
  seed: number,
  crosspointsPerRow: number,
  samples = SAMPLES,
): Promise<Characterization> {
  const device = await connect(uri);
  try {
    return await characterize(device, { seed, samples, crosspointsPerRow });
  } finally {
    await device.close();
  }
}

/**
 * (estimate − truth) / standard error of everything that is measured on these dies of a board type, by
 * quantity.
 */
export async function deviations(
  profileName: string,
  dieSeeds: readonly number[],
  crosspointsPerRow: number,
  samples = SAMPLES,
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  const note = (key: string, z: number) => {
    if (!Number.isFinite(z)) return;
    const known = found.get(key) ?? [];
    found.set(key, known);
    known.push(z);
  };
  for (const dieSeed of dieSeeds) {
    const measured = await measure(
      `emulator:${profileName}?die=${dieSeed}`,
      dieSeed,
      crosspointsPerRow,
      samples,
    );
    const truth = dieTruth({ profile: findProfile(profileName)!, dieSeed });
    for (const { key, estimates } of quantitiesOf(measured))
      for (const [i, value] of estimates.values.entries())
        note(key, (value - truth.cells[key][i]) / estimates.standardErrors[i]);
    const { couplings } = measured;
    if (couplings === undefined) continue;
    for (const [k, row] of couplings.rows.entries()) {
      const error = couplings.errors.values[k] - truth.couplingError(row, couplings.columns[k]);
      note('coupling', error / couplings.errors.standardErrors[k]);
    }
  }
  return found;
}

/** Mean of squares: 1 if the standard errors are honest. */
export function meanSquare(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}
