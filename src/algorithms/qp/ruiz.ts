import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { PrimalDual } from './kkt.js';

const ITERATIONS = 10;
const TINY = 1e-12;

/** The program in other units: x = D x̂, y = E ŷ/c, with P̂ = cDPD, q̂ = cDq, Â = EAD, l̂ = El, û = Eu. */
export interface ScaledProgram {
  readonly program: QuadraticProgram;
  /** D and E as vectors, and c. */
  readonly columnScale: Float64Array<ArrayBuffer>;
  readonly rowScale: Float64Array<ArrayBuffer>;
  readonly costScale: number;
}

/**
 * Scales the program so that all columns of [P; A] and all rows of A have about equal largest entries. The
 * objective gets the order 1. Source: Ruiz, RAL-TR-2001-034; Stellato et al., Math. Prog. Comp. 12 (2020),
 * algorithm 2.
 */
export function ruizScaled(program: QuadraticProgram): ScaledProgram {
  const [n, m] = [program.linear.length, program.lower.length];
  const p = Float64Array.from(program.hessian.data);
  const a = Float64Array.from(program.constraints.data);
  const columnScale = new Float64Array(n).fill(1);
  const rowScale = new Float64Array(m).fill(1);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const columns = new Float64Array(n);
    const rows = new Float64Array(m);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) columns[j] = Math.max(columns[j], Math.abs(p[i * n + j]));
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        const entry = Math.abs(a[i * n + j]);
        columns[j] = Math.max(columns[j], entry);
        rows[i] = Math.max(rows[i], entry);
      }
    const byColumn = columns.map(inverseRoot);
    const byRow = rows.map(inverseRoot);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) p[i * n + j] *= byColumn[i] * byColumn[j];
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) a[i * n + j] *= byRow[i] * byColumn[j];
    for (let j = 0; j < n; j++) columnScale[j] *= byColumn[j];
    for (let i = 0; i < m; i++) rowScale[i] *= byRow[i];
  }
  const linear = program.linear.map((value, j) => value * columnScale[j]);
  const costScale = 1 / Math.max(largestColumnMean(matrix(n, n, p)), largest(linear), TINY);
  return {
    program: {
      hessian: matrix(
        n,
        n,
        p.map((value) => value * costScale),
      ),
      linear: linear.map((value) => value * costScale),
      constraints: matrix(m, n, a),
      lower: program.lower.map((value, i) => value * rowScale[i]),
      upper: program.upper.map((value, i) => value * rowScale[i]),
    },
    columnScale,
    rowScale,
    costScale,
  };
}

/** x̂ and ŷ in the units of the program. */
export function unscaled(
  { columnScale, rowScale, costScale }: ScaledProgram,
  { x, y }: PrimalDual,
): PrimalDual {
  return {
    x: x.map((value, j) => value * columnScale[j]),
    y: y.map((value, i) => (value * rowScale[i]) / costScale),
  };
}

/** x and y in the units of the scaled program. */
export function scaledPoint(
  { columnScale, rowScale, costScale }: ScaledProgram,
  { x, y }: PrimalDual,
): PrimalDual {
  return {
    x: x.map((value, j) => value / columnScale[j]),
    y: y.map((value, i) => (value * costScale) / rowScale[i]),
  };
}

function inverseRoot(value: number): number {
  return value < TINY * TINY ? 1 : 1 / Math.sqrt(value);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function largestColumnMean({ rows, columns, data }: Matrix): number {
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) sums[j] += Math.abs(data[i * columns + j]);
  return largest(sums) / rows;
}
