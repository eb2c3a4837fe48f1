import type { DenseSystem, FactoredSystem, LinearSystem } from '../linalg/linear-system.js';
import { FastMatrix } from '../linalg/matrix.js';

/** Bounds that are found by one pass over the entries of a system. */
export interface SystemMeasure {
  /** max |K_ri| or max |A_ij|, in units of K or A. */
  readonly largestEntry: number;
  /** max_r Σ_i |K_ri| or |A_ri|. */
  readonly rowSumMax: number;
  /** Upper bound σ of λ_max, in units of A: ‖K‖_F² + λ, or min(‖A‖_F, largest row sum of |A|). */
  readonly eigenvalueBound: number;
  /**
   * Lower bound of λ_min, in units of A and at least 0: λ of a factored system, Gershgorin's bound of a dense
   * one.
   */
  readonly eigenvalueFloor: number;
}

/**
 * Measures a system in one pass over its entries, O(mN) or O(N²). If an entry or its square is not finite,
 * `eigenvalueBound` is not finite. Training checks this bound instead of every entry.
 */
export function measureSystem(system: LinearSystem): SystemMeasure {
  if (system.kind === 'dense') return measureDense(system);
  return measureFactor(system);
}

function measureFactor({ factor, damping }: FactoredSystem): SystemMeasure {
  const { rows, columns } = factor;
  const measured = factor instanceof FastMatrix ? factor.measuredRows() : undefined;
  let largestEntry = 0;
  let rowSumMax = 0;
  let sumOfSquares = 0;
  for (let r = 0; r < rows; r++) {
    const [largest, sum, squares] =
      measured?.subarray(3 * r, 3 * r + 3) ?? measureRow(factor.data, r * columns, columns);
    largestEntry = Math.max(largestEntry, largest);
    rowSumMax = Math.max(rowSumMax, sum);
    sumOfSquares += squares;
  }
  // Squares may underflow to 0, but only a factor of zeros may have a bound of 0. Comparisons do not notice
  // an entry that is NaN, but the sum of squares does.
  const squares = largestEntry > 0 ? Math.max(sumOfSquares, Number.MIN_VALUE) : sumOfSquares;
  return { largestEntry, rowSumMax, eigenvalueBound: squares + damping, eigenvalueFloor: damping };
}

/**
 * Largest magnitude, sum of magnitudes and sum of squares of a row. Two sums run in parallel, because each
 * addition to a single sum would wait for the one before.
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
    // Squares of tiny entries underflow to 0. The bound is therefore never below the largest entry.
    eigenvalueBound: Math.max(largest, Math.min(Math.sqrt(sumOfSquares), rowSumMax)),
    eigenvalueFloor: Math.max(0, floor),
  };
}
