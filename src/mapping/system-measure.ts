import type { DenseSystem, LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';

/** What one pass over a system's entries tells. */
export interface SystemMeasure {
  /** max |K_ri| or max |A_ij|. */
  readonly largestEntry: number;
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
  const { largest, sumOfSquares } = scanFactor(system.factor);
  return {
    largestEntry: largest,
    eigenvalueBound: sumOfSquares + system.damping,
    eigenvalueFloor: system.damping,
  };
}

function scanFactor({ data }: Matrix): { largest: number; sumOfSquares: number } {
  let low = 0;
  let high = 0;
  let even = 0;
  let odd = 0;
  const whole = data.length - (data.length % 2);
  for (let i = 0; i < whole; i += 2) {
    const a = data[i];
    const b = data[i + 1];
    if (a > high) high = a;
    if (a < low) low = a;
    if (b > high) high = b;
    if (b < low) low = b;
    even += a * a;
    odd += b * b;
  }
  const rest = whole < data.length ? data[whole] : 0;
  return { largest: Math.max(high, -low, Math.abs(rest)), sumOfSquares: even + odd + rest * rest };
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
    eigenvalueBound: Math.min(Math.sqrt(sumOfSquares), rowSumMax),
    eigenvalueFloor: Math.max(0, floor),
  };
}
