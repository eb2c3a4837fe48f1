import { U16_MAX } from '../../../firmware-protocol/limits.js';
import {
  badArgument,
  checkAddress,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../../argument-checks.js';
import { type CheckedSystem, checkSystem, refuseTooLarge } from '../../board/checked-system.js';
import { plusDamping } from '../../board/equilibrium-plan.js';
import { type BoardSession, inSession } from '../../board/session.js';
import type { BoardDevice, DeviceIdentity } from '../../driver/device-api.js';
import { applySystem, diagonalOf, type LinearSystem } from '../../linalg/linear-system.js';
import type { Matrix } from '../../linalg/matrix.js';
import { dot } from '../../linalg/products.js';
import { drawPlanned, type PlannedDraws } from '../sample.js';
import { bennettDifference } from './bennett.js';
import type { DampingNode, Estimated, LogDeterminantRequest, LogDeterminantResult } from './contract.js';
import { type DampingSweep, planSweep, quadratureOf } from './damping-sweep.js';
import { headOf } from './head.js';

const READINGS = 16_384;
const READINGS_MAX = 100_000_000;
/**
 * 1 + 2ρ, where ρ = e⁻⁶ bounds the correlation of |v|² between neighbouring draws. (The correlation of v
 * itself in the slowest mode is at most e⁻³.)
 */
const CORRELATION_TIME = 1 + 2 * Math.exp(-6);

/**
 * ln det A on a board. The couplings are sent once, and only the damping register changes:
 *
 *     ln det A = ln det(A + cI) − ∫₀ᶜ tr(A + sI)⁻¹ ds,   tr(A + sI)⁻¹ = E|v|²/κ
 *
 * with c = 8 λ₊, where λ₊ is a bound above the largest eigenvalue. At this c, a series in three traces of A
 * gives ln det(A + cI) up to `remainder`. (On a calibrated board I is the diagonal matrix that its register
 * really adds.) A second estimate uses the same readings: Bennett's acceptance ratio, with the work
 * ½(s′ − s)|v|²/κ between neighbouring settings. The mean of each cell is subtracted, and so is the variance
 * of the ADC's rounding. The board's codes stand for A_q; to first order ln det A − ln det A_q =
 * tr A_q⁻¹(A − A_q), from the readings at s = 0.
 *
 * Unknowns of different units are scaled as in `solve`. If no calibration compensates the errors of the
 * board, the answer contains them (`isCovarianceKnown`). A Cholesky factorisation is exact and far faster on
 * a host.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED (also when the condition
 * number is too large for the smallest step of the damping register), BAD_CALIBRATION, TOLERANCE_NOT_MET
 * (codes that are not positive definite) before any byte is sent; OVERLOAD; DEVICE_FAULT; ABORTED; those of
 * the device.
 *
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660; Bennett, J. Comput. Phys. 22
 * (1976).
 */
export async function logDeterminant(
  device: BoardDevice,
  request: LogDeterminantRequest,
): Promise<LogDeterminantResult> {
  return inSession(
    device,
    request,
    () => check(request, device),
    async (session, checked) => {
      const { readings = READINGS, calibration, address } = request;
      const { evened } = checked;
      const sweep = session.charge('mapMs', () => planSweep(session.identity, evened, calibration, readings));
      refuseBlocks(address.block, sweep.dampings.length);
      const swept = await sweepBoard(session, sweep, request);
      const weighting = evened.weights.reduce((total, weight) => total - 2 * Math.log(weight), 0);
      return session.charge('readoutMs', () => resultOf(sweep, swept, weighting, session));
    },
  );
}

function check(
  request: LogDeterminantRequest,
  { identity }: { readonly identity: DeviceIdentity },
): CheckedSystem {
  checkObject('The request', request, '{ system, address: { seed: 1, step: 0, block: 0 } }');
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  checkWhole('readings', request.readings ?? READINGS, 1, READINGS_MAX);
  const system = checkSystem(request.system);
  refuseTooLarge(system.system, identity);
  void system.evened.checked.spectrum;
  return system;
}

function refuseBlocks(block: number, count: number): void {
  const blockMax = U16_MAX - (count - 1);
  if (block > blockMax)
    throw badArgument('address.block', block, `at most ${blockMax}`, 'Setting k uses block + k.');
}

/**
 * D: the value that one unit of the damping register adds to the diagonal entry of each cell. The cells have
 * different values if their rows are programmed for different noise temperatures and time constants.
 */
function dampingGains({ plan, dampings }: DampingSweep): Float64Array {
  const top = dampings[dampings.length - 1];
  const without = diagonalOf(plan.programmed);
  return diagonalOf(plusDamping(plan, top).programmed).map((entry, i) => (entry - without[i]) / top);
}

/** The readings of all settings. */
interface Swept {
  /** D, of length N. */
  readonly gains: Float64Array;
  /** vᵀDv/κ of each reading, setting by setting. */
  readonly squares: readonly Float64Array[];
  readonly roundingCorrection: number;
  readonly isCovarianceKnown: boolean;
  readonly carryNoiseShare: number;
}

async function sweepBoard(
  session: BoardSession,
  sweep: DampingSweep,
  { address, calibration, onProgress }: LogDeterminantRequest,
): Promise<Swept> {
  const { plan, dampings, readings } = sweep;
  const gains = dampingGains(sweep);
  const total = readings.reduce((sum, count) => sum + count, 0);
  const ones = new Float64Array(plan.spectrum.dimension).fill(1);
  const squares: Float64Array[] = [];
  let roundingCorrection = 0;
  let isCovarianceKnown = true;
  let carryNoiseShare = 0;
  let before = 0;
  for (const [k, damping] of dampings.entries()) {
    session.readdress({ ...address, block: address.block + k });
    const drawn = await drawPlanned(session, plusDamping(plan, damping), ones, {
      count: readings[k],
      address,
      calibration,
      onProgress: (done) => onProgress?.(before + done, total),
    });
    before += readings[k];
    isCovarianceKnown &&= drawn.isCovarianceKnown;
    carryNoiseShare = Math.max(carryNoiseShare, drawn.carryNoiseShare);
    session.charge('readoutMs', () => {
      centre(drawn.draws);
      if (damping === 0) roundingCorrection = roundingTrace(plan.system, plan.programmed, drawn.draws);
      squares.push(squaresOf(drawn, gains));
    });
  }
  return { gains, squares, roundingCorrection, isCovarianceKnown, carryNoiseShare };
}

/**
 * Subtracts the mean of each column and multiplies the rest by √(n/(n − 1)) with n = `rows`. The mean square
 * is then an unbiased variance.
 */
function centre({ rows, columns, data }: Matrix): void {
  const widening = Math.sqrt(rows / (rows - 1));
  for (let i = 0; i < columns; i++) {
    let mean = 0;
    for (let k = i; k < data.length; k += columns) mean += data[k] / rows;
    for (let k = i; k < data.length; k += columns) data[k] = (data[k] - mean) * widening;
  }
}

/** tr A_q⁻¹(A − A_q), the mean of vᵀ(A − A_q)v over draws of N(0, A_q⁻¹). */
function roundingTrace(
  asked: LinearSystem,
  programmed: LinearSystem,
  { rows, columns, data }: Matrix,
): number {
  let total = 0;
  for (let k = 0; k < rows; k++) {
    const v = data.subarray(k * columns, (k + 1) * columns);
    total += dot(v, applySystem(asked, v)) - dot(v, applySystem(programmed, v));
  }
  return total / rows;
}

/** vᵀDv of each draw, minus the variance that rounding in the ADC adds (Sheppard's correction). */
function squaresOf({ draws, readingStep }: PlannedDraws, gains: Float64Array): Float64Array {
  const { rows, columns, data } = draws;
  const rounding = readingStep ** 2 / 12;
  return Float64Array.from({ length: rows }, (_, k) => {
    let square = 0;
    for (let i = 0; i < columns; i++) square += gains[i] * (data[k * columns + i] ** 2 - rounding);
    return square;
  });
}

function resultOf(
  { plan, dampings, readings }: DampingSweep,
  { gains, squares, ...swept }: Swept,
  weighting: number,
  session: BoardSession,
): LogDeterminantResult {
  const { eigenvalueMax } = plan.spectrum;
  // The readings belong to the programmed matrix, so ln det(A + cD) must belong to the same matrix.
  const head = headOf(plan.programmed, dampings[dampings.length - 1], eigenvalueMax, gains);
  const traces = squares.map(meanOf);
  const { weights, endCorrection } = quadratureOf(dampings, head.slope);
  let integral = endCorrection;
  let variance = 0;
  for (const [k, { value, standardError }] of traces.entries()) {
    integral += weights[k] * value;
    variance += (weights[k] * standardError) ** 2;
  }
  const upper = head.logDeterminant + swept.roundingCorrection + weighting;
  const ratio = bennettSum(dampings, squares);
  return {
    logDeterminant: upper - integral,
    standardError: Math.sqrt(variance),
    bennett: { value: upper - ratio.value, standardError: ratio.standardError },
    remainder: head.remainder,
    ...swept,
    nodes: dampings.map((damping, k): DampingNode => ({ damping, trace: traces[k], readings: readings[k] })),
    readings: readings.reduce((total, count) => total + count, 0),
    cost: session.cost,
  };
}

/**
 * ln det(A + cI) − ln det A = 2ΔF, summed over neighbouring settings. Two neighbouring terms use the same
 * readings.
 */
function bennettSum(dampings: readonly number[], squares: readonly Float64Array[]): Estimated {
  const influence = squares.map((values) => new Float64Array(values.length));
  let value = 0;
  for (let k = 0; k + 1 < dampings.length; k++) {
    const half = (dampings[k + 1] - dampings[k]) / 2;
    const { difference, forwardInfluence, reverseInfluence } = bennettDifference(
      squares[k].map((square) => half * square),
      squares[k + 1].map((square) => -half * square),
    );
    value += 2 * difference;
    for (let i = 0; i < forwardInfluence.length; i++) influence[k][i] += 2 * forwardInfluence[i];
    for (let i = 0; i < reverseInfluence.length; i++) influence[k + 1][i] += 2 * reverseInfluence[i];
  }
  let variance = 0;
  for (const values of influence)
    variance += CORRELATION_TIME * values.reduce((total, one) => total + one * one, 0);
  return { value, standardError: Math.sqrt(variance) };
}

function meanOf(values: Float64Array): Estimated {
  const count = values.length;
  const value = values.reduce((total, one) => total + one, 0) / count;
  const squares = values.reduce((total, one) => total + (one - value) ** 2, 0);
  return { value, standardError: Math.sqrt((CORRELATION_TIME * squares) / (count - 1) / count) };
}
