import type { BoardModel } from '../../board/board-model.js';
import { railOf, tickOf } from '../../board/board-range.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { noiseTemperatureRange } from '../../board/noise-register.js';
import type { SystemCodes } from '../../board/quantize.js';
import { unsaturatedScale } from '../../board/scaling.js';
import { factorEigenvalueMax } from '../../board/spectrum.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { eigenvaluesOf, leftDivided, product } from '../../linalg/matrix-equations.js';
import { transposed } from '../../linalg/products.js';

/**
 * Largest h‖Â‖₂. The error of the finite step is then a few percent. At most an eighth of the noise of the
 * first stage enters the second.
 */
const STEP_MAX = 0.25;
/**
 * The second stage starts with a step that is smaller by this factor. This leaves room for the corrected
 * codes.
 */
const STEP_MARGIN = 1.1;
/**
 * The corrected S has to keep this share of S in every direction. With a smaller share T is badly
 * conditioned, and the rounding to codes matters.
 */
const NOISE_KEPT = 0.5;
/** How often the step may be halved to reach this share. */
const HALVINGS_MAX = 8;
/**
 * Rounds of the fixed-point iteration for the corrected S. Each round multiplies the error by at most h‖Â‖/2
 * = 1/8.
 */
const ROUNDS = 20;

/** The equation to solve, and the board that solves it. */
export interface DriftTask {
  readonly a: Matrix;
  readonly s: Matrix;
  readonly identity: DeviceIdentity;
  readonly model: BoardModel;
  readonly calibration: BoardCalibration | undefined;
}

/** A plan to run dx = −A x dt + L dW, with L Lᵀ = S, on a board: x = s_x T v. */
export interface DriftPlan {
  readonly codes: SystemCodes;
  /** s_A: units of A per G_fs. */
  readonly systemScale: number;
  /** T, N×N. */
  readonly toProblem: Matrix;
  /** The matrix that the codes stand for, in units of A. */
  readonly programmed: Matrix;
  /** h/s_A: the time of one tick, in 1/units of A. */
  readonly tickTime: number;
  /** Smallest s_x at which the noise register is large enough. */
  readonly solutionScaleMin: number;
  /** The rail of a cell, in V_fs. */
  readonly rail: number;
}

/**
 * A plan with T = L diag(√(τ_i/r_i)), where τ_i and r_i are the measured time constants and noise
 * temperatures of the cells (1 if not measured). Every cell then needs exactly the noise that it has, so no
 * register for the noise of single cells is needed. The codes are those of diag(τ) T⁻¹AT, which is not
 * symmetric. Undefined if S is not positive definite.
 */
export function planDrift(task: DriftTask, s: Matrix, systemScaleMin = 0): DriftPlan | undefined {
  const { a, identity, model, calibration } = task;
  const outcome = cholesky(s);
  if (!outcome.ok) return undefined;
  const n = a.rows;
  const timeConstants = Float64Array.from({ length: n }, (_, i) => calibration?.timeConstant[i] ?? 1);
  const toProblem = matrix(n, n, Float64Array.from(outcome.factor.data));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      toProblem.data[i * n + j] *= Math.sqrt(timeConstants[j] / (calibration?.noiseTemperature[j] ?? 1));
  const drift = leftDivided(toProblem, product(a, toProblem));
  const onBoard = scaledRows(drift, timeConstants);
  const damping = sharedDamping(onBoard);
  const system = { kind: 'dense', matrix: onBoard } as const;
  const largest = model.couplingMargin * largestBeside(onBoard, damping);
  const tick = tickOf(identity);
  const systemScale = Math.max(
    unsaturatedScale(system, largest, identity.couplingBits),
    (Math.sqrt(factorEigenvalueMax(drift)) * tick) / STEP_MAX,
    systemScaleMin,
  );
  const { couplingBits } = identity;
  const codes = model.quantizeSystem(system, { systemScale, couplingBits, rowAttenuation: 0 }, damping);
  const board = model.programmedSystem(codes, systemScale);
  if (board.kind !== 'dense') return undefined;
  const back = scaledRows(
    board.matrix,
    timeConstants.map((value) => 1 / value),
  );
  const programmed = transposed(leftDivided(transposed(toProblem), transposed(product(toProblem, back))));
  refuseUnstableCodes(programmed, identity);
  return {
    codes,
    systemScale,
    toProblem,
    programmed,
    tickTime: tick / systemScale,
    solutionScaleMin: Math.sqrt(0.5 / (systemScale * noiseTemperatureRange(identity, tick).max)),
    rail: railOf(identity),
  };
}

/**
 * The plan whose stationary covariance is X in spite of its finite step, given an approximation of X. One
 * tick has
 *
 *     P = M P Mᵀ + ½D + ¼(M D + D Mᵀ),   M = I − tA,  D = tS′,  t = h/s_A,
 *
 * so P = X asks for S′ = S − t A X Aᵀ + ¼t(A S′ + S′Aᵀ). The step is halved until S′ − ½S is positive
 * definite. Errors: UNSUPPORTED when it never is.
 */
export function planCorrectedDrift(task: DriftTask, first: DriftPlan, x: Matrix): DriftPlan {
  const tick = tickOf(task.identity);
  let systemScale = STEP_MARGIN * first.systemScale;
  for (let k = 0; k < HALVINGS_MAX; k++) {
    const noise = correctedNoise(task, x, tick / systemScale);
    const kept = noise.data.map((value, i) => value - NOISE_KEPT * task.s.data[i]);
    const isKept = cholesky(matrix(noise.rows, noise.rows, kept)).ok;
    const plan = isKept ? planDrift(task, noise, systemScale) : undefined;
    if (plan === undefined) systemScale *= 2;
    else if (plan.systemScale > systemScale) systemScale = plan.systemScale;
    else return plan;
  }
  throw new ThermolinkError('UNSUPPORTED', 'This equation needs a smaller step than the board has.', {
    hint: 'The fastest modes of A are too fast compared with S: scale the unknowns, or solve it on the host.',
    data: { systemScale },
  });
}

/** S′ of `planCorrectedDrift` at t = `tickTime`. */
export function correctedNoise({ a, s }: Pick<DriftTask, 'a' | 's'>, x: Matrix, tickTime: number): Matrix {
  const n = a.rows;
  const bent = product(product(a, x), transposed(a));
  let noise = s;
  for (let round = 0; round < ROUNDS; round++) {
    const image = product(a, noise);
    const next = matrix(n, n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const turned = image.data[i * n + j] + image.data[j * n + i];
        const curved = (bent.data[i * n + j] + bent.data[j * n + i]) / 2;
        next.data[i * n + j] = s.data[i * n + j] + tickTime * (turned / 4 - curved);
      }
    noise = next;
  }
  return noise;
}

function scaledRows({ rows, columns, data }: Matrix, factors: Float64Array): Matrix {
  return matrix(
    rows,
    columns,
    data.map((value, k) => value * factors[Math.floor(k / columns)]),
  );
}

/** The mean of the smallest and the largest diagonal entry, for the damping register; at least 0. */
function sharedDamping({ rows, data }: Matrix): number {
  const diagonal = Float64Array.from({ length: rows }, (_, i) => data[i * rows + i]);
  return Math.max(0, (Math.min(...diagonal) + Math.max(...diagonal)) / 2);
}

/** max |A_ij − λδ_ij|. */
function largestBeside({ rows, data }: Matrix, damping: number): number {
  return data.reduce(
    (most, value, k) => Math.max(most, Math.abs(k % (rows + 1) === 0 ? value - damping : value)),
    0,
  );
}

/** Throws TOLERANCE_NOT_MET if the board would be unstable with these codes. */
function refuseUnstableCodes(programmed: Matrix, { couplingBits }: DeviceIdentity): void {
  const decay = Math.min(...eigenvaluesOf(programmed).real);
  if (decay > 0) return;
  throw new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `After rounding to ${couplingBits}-bit couplings this A is not stable any more.`,
    {
      hint: 'Choose a board with finer couplings, or solve the equation on the host.',
      data: { decay, couplingBits },
    },
  );
}
