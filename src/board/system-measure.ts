import type { DenseSystem, FactoredSystem, LinearSystem } from '../linalg/linear-system.js';
import { measuredRows } from '../linalg/matrix-kernel/matrix-room.js';

/** What one pass over a system's entries tells. */
export interface SystemMeasure {
  /** max |K_ri| or max |A_ij|, in units of K or A. */
  readonly largestEntry: number;
  /** max_r Σ_i |K_ri| or |A_ri|. */
  readonly rowSumMax: number;
  /** Provable bound σ ≥ λ_max: ‖K‖_F² + λ, or min(‖A‖_F, largest row sum of |A|). */
  readonly eigenvalueBound: number;
  /** Provable bound ≤ λ_min: λ of a factored system, Gershgorin's of a dense one, never below 0. */
  readonly eigenvalueFloor: number;
}

/**
 * One pass over the entries, O(mN) or O(N²). An entry that is not finite, or whose square is not, makes
 * `eigenvalueBound` not finite: the caller checks that instead of every entry (this is the training path).
 */
export function measureSystem(system: LinearSystem): SystemMeasure {
  if (system.kind === 'dense') return measureDense(system);
  return measureFactor(system);
}

function measureFactor({ factor, damping }: FactoredSystem): SystemMeasure {
  const { rows, columns, data } = factor;
  const measured = measuredRows(factor);
  let largestEntry = 0;
  let rowSumMax = 0;
  let sumOfSquares = 0;
  for (let r = 0; r < rows; r++) {
    const [largest, sum, squares] =
      measured?.subarray(3 * r, 3 * r + 3) ?? measureRow(data, r * columns, columns);
    largestEntry = Math.max(largestEntry, largest);
    rowSumMax = Math.max(rowSumMax, sum);
    sumOfSquares += squares;
  }
  // Squares that underflow must not pass for a factor of zeros, which is legal.
  const squares = largestEntry > 0 ? Math.max(sumOfSquares, Number.MIN_VALUE) : 0;
  return { largestEntry, rowSumMax, eigenvalueBound: squares + damping, eigenvalueFloor: damping };
}

/**
 * Largest magnitude, sum of magnitudes and of squares, two entries at a time: one sum alone would wait for
 * itself.
 */
function measureRow(data: Float64Array, start: number, length: number): [number, number, number] {
  let high = 0;
  let even = 0;
  let odd = 0;
  let evenSquares = 0;
  let oddSquares = 0;
  const whole = length - (length % 2);
  for (let i = start; i < start + whole; i += 2) {
    const a = Math.abs(data[i]);
    const b = Math.abs(data[i + 1]);
    if (a > high) high = a;
    if (b > high) high = b;
    even += a;
    odd += b;
    evenSquares += a * a;
    oddSquares += b * b;
  }
  const rest = whole < length ? Math.abs(data[start + whole]) : 0;
  return [Math.max(high, rest), even + odd + rest, evenSquares + oddSquares + rest * rest];
}

function measureDense({ matrix }: DenseSystem): SystemMeasure {
  const { columns, data } = matrix;
  let largest = 0;
  let sumOfSquares = 0;
  let rowSumMax = 0;
  let floor = Infinity;
  for (let i = 0; i < matrix.rows; i++) {
    let rowSum = 0;
    for (let j = 0; j < columns; j++) {
      const magnitude = Math.abs(data[i * columns + j]);
      if (magnitude > largest) largest = magnitude;
      rowSum += magnitude;
      sumOfSquares += magnitude * magnitude;
    }
    rowSumMax = Math.max(rowSumMax, rowSum);
    const diagonal = data[i * columns + i];
    floor = Math.min(floor, diagonal - (rowSum - Math.abs(diagonal)));
  }
  return {
    largestEntry: largest,
    rowSumMax,
    // Squares of tiny entries underflow; the bound is never below the largest entry, and must not seem to be
    // 0.
    eigenvalueBound: Math.max(largest, Math.min(Math.sqrt(sumOfSquares), rowSumMax)),
    eigenvalueFloor: Math.max(0, floor),
  };
}
