import { badArgument, checkNumber, checkObject } from '../../argument-checks.js';
import { checkEntries, checkSymmetry } from '../../board/matrix-checks.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { checkShape, type Matrix, matrix } from '../../linalg/matrix.js';
import { product, spectralRadius } from '../../linalg/matrix-equations.js';
import { normInf, subtract } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';

/** A linear plant in discrete time with quadratic costs: x′ = A x + B u, cost Σ γᵗ(xᵀQx + uᵀRu). */
export interface LinearPlant {
  /** A, N×N. */
  readonly stateMatrix: Matrix;
  /** B, N×M. */
  readonly inputMatrix: Matrix;
  /** Q, N×N symmetric positive semidefinite. */
  readonly stateCost: Matrix;
  /** R, M×M symmetric positive definite. */
  readonly inputCost: Matrix;
  /** γ, a ratio above 0 and up to 1. Default 1. */
  readonly discount?: number;
}

/** A and B times √γ: the plant without discount that has the same costs. */
export function undiscounted(plant: LinearPlant): LinearPlant {
  const root = Math.sqrt(plant.discount ?? 1);
  const scaled = ({ rows, columns, data }: Matrix): Matrix =>
    matrix(
      rows,
      columns,
      data.map((value) => root * value),
    );
  const { stateMatrix, inputMatrix, stateCost, inputCost } = plant;
  return { stateMatrix: scaled(stateMatrix), inputMatrix: scaled(inputMatrix), stateCost, inputCost };
}

/** A − B K. */
export function closedLoop({ stateMatrix, inputMatrix }: LinearPlant, gain: Matrix): Matrix {
  const { rows } = stateMatrix;
  return matrix(rows, rows, subtract(stateMatrix.data, product(inputMatrix, gain).data));
}

/**
 * Checks a plant. Errors: BAD_ARGUMENT for parts of the wrong kind; BAD_MATRIX for shapes, entries that are
 * not finite, costs that are not symmetric; NOT_POSITIVE_DEFINITE for costs below 0.
 */
export function checkPlant(plant: LinearPlant): void {
  checkObject('The plant', plant, '{ stateMatrix, inputMatrix, stateCost, inputCost }');
  const { stateMatrix, inputMatrix, stateCost, inputCost, discount = 1 } = plant;
  for (const [name, part] of Object.entries({ stateMatrix, inputMatrix, stateCost, inputCost })) {
    checkObject(name, part, '{ rows: 1, columns: 1, data: Float64Array.of(1) }');
    checkShape(part, name);
    checkEntries(part, name);
  }
  const n = stateMatrix.rows;
  const m = inputMatrix.columns;
  refuseShape('stateMatrix', stateMatrix, n, n);
  refuseShape('inputMatrix', inputMatrix, n, m);
  refuseShape('stateCost', stateCost, n, n);
  refuseShape('inputCost', inputCost, m, m);
  checkNumber('discount', discount, 0);
  if (discount === 0 || discount > 1) throw badArgument('discount', discount, 'a number above 0 and up to 1');
  for (const cost of [stateCost, inputCost]) checkSymmetry(cost, normInf(cost.data));
  if (!cholesky(inputCost).ok) throw notDefinite('inputCost', 'positive definite');
  if (!cholesky(raised(stateCost)).ok) throw notDefinite('stateCost', 'positive semidefinite');
}

/** Checks a gain K, M×N, that has to make the plant stable. Errors: BAD_ARGUMENT, BAD_MATRIX, UNSUPPORTED. */
export function checkGain(plant: LinearPlant, gain: Matrix): void {
  checkObject('initialGain', gain, '{ rows: 1, columns: 2, data: Float64Array.of(1, 1) }');
  checkShape(gain, 'initialGain');
  checkEntries(gain, 'initialGain');
  refuseShape('initialGain', gain, plant.inputMatrix.columns, plant.stateMatrix.rows);
  const radius = spectralRadius(closedLoop(undiscounted(plant), gain));
  if (radius < 1) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `With this initial gain the plant is not stable: the largest eigenvalue of √γ(A − BK) is ${formatNumber(radius, 4)}.`,
    {
      hint: 'A policy gradient needs a first gain that makes the plant stable. Choose another gain, for example by pole placement.',
      data: { radius },
    },
  );
}

function refuseShape(
  name: string,
  { rows, columns }: Matrix,
  rowsWanted: number,
  columnsWanted: number,
): void {
  if (rows === rowsWanted && columns === columnsWanted) return;
  throw new ThermolinkError(
    'BAD_MATRIX',
    `${name} is ${rows}×${columns}; it must be ${rowsWanted}×${columnsWanted}.`,
    {
      hint: 'A plant of N states and M inputs has A N×N, B N×M, Q N×N, R M×M and K M×N.',
      data: { rows, columns },
    },
  );
}

/**
 * Adds 1e-9 of the largest entry to the diagonal, so that rounding does not make a semidefinite matrix
 * indefinite.
 */
function raised({ rows, data }: Matrix): Matrix {
  const more = 1e-9 * (normInf(data) || 1);
  return matrix(
    rows,
    rows,
    data.map((value, k) => (k % (rows + 1) === 0 ? value + more : value)),
  );
}

function notDefinite(name: string, what: string): ThermolinkError {
  return new ThermolinkError('NOT_POSITIVE_DEFINITE', `${name} is not ${what}.`, {
    hint: 'Without this the cost could fall without bound.',
  });
}
