import { U16_MAX } from '../../../firmware-protocol/limits.js';
import {
  badArgument,
  checkAddress,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../../argument-checks.js';
import { refuseTooLong } from '../../board/board-range.js';
import { refuseTooLarge } from '../../board/checked-system.js';
import { checkEntries, checkSymmetry } from '../../board/matrix-checks.js';
import { type BoardSession, inSession } from '../../board/session.js';
import type { BoardDevice, DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { checkShape, type Matrix, matrix } from '../../linalg/matrix.js';
import { eigenvaluesOf, product } from '../../linalg/matrix-equations.js';
import { norm2, normInf, subtract, transposed } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';
import type { LyapunovRequest, LyapunovResult } from './contract.js';
import { type DriftPlan, type DriftTask, planCorrectedDrift, planDrift } from './drift.js';
import { BATCHES, readStationary, type Stationary, type StationaryRun } from './stationary.js';

const READINGS = 24_576;
const READINGS_MAX = 100_000_000;
/** Least number of readings of one batch. The correlation between neighbouring batches is then small. */
const BATCH_READINGS_MIN = 16;
/** The first stage takes the readings divided by this number. */
const FIRST_STAGE_PART = 3;
/** Largest N. The host finds the eigenvalues of A and of its codes, which takes seconds for larger N. */
const UNKNOWNS_MAX = 256;
/** Time between two readings and time before the first one, in time constants of the slowest mode. */
const SPACING = 1.5;
const BURN_IN = 10;

/**
 * X of A X + X Aᵀ = S on a board: X is the stationary covariance of dx = −A x dt + L dW with L Lᵀ = S. The
 * board gets the codes of T⁻¹AT, not symmetric, and equal noise in all cells. `matrix` is A, `rhs` S, both
 * N×N, N ≤ 256.
 *
 * A tick of the board is a step of finite length, so its covariance has an error of the order h‖A‖. A first
 * stage reads this covariance. The second stage runs with a corrected S; with its finite step the covariance
 * is X itself. X and its error bars come from the second stage alone, by means over 32 batches.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE (S, or an A with an eigenvalue of real part ≤ 0),
 * TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION, TOLERANCE_NOT_MET (codes that are not stable) before any byte is
 * sent; UNSUPPORTED when no step is small enough; OVERLOAD; ABORTED; those of the device.
 *
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660, for the equation; the correction of
 * the step is this project's own.
 */
export async function solveLyapunov(device: BoardDevice, request: LyapunovRequest): Promise<LyapunovResult> {
  return inSession(
    device,
    request,
    () => checkLyapunov(request, device.identity),
    async (session, decay) => {
      const { identity, model } = session;
      const { calibration, address, onProgress, readings = READINGS } = request;
      const task: DriftTask = { a: request.matrix, s: request.rhs, identity, model, calibration };
      const counts = stageReadings(readings);
      const total = counts[0] + counts[1];
      const plan = session.charge('mapMs', () => planDrift(task, task.s));
      if (plan === undefined) throw notDefinite();
      const run = (of: DriftPlan, stage: 0 | 1): StationaryRun => {
        const spacing = Math.ceil(SPACING / (decay * of.tickTime));
        // Both stages take about the same time for each reading, so the first stage checks the time for both.
        refuseTooLong(spacing * Math.max(...counts));
        return {
          spacingTicks: spacing,
          burnInTicks: Math.ceil(BURN_IN / (decay * of.tickTime)),
          readings: counts[stage],
          variance: 1 / (2 * decay),
          isNoiseMeasured: calibration !== undefined,
          onReadings: (done) => onProgress?.(stage * counts[0] + done, total),
        };
      };
      onProgress?.(0, total);
      const first = await readStationary(session, plan, run(plan, 0));
      const firstX = session.charge('readoutMs', () => meanOf(inProblem(plan, first)));
      const corrected = session.charge('mapMs', () => planCorrectedDrift(task, plan, firstX));
      session.readdress({ ...address, block: address.block + 1 });
      const second = await readStationary(session, corrected, run(corrected, 1));
      return session.charge('readoutMs', () => resultOf(session, task, corrected, second, firstX, counts[1]));
    },
  );
}

/**
 * Checks a request and returns the smallest real part of A's eigenvalues. Errors: those of `solveLyapunov`
 * before any byte is sent.
 */
function checkLyapunov(request: LyapunovRequest, identity: DeviceIdentity): number {
  checkObject('The request', request, '{ matrix, rhs, address: { seed: 1, step: 0, block: 0 } }');
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  checkWhole(
    'readings',
    request.readings ?? READINGS,
    FIRST_STAGE_PART * BATCHES * BATCH_READINGS_MIN,
    READINGS_MAX,
  );
  if (request.address.block === U16_MAX)
    throw badArgument('address.block', U16_MAX, `at most ${U16_MAX - 1}`, 'The second stage uses block + 1.');
  const decay = checkEquation(request.matrix, request.rhs);
  refuseTooLarge({ kind: 'dense', matrix: request.matrix }, identity);
  return decay;
}

/**
 * Checks A and S without a board, and returns the smallest real part of A's eigenvalues. Errors:
 * BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE.
 */
export function checkEquation(a: Matrix, s: Matrix): number {
  for (const [name, part] of [
    ['matrix', a],
    ['rhs', s],
  ] as const) {
    checkObject(name, part, '{ rows: 1, columns: 1, data: Float64Array.of(1) }');
    checkShape(part, name);
  }
  const n = a.rows;
  if (n === 0 || a.columns !== n || s.rows !== n || s.columns !== n)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `A is ${a.rows}×${a.columns} and S is ${s.rows}×${s.columns}; both must be square and of the same size.`,
      { hint: 'All matrices of A X + X Aᵀ = S are N×N.', data: { rows: a.rows, columns: a.columns } },
    );
  if (n > UNKNOWNS_MAX)
    throw new ThermolinkError(
      'TOO_LARGE',
      `A is ${n}×${n}; the largest size is ${UNKNOWNS_MAX}×${UNKNOWNS_MAX}.`,
      {
        hint: 'X has N² numbers, each with noise: solve a large equation on the host.',
        data: { unknowns: n, unknownsMax: UNKNOWNS_MAX },
      },
    );
  checkEntries(a, 'A');
  checkEntries(s, 'S');
  checkSymmetry(s, normInf(s.data));
  if (!cholesky(s).ok) throw notDefinite();
  const decay = Math.min(...eigenvaluesOf(a).real);
  if (decay > n * Number.EPSILON * norm2(a.data)) return decay;
  throw new ThermolinkError(
    'NOT_POSITIVE_DEFINITE',
    `A has an eigenvalue of real part ${formatNumber(decay, 2)}: dx/dt = −A x does not come to rest.`,
    {
      hint: 'All real parts must be above 0. If your equation is A X + X Aᵀ + S = 0, give −A.',
      data: { realPart: decay },
    },
  );
}

function notDefinite(): ThermolinkError {
  return new ThermolinkError('NOT_POSITIVE_DEFINITE', 'S is not positive definite.', {
    hint: 'S is the covariance of a noise. For a singular S add a small multiple of I.',
  });
}

/** Numbers of readings of both stages, each a whole number of batches. */
function stageReadings(readings: number): readonly [number, number] {
  const whole = (count: number): number =>
    BATCHES * Math.max(BATCH_READINGS_MIN, Math.round(count / BATCHES));
  const first = whole(readings / FIRST_STAGE_PART);
  return [first, whole(readings - first)];
}

/** T C Tᵀ of each batch, in units of X. */
function inProblem({ toProblem }: DriftPlan, { covariances }: Stationary): readonly Matrix[] {
  const back = transposed(toProblem);
  return covariances.map((covariance) => product(product(toProblem, covariance), back));
}

function meanOf(batches: readonly Matrix[]): Matrix {
  const { rows, columns } = batches[0];
  const mean = matrix(rows, columns);
  for (const { data } of batches)
    for (let k = 0; k < data.length; k++) mean.data[k] += data[k] / batches.length;
  return mean;
}

function resultOf(
  session: BoardSession,
  { a, s }: DriftTask,
  plan: DriftPlan,
  read: Stationary,
  firstX: Matrix,
  readings: number,
): LyapunovResult {
  const batches = inProblem(plan, read);
  const x = meanOf(batches);
  const standardError = matrix(x.rows, x.columns);
  for (const { data } of batches)
    for (let k = 0; k < data.length; k++) standardError.data[k] += (data[k] - x.data[k]) ** 2;
  for (let k = 0; k < x.data.length; k++)
    standardError.data[k] = Math.sqrt(standardError.data[k] / (BATCHES - 1) / BATCHES);
  const rounding = product(matrix(a.rows, a.rows, subtract(plan.programmed.data, a.data)), x);
  return {
    x,
    standardError,
    relativeStandardError: norm2(standardError.data) / norm2(x.data),
    firstStageDifference: norm2(subtract(x.data, firstX.data)) / norm2(x.data),
    roundingResidual:
      norm2(rounding.data.map((value, k) => value + transposed(rounding).data[k])) / norm2(s.data),
    readings,
    isCovarianceKnown: read.isCovarianceKnown,
    cost: session.cost,
  };
}
