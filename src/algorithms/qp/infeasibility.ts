import { type Matrix, matrix } from '../../linalg/matrix.js';
import { nullBasis, pivotedQr } from '../../linalg/pivoted-qr.js';
import { dot, matVec, matVecTransposed, normInf } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { InfeasibilityCertificate } from './contract.js';

/** A direction is projected only if the sum that should be 0 is at most this share of its terms. */
const PROPOSED = 1e-3;
/** After the projection the sum must be at most this share of its terms, which is rounding. */
const PROVED = 1e-10;
/** The value that has to be negative must be at least this share of the sum of its terms, in size. */
const VALUE_MIN = 1e-6;

/**
 * Shows that no x is feasible, from a difference v [m] of multipliers: Aᵀv = 0 and uᵀv₊ + lᵀv₋ < 0. The
 * difference is only near such a direction. So its small entries are set to 0, the rest is projected onto Aᵀv
 * = 0, and the result is checked up to rounding. Undefined if the check fails.
 *
 * Source: Banjac et al., J. Optim. Theory Appl. 183 (2019); the projection is this project's own.
 */
export function primalCertificate(
  program: QuadraticProgram,
  difference: Float64Array,
): InfeasibilityCertificate | undefined {
  const { constraints } = program;
  const size = normInf(difference);
  if (!(size > 1e-12 && size < Infinity)) return undefined;
  const proposed = difference.map((value, i) => {
    const scaled = value / size;
    const bound = scaled > 0 ? program.upper[i] : program.lower[i];
    return Math.abs(scaled) > PROPOSED && Number.isFinite(bound) ? scaled : 0;
  });
  if (imageShare(constraints, proposed) > 10 * PROPOSED) return undefined;
  const rows = [...proposed.keys()].filter((i) => proposed[i] !== 0);
  const n = constraints.columns;
  const used = matrix(rows.length, n);
  for (const [k, row] of rows.entries())
    used.data.set(constraints.data.subarray(row * n, (row + 1) * n), k * n);
  const projected = ontoNull(
    used,
    Float64Array.from(rows, (row) => proposed[row]),
  );
  const direction = new Float64Array(proposed.length);
  for (const [k, row] of rows.entries()) direction[row] = projected[k];
  return provedPrimal(program, normalized(direction));
}

function provedPrimal(
  { constraints, lower, upper }: QuadraticProgram,
  direction: Float64Array<ArrayBuffer>,
): InfeasibilityCertificate | undefined {
  let value = 0;
  let terms = 0;
  for (let i = 0; i < direction.length; i++) {
    if (direction[i] === 0) continue;
    const term = direction[i] * (direction[i] > 0 ? upper[i] : lower[i]);
    value += term;
    terms += Math.abs(term);
  }
  // An absent bound makes the sum infinite, so it proves nothing.
  if (!(terms < Infinity) || !(value < -VALUE_MIN * terms)) return undefined;
  if (imageShare(constraints, direction) > PROVED) return undefined;
  return { direction, violation: normInf(matVecTransposed(constraints, direction)), value };
}

/** max |Aᵀv|, divided by the largest sum of its terms. */
function imageShare({ rows, columns, data }: Matrix, v: Float64Array): number {
  let share = 0;
  for (let j = 0; j < columns; j++) {
    let total = 0;
    let terms = 0;
    for (let i = 0; i < rows; i++) {
      total += data[i * columns + j] * v[i];
      terms += Math.abs(data[i * columns + j] * v[i]);
    }
    if (terms > 0) share = Math.max(share, Math.abs(total) / terms);
  }
  return share;
}

/**
 * Shows that the objective has no lower bound, from a difference v [n] of iterates: Pv = 0, qᵀv < 0, and Av
 * points only in directions in which there is no bound. Rows that v hardly moves count as not moved. v is
 * projected onto this condition and onto Pv = 0, and checked up to rounding. The proof assumes that some x is
 * feasible. Source: as `primalCertificate`.
 */
export function dualCertificate(
  program: QuadraticProgram,
  difference: Float64Array,
): InfeasibilityCertificate | undefined {
  const { hessian, linear, constraints, lower, upper } = program;
  const size = normInf(difference);
  if (!(size > 1e-12 && size < Infinity)) return undefined;
  const proposed = difference.map((value) => value / size);
  if (dot(linear, proposed) >= -PROPOSED * normInf(linear)) return undefined;
  if (normInf(matVec(hessian, proposed)) > PROPOSED * normInf(hessian.data)) return undefined;
  const rowNorms = normsOf(constraints);
  const image = matVec(constraints, proposed);
  const closed = [...image.keys()].filter((i) => upper[i] < Infinity || lower[i] > -Infinity);
  const excess = (i: number, value: number): number =>
    Math.max(upper[i] < Infinity ? value : 0, lower[i] > -Infinity ? -value : 0) / (rowNorms[i] || 1);
  if (closed.some((i) => excess(i, image[i]) > PROPOSED)) return undefined;
  const still = closed.filter((i) => Math.abs(image[i]) <= PROPOSED * rowNorms[i]);
  const direction = normalized(ontoNull(heldBy(program, still, rowNorms), proposed));
  const moved = matVec(constraints, direction);
  const curved = normInf(matVec(hessian, direction));
  const outside = Math.max(0, ...closed.map((i) => excess(i, moved[i])));
  const value = dot(linear, direction);
  const terms = linear.reduce((total, q, j) => total + Math.abs(q * direction[j]), 0);
  if (curved > PROVED * normInf(hessian.data) || outside > PROVED || !(value < -VALUE_MIN * terms))
    return undefined;
  return { direction, violation: Math.max(curved, outside), value };
}

/** The columns of P and of the rows that do not move, each of length 1: n×k. */
function heldBy(
  { hessian, constraints }: QuadraticProgram,
  still: readonly number[],
  rowNorms: Float64Array,
): Matrix {
  const n = hessian.rows;
  const norms = normsOf(hessian);
  const curved = [...norms.keys()].filter((i) => norms[i] > 0);
  const moved = still.filter((i) => rowNorms[i] > 0);
  const k = curved.length + moved.length;
  const held = matrix(n, k);
  for (let j = 0; j < n; j++) {
    for (const [at, i] of curved.entries()) held.data[j * k + at] = hessian.data[i * n + j] / norms[i];
    for (const [at, i] of moved.entries())
      held.data[j * k + curved.length + at] = constraints.data[i * n + j] / rowNorms[i];
  }
  return held;
}

/** The part of v that is orthogonal to all columns of E: Z Zᵀ v. */
function ontoNull(e: Matrix, v: Float64Array): Float64Array<ArrayBuffer> {
  const basis = nullBasis(pivotedQr(e));
  return matVec(basis, matVecTransposed(basis, v));
}

function normsOf({ rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) =>
    Math.hypot(...data.subarray(i * columns, (i + 1) * columns)),
  );
}

function normalized(v: Float64Array): Float64Array<ArrayBuffer> {
  const size = normInf(v) || 1;
  return Float64Array.from(v, (value) => value / size);
}
