import { diagonalOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';

/**
 * A diagonal within this factor is left alone. Scaling would gain little, because the codes of a board can
 * represent such entries together.
 */
const EVEN_RATIO = 16;
/** A diagonal with a smaller entry is left alone, because its products would underflow. */
const DIAGONAL_MIN = 1e-50;

/**
 * The weights w of a symmetric scaling Â = W A W with W = diag(w), which makes the diagonal even: each Â_ii
 * lies between half and twice the smallest A_ii. Then A x = b is Â y = W b with x = W y.
 *
 * The unknowns of A may have different units, for example metres and radians. A board has one scale for all
 * cells, and after this scaling one scale is enough. Each w_i is a power of two of at most 1, so no product
 * with it is rounded.
 *
 * All weights are 1 for a diagonal within a factor of 16, for one that is not positive, and for a factored
 * system with damping. (W λI W would be a different damping for each cell, and a board has one damping for
 * all cells.)
 *
 * Source: van der Sluis, Numer. Math. 14 (1969): a scaling to an equal diagonal has at most N times the
 * condition number of the best diagonal scaling.
 */
export function diagonalWeights(system: LinearSystem): Float64Array<ArrayBuffer> {
  const diagonal = diagonalOf(system);
  const weights = new Float64Array(diagonal.length).fill(1);
  if (system.kind === 'factored' && system.damping > 0) return weights;
  let smallest = Infinity;
  let largest = 0;
  for (const entry of diagonal) {
    smallest = Math.min(smallest, entry);
    largest = Math.max(largest, entry);
  }
  if (!(smallest >= DIAGONAL_MIN && largest > EVEN_RATIO * smallest)) return weights;
  for (let i = 0; i < weights.length; i++)
    while (diagonal[i] * weights[i] * weights[i] >= 2 * smallest) weights[i] /= 2;
  return weights;
}

/** W A W of a dense system; KW of a factored one, whose damping must be 0. Powers of two keep it exact. */
export function weightedSystem(system: LinearSystem, weights: Float64Array): LinearSystem {
  if (system.kind === 'factored')
    return { ...system, factor: weightedMatrix(system.factor, undefined, weights) };
  return { kind: 'dense', matrix: weightedMatrix(system.matrix, weights, weights) };
}

function weightedMatrix(
  { rows, columns, data }: Matrix,
  rowWeights: Float64Array | undefined,
  columnWeights: Float64Array,
): Matrix {
  const out = matrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    const rowWeight = rowWeights?.[i] ?? 1;
    for (let j = 0; j < columns; j++)
      out.data[i * columns + j] = data[i * columns + j] * rowWeight * columnWeights[j];
  }
  return out;
}

/** W v. */
export function weighted(v: Float64Array, weights: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(v, (value, i) => value * weights[i]);
}

/** W⁻¹ v. */
export function unweighted(v: Float64Array, weights: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(v, (value, i) => value / weights[i]);
}
