import { type Matrix, matrix } from './matrix.js';
import { matVec, matVecTransposed } from './products.js';

/** A symmetric positive definite A that is given entry by entry: `matrix` is N×N. */
export interface DenseSystem {
  readonly kind: 'dense';
  readonly matrix: Matrix;
}

/**
 * A = KᵀK + λI given by its factor: `factor` K is m×N, `damping` λ ≥ 0. A is never formed. λ has the units of
 * A.
 */
export interface FactoredSystem {
  readonly kind: 'factored';
  readonly factor: Matrix;
  readonly damping: number;
}

/** A symmetric positive definite A, given in one of two forms. */
export type LinearSystem = DenseSystem | FactoredSystem;

/** N, the number of unknowns. */
export function dimensionOf(system: LinearSystem): number {
  return system.kind === 'dense' ? system.matrix.columns : system.factor.columns;
}

/** A x, by one product with A or two with K; x and the result have length N. */
export function applySystem(
  system: LinearSystem,
  x: Float64Array,
  out: Float64Array<ArrayBuffer> = new Float64Array(dimensionOf(system)),
): Float64Array<ArrayBuffer> {
  if (system.kind === 'dense') return matVec(system.matrix, x, out);
  matVecTransposed(system.factor, matVec(system.factor, x), out);
  for (let i = 0; i < out.length; i++) out[i] += system.damping * x[i];
  return out;
}

/** A + λI with λ = `damping`. */
export function dampedSystem(system: LinearSystem, damping: number): LinearSystem {
  if (system.kind === 'factored') return { ...system, damping: system.damping + damping };
  const { rows, columns, data } = system.matrix;
  const out = matrix(rows, columns, Float64Array.from(data));
  for (let i = 0; i < columns; i++) out.data[i * columns + i] += damping;
  return { kind: 'dense', matrix: out };
}

/** The diagonal of A, length N. */
export function diagonalOf(system: LinearSystem): Float64Array<ArrayBuffer> {
  const diagonal = new Float64Array(dimensionOf(system));
  if (system.kind === 'dense') {
    const { columns, data } = system.matrix;
    for (let i = 0; i < columns; i++) diagonal[i] = data[i * columns + i];
    return diagonal;
  }
  const { rows, columns, data } = system.factor;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < columns; i++) diagonal[i] += data[row * columns + i] ** 2;
  for (let i = 0; i < columns; i++) diagonal[i] += system.damping;
  return diagonal;
}

/** tr A. */
export function traceOf(system: LinearSystem): number {
  let trace = 0;
  if (system.kind === 'dense') {
    const { columns, data } = system.matrix;
    for (let i = 0; i < columns; i++) trace += data[i * columns + i];
    return trace;
  }
  for (const value of system.factor.data) trace += value * value;
  return trace + system.factor.columns * system.damping;
}
