import { COUPLING_BITS_MAX, COUPLING_BITS_MIN } from '../../firmware-protocol/limits.js';
import { checkNumber, checkOptionalFlag, checkWhole } from '../argument-checks.js';
import type { BoardModel } from '../board/board-model.js';
import { refuseTooLong, tickOf } from '../board/board-range.js';
import type { CheckedSystem } from '../board/checked-system.js';
import { refuseTooLarge } from '../board/checked-system.js';
import { ZERO_COST } from '../board/cost.js';
import { type NoiseRegister, noiseRegister, noiseTemperatureRange } from '../board/noise-register.js';
import { overloadError } from '../board/overload-error.js';
import { programImage, quantizeInitialState, releaseCouplings, type SystemCodes } from '../board/quantize.js';
import { type Attempt, ranged } from '../board/ranged.js';
import {
  finiteTimeScaling,
  finiteTimeSystemScaling,
  type Relaxation,
  type SystemScaling,
  type TimedScaling,
} from '../board/scaling.js';
import { type BoardSession, inSession } from '../board/session.js';
import { dithered } from '../board/stochastic-rounding.js';
import type { BoardDevice, DeviceIdentity, RunReport } from '../driver/device-api.js';
import { assert, ThermolinkError } from '../errors.js';
import { addScaled } from '../linalg/conjugate-directions.js';
import { isZero } from '../linalg/products.js';
import { formatNumber } from '../number-text.js';
import type { RelaxAheadRequest, RelaxRequest, RelaxResult } from './contract.js';
import { checkRelaxAheadRequest, checkRelaxRequest, lateVector } from './request-checks.js';

/** A request to relax on a board. */
export interface BoardRelaxRequest extends RelaxRequest {
  /**
   * Width of coupling codes, 4 to 16 and at most the board's. Default: the board's. Codes of at most 8 bits
   * take half the bytes, and couplings are most of the upload. Trainings send 8 bits.
   */
  readonly couplingBits?: number;
  /** κ in V_fs²: 0 (default, off) or within the board's noise register. */
  readonly noiseTemperature?: number;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
  /**
   * Runs everything twice, the second time with b and x₀ negated, and takes half of the difference. An offset
   * that the board adds to every answer then cancels. It takes twice the ticks; couplings are not sent again.
   * Default: no.
   */
  readonly chopped?: boolean;
  /**
   * k ≥ 1. For k > 1, the couplings are rounded stochastically and sent k times, and the answers are
   * averaged. The first order of the rounding error then averages out (`dithered`). Default 1: the couplings
   * are rounded once, to the nearest code.
   */
  readonly roundings?: number;
}

/** The address of the random numbers has 16 bits for the number of the rounding. */
const ROUNDINGS_MAX = 2 ** 16;
/** The sixth overload is an error. By then s_x has grown 32-fold and s_A 16-fold. */
const ATTEMPTS_MAX = 6;

/**
 * x(t) of dx/dt = −(A x − b) from x₀ on a board, by n ticks and one reading at tick n. With the programmed
 * codes Â and ê the board computes
 *
 *     v_n = (1 − hÂ)ⁿ v₀ + (1 − (1 − hÂ)ⁿ) Â⁻¹ê,   h = 2⁻ᵏ,   n·h/s_A = t exactly.
 *
 * `drive` b, `initial` x₀ and the result x have length N, the number of A's columns; `time` t has the unit of
 * 1/eigenvalue of A. After an overload the same problem runs again from x₀ with s_x doubled; from the second
 * overload on, n and s_A are doubled too. x₀ = b = 0 gives 0 and sends nothing. If the drive is a function,
 * it is called after the couplings are on the board. If x₀ = 0 and it returns 0, only the couplings were
 * sent. Uses of one device take turns.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE (a negative damping), TOO_LARGE, UNSUPPORTED before
 * any byte is sent; OVERLOAD after the sixth overload; ABORTED; those of the device.
 */
export async function relax(device: BoardDevice, request: BoardRelaxRequest): Promise<RelaxResult> {
  return inSession(
    device,
    request,
    () => check(request, device.identity),
    (session, system) => relaxIn(session, system, request, undefined),
  );
}

/** A request to relax on a board as soon as the previous relaxation has ended. */
export type BoardRelaxAheadRequest = Omit<BoardRelaxRequest, 'initial' | 'lends'> &
  Pick<RelaxAheadRequest, 'initial'>;

/**
 * Like `relax`, but x₀ may be the result of the previous use of the board, which still runs. If that use
 * `lends`, the couplings are sent into the second bank while the board still runs. Otherwise, and on a board
 * with one bank, the couplings are sent after it. Errors: those of `relax` and of `initial`.
 */
export async function relaxAhead(device: BoardDevice, request: BoardRelaxAheadRequest): Promise<RelaxResult> {
  let made: Coded | undefined;
  return inSession(
    device,
    request,
    () => checkForBoard(request, checkRelaxAheadRequest(request), device.identity),
    (session, system) => relaxIn(session, system, request, made),
    (system, model) => {
      made = codedFor(model, system, request, device.identity);
      return made.codes;
    },
  );
}

/** The couplings of a relaxation, and their scale. */
interface Coded {
  readonly early: SystemScaling;
  readonly codes: SystemCodes;
}

function codedFor(
  model: BoardModel,
  system: CheckedSystem,
  request: BoardRelaxRequest | BoardRelaxAheadRequest,
  identity: DeviceIdentity,
): Coded {
  const early = systemScaling(request, system, identity);
  return { early, codes: codesOfMembers(model, system, request)(0, early) };
}

/** `made` are the codes if they were sent ahead. */
async function relaxIn(
  session: BoardSession,
  system: CheckedSystem,
  request: BoardRelaxRequest | BoardRelaxAheadRequest,
  made: Coded | undefined,
): Promise<RelaxResult> {
  const { identity } = session;
  const nothing = (b: Float64Array, x: Float64Array): boolean => isZero(b) && isZero(x);
  const zero = (): Float64Array => new Float64Array(system.dimension);
  let { drive, initial } = request;
  const isLate = typeof drive === 'function' || typeof initial === 'function';
  if (typeof drive !== 'function' && typeof initial !== 'function' && nothing(drive, initial))
    return { x: zero(), cost: ZERO_COST };
  const noise = noiseOf(request, identity);
  const { early, codes } =
    made ?? session.charge('mapMs', () => codedFor(session.model, system, request, identity));
  const codesOf = codesOfMembers(session.model, system, request);
  if (isLate) {
    await session.uploadCouplings(codes);
    if (typeof initial === 'function')
      initial = await lateVector(initial, 'initial state', system, request.signal);
    if (typeof drive === 'function') drive = await lateVector(drive, 'drive', system, request.signal);
    if (nothing(drive, initial)) return { x: zero(), cost: session.cost };
  }
  assert(typeof drive !== 'function' && typeof initial !== 'function', 'both came');
  const relaxation = { drive, initial, time: request.time };
  const first = session.charge('mapMs', () =>
    finiteTimeScaling(system, relaxation, identity, early.couplingBits),
  );
  const result = await ranged<RelaxResult>(
    rangeOf(first, identity),
    runsOf(session, request, relaxation, { first, codes, codesOf }, noise),
  );
  // The arrays are reused, because a training makes 650 kB of codes in each step. After a failure the device
  // may still use them.
  if ((request.roundings ?? 1) === 1) releaseCouplings(system.system, codes);
  return result;
}

function check(request: BoardRelaxRequest, identity: DeviceIdentity): CheckedSystem {
  return checkForBoard(request, checkRelaxRequest(request), identity);
}

function checkForBoard(
  request: BoardRelaxRequest | BoardRelaxAheadRequest,
  checked: CheckedSystem,
  identity: DeviceIdentity,
): CheckedSystem {
  const { couplingBits = COUPLING_BITS_MAX, noiseTemperature = 0, ticksMax = 1 } = request;
  checkWhole('couplingBits', couplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  checkNumber('noiseTemperature', noiseTemperature, 0);
  checkNumber('ticksMax', ticksMax, 1);
  checkOptionalFlag('chopped', request.chopped);
  checkWhole('roundings', request.roundings ?? 1, 1, ROUNDINGS_MAX);
  refuseTooLarge(checked.system, identity);
  return checked;
}

function systemScaling(
  request: Pick<BoardRelaxRequest, 'couplingBits' | 'time' | 'nextTime' | 'ticksMax'>,
  system: CheckedSystem,
  identity: DeviceIdentity,
): SystemScaling {
  const couplingBits = Math.min(request.couplingBits ?? COUPLING_BITS_MAX, identity.couplingBits);
  const scalingFor = (time: number) => finiteTimeSystemScaling(system, time, identity, couplingBits);
  const resolved = 'make the largest eigenvalue smaller: a tick must be short enough for it.';
  const scaling = scalingFor(request.time);
  refuseTooLong(scaling.ticks, request.ticksMax, `Shorten the time, or ${resolved}`);
  if (request.nextTime !== undefined)
    refuseTooLong(
      scalingFor(request.nextTime).ticks,
      request.ticksMax,
      `Shorten the time of the relaxation that comes next (the delay of an optimizer), or ${resolved}`,
    );
  return scaling;
}

/** Codes of one rounding of the couplings. */
type CodesOf = (member: number, scaling: SystemScaling) => SystemCodes;

function codesOfMembers(
  model: BoardModel,
  { system }: CheckedSystem,
  { roundings = 1, address }: Pick<BoardRelaxRequest, 'roundings' | 'address'>,
): CodesOf {
  return (member, scaling) =>
    model.quantizeSystem(roundings === 1 ? system : dithered(system, scaling, address, member), scaling, 0);
}

/**
 * One attempt at one s_x, with all roundings and both signs. Couplings depend only on s_A, so the first retry
 * sends no couplings if there is a single rounding. `codes` are those of the first rounding at the first s_A.
 */
function runsOf(
  session: BoardSession,
  { chopped = false, roundings = 1 }: Pick<BoardRelaxRequest, 'chopped' | 'roundings'>,
  { drive, initial }: Relaxation,
  {
    first,
    codes: firstCodes,
    codesOf,
  }: { readonly first: TimedScaling; readonly codes: SystemCodes; readonly codesOf: CodesOf },
  noise: NoiseRegister,
) {
  const { model } = session;
  let codes = firstCodes;
  let coded = { scale: first.systemScale, member: 0 };
  return async (solutionScale: number): Promise<Attempt<RelaxResult>> => {
    const scaling = scalingAt(first, solutionScale);
    const signs = chopped ? [1, -1] : [1];
    const x = new Float64Array(initial.length);
    for (let member = 0; member < roundings; member++)
      for (const sign of signs) {
        const image = session.charge('mapMs', () => {
          if (coded.scale !== scaling.systemScale || coded.member !== member) {
            codes = codesOf(member, scaling);
            coded = { scale: scaling.systemScale, member };
          }
          const driveCodes = model.quantizeDrive(signed(drive, sign), scaling);
          const state = quantizeInitialState(signed(initial, sign), solutionScale);
          return programImage(codes, driveCodes, state, noise);
        });
        await session.program(image);
        const run = await session.acquire({ burnInTicks: scaling.ticks, sampleCount: 1, ticksPerSample: 0 });
        if (run.overloaded) return { overload: run.report };
        const share = sign / (roundings * signs.length);
        session.charge('readoutMs', () => addScaled(x, share, model.readOut(run.codes, solutionScale)));
      }
    return { answer: { x, cost: session.cost } };
  };
}

/** `values` itself for the sign +1, a negated copy for −1. */
export function signed(values: Float64Array, sign: number): Float64Array {
  return sign === 1 ? values : values.map((value) => -value);
}

/**
 * The scaling of the attempt at `solutionScale`. From twice the first s_x on, n and s_A grow in proportion to
 * s_x.
 */
function scalingAt(first: TimedScaling, solutionScale: number): TimedScaling {
  const growth = Math.max(1, solutionScale / first.solutionScale / 2);
  return { ...first, solutionScale, ticks: growth * first.ticks, systemScale: growth * first.systemScale };
}

/**
 * Returns the register for κ in V_fs². If κ is 0, there is no noise. Errors: BAD_ARGUMENT outside the board's
 * range.
 */
export function noiseOf(
  { noiseTemperature = 0 }: Pick<BoardRelaxRequest, 'noiseTemperature'>,
  identity: DeviceIdentity,
): NoiseRegister {
  const tick = tickOf(identity);
  const { min, max } = noiseTemperatureRange(identity, tick);
  // A value that was printed with five digits may lie just outside the range, so the range is widened a
  // little.
  const isPossible =
    noiseTemperature === 0 || (noiseTemperature >= min * 0.9999 && noiseTemperature <= max * 1.0001);
  if (isPossible) return noiseRegister(noiseTemperature, tick, identity);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `A noise temperature of ${noiseTemperature} V_fs² is outside this board's noise register.`,
    {
      hint: `Choose 0, or a value between ${formatNumber(min, 2)} and ${formatNumber(max, 2)} V_fs².`,
      data: { noiseTemperature, min, max },
    },
  );
}

function rangeOf(first: TimedScaling, identity: DeviceIdentity) {
  return {
    firstScale: first.solutionScale,
    attemptsMax: ATTEMPTS_MAX,
    giveUp: (solutionScale: number, overload: RunReport | undefined) =>
      overloadError(
        `The board ran into its rails ${ATTEMPTS_MAX} times in a row, last after ${overload?.ticksDone} of ` +
          `${scalingAt(first, solutionScale).ticks} ticks.`,
        'The relaxation grows without bound. Check that the system is positive definite and the time is not too long.',
        overload,
        identity,
        { ...overload, solutionScale },
      ),
  };
}
