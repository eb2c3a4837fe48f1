import type { Matrix } from './matrix.js';
import { dotOfRows } from './products.js';

const SWEEPS_MAX = 100_000;
const CHANGE_MIN = 1e-14;

/**
 * The x that minimizes ½xᵀPx + qᵀx over l ≤ x ≤ u, by coordinate descent from `start`. The descent stops when
 * a sweep changes each entry of x by at most 1e-14 of the width of its interval. P is N×N symmetric positive
 * definite; vectors have length N.
 */
export function boxMinimum(
  { columns: n, data }: Matrix,
  linear: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  start: Float64Array,
): Float64Array<ArrayBuffer> {
  const x = Float64Array.from(start, (value, i) => Math.max(lower[i], Math.min(upper[i], value)));
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let change = 0;
    for (let i = 0; i < n; i++) {
      const slope = dotOfRows(data, i * n, x, 0, n) + linear[i];
      const next = Math.max(lower[i], Math.min(upper[i], x[i] - slope / data[i * n + i]));
      change = Math.max(change, Math.abs(next - x[i]) / (upper[i] - lower[i]));
      x[i] = next;
    }
    if (change <= CHANGE_MIN) break;
  }
  return x;
}
