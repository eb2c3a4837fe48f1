import { checkObject } from '../argument-checks.js';
import type { Characterization } from './characterize.js';
import { type Estimates, summarize } from './estimates.js';
import { type Quantity, quantitiesOf } from './quantities.js';

/** A spread is real if it is more than this multiple of the standard error of the estimates. */
const REAL_SPREAD = 2;

/** A cell, and the quantity in which it differs most from the other cells of its board. */
export interface Outlier {
  readonly cell: number;
  readonly quantity: Quantity;
  /** (value − mean of the board) / spread of the board: a ratio. */
  readonly deviation: number;
}

/** Root mean square of the measured coupling errors of every row; NaN for a row without measured errors. */
export function couplingErrorOfRows({ couplings, identity }: Characterization): Float64Array {
  const counts = new Float64Array(identity.cells);
  const squares = new Float64Array(identity.cells);
  for (const [k, row] of couplings?.rows.entries() ?? []) {
    const error = couplings!.errors.values[k];
    if (!Number.isFinite(error)) continue;
    counts[row]++;
    squares[row] += error * error;
  }
  return squares.map((sum, row) => Math.sqrt(sum / counts[row]));
}

/**
 * All measured cells, in the order of their largest deviation. A deviation is in units of the spread of its
 * quantity. A quantity whose spread is hardly larger than the errors of the estimates does not count. Errors:
 * BAD_ARGUMENT.
 */
export function worstCells(measured: Characterization): Outlier[] {
  checkObject(
    'measured',
    measured,
    'await characterize(device, { seed: 0, samples: 20000, crosspointsPerRow: 16 })',
  );
  const scores = quantitiesOf(measured).map((quantity) => ({
    quantity,
    deviations: deviationsOf(quantity.estimates, quantity.nominal),
  }));
  const outliers: Outlier[] = [];
  for (let cell = 0; cell < measured.identity.cells; cell++) {
    const own = scores
      .map(({ quantity, deviations }) => ({ cell, quantity, deviation: deviations[cell] }))
      .filter(({ deviation }) => Number.isFinite(deviation))
      .sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation));
    if (own.length > 0) outliers.push(own[0]);
  }
  return outliers.sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation) || a.cell - b.cell);
}

function deviationsOf(estimates: Estimates, nominal: number): Float64Array {
  const { mean, spread, standardError } = summarize(estimates, nominal);
  const isReal = spread > REAL_SPREAD * standardError;
  return estimates.values.map((value) => (isReal ? (value - mean) / spread : Number.NaN));
}
