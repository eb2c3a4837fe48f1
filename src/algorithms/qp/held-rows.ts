import { type Matrix, matrix } from '../../linalg/matrix.js';
import {
  nullBasis,
  type PivotedQr,
  pivotedQr,
  shortestCombination,
  shortestWithImage,
} from '../../linalg/pivoted-qr.js';
import { dot, matVec, matVecTransposed, norm2, normInf, subtract, sum } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { type BoardWork, isOfSystem } from './board-work.js';
import type { PrimalDual } from './kkt.js';

/** A reduced gradient is solved to this residual. */
const ENOUGH = { tolerance: 1e-9 };
/**
 * Added to the diagonal of ZᵀPZ, in units of the largest entry of P. Up to `PROXIMAL_MAX` solves remove its
 * effect.
 */
const DAMPING = 1e-9;
const PROXIMAL_MAX = 4;
const GRADIENT_MIN = 1e-13;

/** 1: the upper bound of a row (or an equality) holds; −1: its lower bound; 0: neither. */
export type Side = -1 | 0 | 1;

/** Rows of A that count as equalities. */
export interface HeldRows {
  /** Numbers of the rows. */
  readonly rows: readonly number[];
  /** The bound at which each of these rows is held. */
  readonly bounds: Float64Array<ArrayBuffer>;
  /** The rows as columns, n×k. */
  readonly columns: Matrix;
  readonly qr: PivotedQr;
}

export function isEquality({ lower, upper }: QuadraticProgram, i: number): boolean {
  return Number.isFinite(upper[i]) && upper[i] - lower[i] <= 1e-12 * Math.max(1, Math.abs(upper[i]));
}

/** Factors the rows whose side is not 0. */
export function hold({ constraints, lower, upper }: QuadraticProgram, sides: readonly Side[]): HeldRows {
  const n = constraints.columns;
  const rows = sides.flatMap((side, i) => (side === 0 ? [] : [i]));
  const columns = matrix(n, rows.length);
  for (const [k, row] of rows.entries())
    for (let j = 0; j < n; j++) columns.data[j * rows.length + k] = constraints.data[row * n + j];
  const bounds = Float64Array.from(rows, (row) => (sides[row] > 0 ? upper[row] : lower[row]));
  return { rows, bounds, columns, qr: pivotedQr(columns) };
}

/** The minimum on the held rows, and its multipliers; undefined if the board cannot find it. */
export async function restIn(
  { hessian, linear, lower }: QuadraticProgram,
  { rows, bounds, columns, qr }: HeldRows,
  x: Float64Array,
  work: BoardWork,
): Promise<PrimalDual | undefined> {
  let at = sum(x, shortestWithImage(qr, subtract(bounds, matVecTransposed(columns, x))));
  const basis = nullBasis(qr);
  const gradient = (): Float64Array<ArrayBuffer> => sum(matVec(hessian, at), linear);
  if (basis.columns > 0) {
    try {
      const solve = work.solver(reduced(hessian, basis));
      for (let k = 0; k < PROXIMAL_MAX; k++) {
        const slope = gradient();
        const drive = matVecTransposed(basis, slope).map((value) => -value);
        if (norm2(drive) <= GRADIENT_MIN * (1 + norm2(slope) + norm2(linear))) break;
        at = sum(at, matVec(basis, await solve(drive, ENOUGH)));
      }
    } catch (error) {
      if (isOfSystem(error)) return undefined;
      throw error;
    }
  }
  const combination = shortestCombination(
    qr,
    gradient().map((value) => -value),
  );
  const y = new Float64Array(lower.length);
  for (const [k, row] of rows.entries()) y[row] = combination[k];
  return { x: at, y };
}

/** ZᵀPZ + δI. */
function reduced(hessian: Matrix, basis: Matrix): Matrix {
  const [n, k] = [basis.rows, basis.columns];
  const columns = Array.from({ length: k }, (_, j) =>
    Float64Array.from({ length: n }, (__, i) => basis.data[i * k + j]),
  );
  const images = columns.map((column) => matVec(hessian, column));
  const h = matrix(k, k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      const value = dot(columns[i], images[j]);
      h.data[i * k + j] = value;
      h.data[j * k + i] = value;
    }
  const damping = DAMPING * (normInf(hessian.data) || 1);
  for (let i = 0; i < k; i++) h.data[i * k + i] += damping;
  return h;
}
