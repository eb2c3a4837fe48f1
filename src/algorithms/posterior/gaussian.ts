import { badArgument, checkArray, checkNumber, checkObject, checkWhole } from '../../argument-checks.js';
import { type CheckedSystem, checkSystem } from '../../board/checked-system.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { gramOfColumns, matVec, matVecTransposed, norm2 } from '../../linalg/products.js';
import { counted } from '../../number-text.js';

/** The Gaussian N(A⁻¹b, A⁻¹). */
export interface GaussianPosterior {
  /** A, the precision matrix, N×N. */
  readonly precision: CheckedSystem;
  /** b = A·mean, length N. */
  readonly drive: Float64Array<ArrayBuffer>;
}

/** θ ~ N(μ, P⁻¹), observed m times as x ~ N(θ, L⁻¹). */
export interface GaussianRequest {
  /** μ, length N. */
  readonly priorMean: Float64Array;
  /** P, N×N symmetric positive definite. */
  readonly priorPrecision: Matrix;
  /** L, N×N symmetric positive definite: the inverse covariance of one observation. */
  readonly noisePrecision: Matrix;
  /** m×N; each row is an observation. */
  readonly observations: Matrix;
}

/** y = X θ + ε with ε ~ N(0, σ²I) and θ ~ N(μ, I/λ). */
export interface RegressionRequest {
  /** X, m×N. */
  readonly inputs: Matrix;
  /** y, length m. */
  readonly targets: Float64Array;
  /** σ > 0, in units of y. */
  readonly noiseSd: number;
  /** λ > 0, in units of 1/θ². */
  readonly priorPrecision: number;
  /** μ, length N. Default 0. */
  readonly priorMean?: Float64Array;
  /**
   * Number of rows of the board. If there are more observations, a Cholesky factorisation of XᵀX folds them
   * into N rows that give the same posterior. Default: observations are never folded.
   */
  readonly rowsMax?: number;
}

/**
 * A column counts as independent if its part orthogonal to the earlier columns is at least this share of its
 * length.
 */
const INDEPENDENT_MIN = 1e-8;

/**
 * The posterior of a Gaussian mean under a Gaussian prior: A = P + m L, b = P μ + L Σ x.
 *
 * Errors: BAD_ARGUMENT and BAD_MATRIX for shapes that do not fit and numbers that are not finite;
 * NOT_POSITIVE_DEFINITE for a precision that is not positive definite.
 */
export function gaussianPosterior(request: GaussianRequest): GaussianPosterior {
  checkObject('The request', request, '{ priorMean, priorPrecision, noisePrecision, observations }');
  const { priorMean, priorPrecision, noisePrecision, observations } = request;
  checkArray('priorMean', priorMean, 'Float64Array');
  checkObject('observations', observations, 'matrix(1, N, data)');
  const size = priorMean.length;
  checkFinite('priorMean', priorMean);
  const dimensions = { priorPrecision, noisePrecision };
  for (const [name, given] of Object.entries(dimensions)) {
    checkObject(name, given, 'matrix(N, N, data)');
    // Each matrix alone must be positive definite, because their sum may hide that one is not.
    void checkSystem({ kind: 'dense', matrix: given }).spectrum;
    if (given.rows !== size)
      throw wrongShape(name, given, `${size}×${size}, because priorMean has ${size} entries`);
  }
  if (observations.columns !== size || observations.rows < 1)
    throw wrongShape('observations', observations, `rows of ${counted(size, 'number')}, at least one`);
  checkFinite('observations', observations.data);
  const total = new Float64Array(size);
  for (let k = 0; k < observations.data.length; k++) total[k % size] += observations.data[k];
  const data = priorPrecision.data.map((entry, k) => entry + observations.rows * noisePrecision.data[k]);
  const seen = matVec(noisePrecision, total);
  return {
    precision: checkSystem({ kind: 'dense', matrix: matrix(size, size, data) }),
    drive: Float64Array.from(matVec(priorPrecision, priorMean), (entry, i) => entry + seen[i]),
  };
}

/**
 * The posterior of linear regression: A = KᵀK + λI with K = X/σ, b = Kᵀy/σ + λμ. K goes into the crossbar
 * unchanged, and λ is the damping, so A itself is never formed.
 *
 * Errors: BAD_ARGUMENT and BAD_MATRIX for shapes that do not fit, numbers that are not finite, and columns
 * that are combinations of others.
 */
export function regressionPosterior(request: RegressionRequest): GaussianPosterior {
  checkObject('The request', request, '{ inputs, targets, noiseSd: 1, priorPrecision: 1 }');
  const { inputs, targets, noiseSd, priorPrecision, rowsMax = Infinity } = request;
  checkDesign(inputs, targets);
  checkPositive('noiseSd', noiseSd);
  checkPositive('priorPrecision', priorPrecision);
  if (rowsMax !== Infinity) checkWhole('rowsMax', rowsMax, 1);
  const priorMean = request.priorMean ?? new Float64Array(inputs.columns);
  checkArray('priorMean', priorMean, 'Float64Array');
  checkFinite('priorMean', priorMean);
  if (priorMean.length !== inputs.columns)
    throw badArgument('priorMean.length', priorMean.length, String(inputs.columns));
  const rows = matrix(
    inputs.rows,
    inputs.columns,
    inputs.data.map((entry) => entry / noiseSd),
  );
  const seen = matVecTransposed(rows, targets);
  const factor = rows.rows > rowsMax ? foldedRows(rows) : rows;
  return {
    precision: checkSystem({ kind: 'factored', factor, damping: priorPrecision }),
    drive: seen.map((entry, i) => entry / noiseSd + priorPrecision * priorMean[i]),
  };
}

/** Lᵀ with L Lᵀ = KᵀK: N rows instead of m. */
function foldedRows(rows: Matrix): Matrix {
  const outcome = cholesky(gramOfColumns(rows));
  // `checkDesign` has found the columns independent.
  if (!outcome.ok) throw dependentColumn(outcome.pivot);
  const { rows: size, data } = outcome.factor;
  const folded = matrix(size, size);
  for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) folded.data[j * size + i] = data[i * size + j];
  return folded;
}

/**
 * Refuses a design whose shapes do not fit, whose entries are not all finite, or whose columns are not
 * independent. `names` are the names of its columns. Errors: BAD_ARGUMENT, BAD_MATRIX.
 *
 * @internal
 */
export function checkDesign(inputs: Matrix, targets: Float64Array, names?: readonly string[]): void {
  checkObject('inputs', inputs, 'matrix(m, N, data)');
  checkArray('targets', targets, 'Float64Array');
  if (inputs.rows !== targets.length || inputs.rows * inputs.columns === 0)
    throw wrongShape('inputs', inputs, `one row for each of the ${counted(targets.length, 'target')}`);
  checkFinite('inputs', inputs.data);
  checkFinite('targets', targets);
  const column = dependentColumnOf(inputs);
  if (column !== undefined) throw dependentColumn(column, names?.[column]);
}

/**
 * The first column that is a combination of earlier columns. It is found by Gram–Schmidt with a second round.
 */
function dependentColumnOf({ rows, columns, data }: Matrix): number | undefined {
  const basis: Float64Array[] = [];
  for (let j = 0; j < columns; j++) {
    const column = Float64Array.from({ length: rows }, (_, i) => data[i * columns + j]);
    const norm = norm2(column);
    for (let round = 0; round < 2; round++)
      for (const direction of basis) {
        let share = 0;
        for (let i = 0; i < rows; i++) share += direction[i] * column[i];
        for (let i = 0; i < rows; i++) column[i] -= share * direction[i];
      }
    const rest = norm2(column);
    if (!(rest > INDEPENDENT_MIN * norm)) return j;
    basis.push(column.map((entry) => entry / rest));
  }
  return undefined;
}

function dependentColumn(column: number, name = `number ${column + 1}`): ThermolinkError {
  return new ThermolinkError('BAD_MATRIX', `Column ${name} is a combination of the columns before it.`, {
    hint: 'Leave it out: the data cannot separate its weight from the weights of the other columns.',
    data: { column },
  });
}

function checkFinite(name: string, values: Float64Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new ThermolinkError('BAD_MATRIX', `${name} holds ${values[at]} at place ${at + 1}.`, {
    hint: 'Replace missing values by numbers, or leave the row out.',
    data: { name, index: at },
  });
}

function checkPositive(name: string, value: number): void {
  checkNumber(name, value, 0);
  if (value === 0) throw badArgument(name, value, 'a number above 0');
}

function wrongShape(name: string, { rows, columns }: Matrix, wanted: string): ThermolinkError {
  return new ThermolinkError('BAD_MATRIX', `${name} is ${rows}×${columns}; it must have ${wanted}.`, {
    hint: 'Check that all parts of the problem are about the same unknowns.',
    data: { name, rows, columns },
  });
}
