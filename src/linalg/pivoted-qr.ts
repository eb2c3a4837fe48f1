import { type Matrix, matrix } from './matrix.js';

/** E Π = Q R of an n×k matrix E: Q is n×n and orthogonal, R is upper triangular in its first `rank` rows. */
export interface PivotedQr {
  /**
   * Numerical rank: a column counts if its part orthogonal to the columns before is longer than 1e-9 of the
   * longest column.
   */
  readonly rank: number;
  /** Column j of R belongs to column order[j] of E. */
  readonly order: readonly number[];
  readonly q: Matrix;
  /** n×k. */
  readonly r: Matrix;
}

const RANK_TOLERANCE = 1e-9;

/**
 * Householder's factorisation with column pivoting, O(n²k). Source: Golub, Van Loan, "Matrix Computations",
 * 4th edition, algorithm 5.4.1.
 */
export function pivotedQr(e: Matrix): PivotedQr {
  const [n, k] = [e.rows, e.columns];
  const r = matrix(n, k, Float64Array.from(e.data));
  const q = matrix(n, n);
  for (let i = 0; i < n; i++) q.data[i * n + i] = 1;
  const order = Array.from({ length: k }, (_, j) => j);
  let longest = 0;
  let rank = 0;
  for (; rank < Math.min(n, k); rank++) {
    const { column, norm } = longestColumn(r, rank);
    longest = Math.max(longest, norm);
    if (norm <= RANK_TOLERANCE * longest) break;
    swapColumns(r, order, rank, column);
    const reflector = reflectorOf(r, rank, norm);
    reflectRows(r, reflector, rank);
    reflectColumns(q, reflector, rank);
  }
  return { rank, order, q, r };
}

/** Z, n×(n − rank), with orthonormal columns and EᵀZ = 0. */
export function nullBasis({ q, rank }: PivotedQr): Matrix {
  const n = q.rows;
  const z = matrix(n, n - rank);
  for (let i = 0; i < n; i++)
    for (let j = rank; j < n; j++) z.data[i * (n - rank) + j - rank] = q.data[i * n + j];
  return z;
}

/** The shortest x that fulfils the `rank` independent equations of Eᵀx = b; b has length k, x length n. */
export function shortestWithImage(
  { q, r, rank, order }: PivotedQr,
  b: Float64Array,
): Float64Array<ArrayBuffer> {
  const z = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let value = b[order[i]];
    for (let j = 0; j < i; j++) value -= r.data[j * r.columns + i] * z[j];
    z[i] = value / r.data[i * r.columns + i];
  }
  const x = new Float64Array(q.rows);
  for (let i = 0; i < q.rows; i++) for (let j = 0; j < rank; j++) x[i] += q.data[i * q.rows + j] * z[j];
  return x;
}

/** The shortest y among those that minimise ‖E y − g‖₂; g has length n, y length k. */
export function shortestCombination(qr: PivotedQr, g: Float64Array): Float64Array<ArrayBuffer> {
  const { q, r, rank, order } = qr;
  const [n, k] = [r.rows, r.columns];
  const image = new Float64Array(rank);
  for (let j = 0; j < rank; j++) for (let i = 0; i < n; i++) image[j] += q.data[i * n + j] * g[i];
  const transposed = matrix(k, rank);
  for (let i = 0; i < rank; i++)
    for (let j = 0; j < k; j++) transposed.data[j * rank + i] = r.data[i * k + j];
  const permuted = shortestWithImage(pivotedQr(transposed), image);
  const y = new Float64Array(k);
  for (let j = 0; j < k; j++) y[order[j]] = permuted[j];
  return y;
}

function longestColumn({ rows, columns, data }: Matrix, from: number): { column: number; norm: number } {
  const squares = new Float64Array(columns);
  for (let i = from; i < rows; i++)
    for (let j = from; j < columns; j++) squares[j] += data[i * columns + j] ** 2;
  let column = from;
  for (let j = from; j < columns; j++) if (squares[j] > squares[column]) column = j;
  return { column, norm: Math.sqrt(squares[column]) };
}

function swapColumns({ rows, columns, data }: Matrix, order: number[], a: number, b: number): void {
  [order[a], order[b]] = [order[b], order[a]];
  for (let i = 0; i < rows; i++)
    [data[i * columns + a], data[i * columns + b]] = [data[i * columns + b], data[i * columns + a]];
}

/**
 * v with (I − v vᵀ) column = ∓norm·e, where e is the unit vector number `at`; ‖v‖₂² = 2. Entries before `at`
 * are 0.
 */
function reflectorOf({ rows, columns, data }: Matrix, at: number, norm: number): Float64Array {
  const v = new Float64Array(rows);
  for (let i = at; i < rows; i++) v[i] = data[i * columns + at] / norm;
  v[at] += v[at] < 0 ? -1 : 1;
  const scale = Math.sqrt(Math.abs(v[at]));
  for (let i = at; i < rows; i++) v[i] /= scale;
  return v;
}

/** R ← (I − v vᵀ) R, row by row: the entries of a row lie side by side. */
function reflectRows({ rows, columns, data }: Matrix, v: Float64Array, from: number): void {
  const along = new Float64Array(columns);
  for (let i = from; i < rows; i++)
    for (let j = from; j < columns; j++) along[j] += v[i] * data[i * columns + j];
  for (let i = from; i < rows; i++)
    for (let j = from; j < columns; j++) data[i * columns + j] -= along[j] * v[i];
}

/** Q ← Q (I − v vᵀ). */
function reflectColumns({ rows, columns, data }: Matrix, v: Float64Array, from: number): void {
  for (let i = 0; i < rows; i++) {
    let along = 0;
    for (let j = from; j < columns; j++) along += data[i * columns + j] * v[j];
    for (let j = from; j < columns; j++) data[i * columns + j] -= along * v[j];
  }
}
