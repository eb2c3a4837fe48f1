import { COUPLING_BITS_MAX, COUPLING_BITS_MIN } from '../../firmware-protocol/limits.js';
import { checkAddress, checkNumber, checkOptionalFlag, checkSignal, checkWhole } from '../argument-checks.js';
import { adcStep, refuseTooLong } from '../board/board-range.js';
import { HeldCouplings } from '../board/board-use.js';
import { type CheckedSystem, checkSystem, checkVector, refuseTooLarge } from '../board/checked-system.js';
import { ZERO_COST } from '../board/cost.js';
import { type FastestScaling, fastestScaling, STIFF_DAMPING } from '../board/fastest-scaling.js';
import type { NoiseRegister } from '../board/noise-register.js';
import { overloadError } from '../board/overload-error.js';
import { dampingCodeOf, programImage, quantizeInitialState } from '../board/quantize.js';
import { type Attempt, type Range, ranged } from '../board/ranged.js';
import { driveLimitedScale, powerOfTwoAbove } from '../board/scaling.js';
import { type BoardSession, inSession } from '../board/session.js';
import { largestEigenvalue } from '../board/spectrum.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { addScaled } from '../linalg/conjugate-directions.js';
import { dampedSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { isZero, normInf } from '../linalg/products.js';
import { directSolver, inverseOf } from '../linalg/woodbury.js';
import { formatNumber } from '../number-text.js';
import type {
  HeldFactor,
  InverseSolver,
  InverseSolverRequest,
  LoadedFactor,
  TruncatedRequest,
  TruncatedResult,
  TruncatedRun,
  TruncatedSolver,
} from './contract.js';
import { type BoardRelaxRequest, noiseOf, signed } from './relax.js';
import { checkIsInverseRequest, checkIsTruncatedRequest, systemToLoad } from './request-checks.js';

/** The curvature to load into a board for truncated solves. */
export type BoardTruncatedRequest = TruncatedRequest &
  Pick<BoardRelaxRequest, 'couplingBits' | 'noiseTemperature' | 'ticksMax' | 'chopped'>;

/** The width of the couplings of a factor if the caller gives no width. */
const COUPLING_BITS = 8;
/** Largest number of attempts. A first guess that is wrong by a factor of 2³⁰ needs 30 doublings. */
const ATTEMPTS_MAX = 30;
/** A run whose largest voltage, in V_fs, stays below this is repeated at a smaller scale. */
const PEAK_MIN = 1 / 16;
/** The peak that the scale of a repeated run aims at. */
const PEAK_AIM = 1 / 2;
/**
 * After a peak above the first value the next run begins at twice the scale; after one below the second
 * value, at half of it.
 */
const PEAK_HIGH = 0.6;
const PEAK_LOW = 0.25;
/** The first guess assumes that the drive lies in modes with a quarter of λ_max. */
const FIRST_GUESS = 4;

/**
 * Loads A or its factor K into a board and calls `work` with it: see `TruncatedSolver`. The scale s_A is the
 * smallest one at which no coupling saturates and h·λ̂_max ≤ 1.9, where λ̂_max is Lanczos' bound for the
 * programmed codes. A damping above 3 % of λ_max would exceed that margin. Then the couplings are rounded and
 * sent again at a scale that includes the damping. s_x comes from the peak of the previous run. After an
 * overload the run is repeated at twice s_x; after a peak below V_fs/16 it is repeated at a smaller s_x.
 *
 * Without `couplingBits`, codes of A have the width of the board and codes of K have 8 bits. Rounding A moves
 * each of its eigenvalues by up to √N steps, and an eigenvalue that falls below −λ makes the run grow.
 *
 * Errors: those of `TruncatedSolver`.
 */
export async function truncated<Result>(
  device: BoardDevice,
  request: BoardTruncatedRequest,
  work: (loaded: LoadedFactor) => Promise<Result>,
): Promise<Result> {
  const kept = keptOf(request.held);
  return inSession(
    device,
    { ...request, held: kept.couplings },
    () => {
      kept.system = check(request, device, kept.system);
      return kept.system;
    },
    async (session, system) => {
      const noise = noiseOf(request, session.identity);
      const measured = () => largestEigenvalue(system.system);
      kept.eigenvalueMax ??= session.charge('mapMs', measured);
      return work(new FactorOnBoard(session, { system, request, noise, kept }));
    },
  );
}

/** The data of a factor that are kept between calls. */
interface Kept {
  readonly couplings: HeldCouplings;
  system: CheckedSystem | undefined;
  eigenvalueMax: number | undefined;
  /** Codes and scale of the couplings on the board, and the damping that the scale includes. */
  fitted: { readonly counted: number; readonly scaling: FastestScaling } | undefined;
}

const keptFactors = new WeakMap<HeldFactor, Kept>();

function keptOf(held: HeldFactor | undefined): Kept {
  const known = held && keptFactors.get(held);
  if (known !== undefined) return known;
  const couplings = new HeldCouplings();
  couplings.isCounted = held?.isCounted === true;
  const kept: Kept = { couplings, system: undefined, eigenvalueMax: undefined, fitted: undefined };
  if (held !== undefined) keptFactors.set(held, kept);
  return kept;
}

function check(
  request: BoardTruncatedRequest,
  { identity }: BoardDevice,
  known: CheckedSystem | undefined,
): CheckedSystem {
  checkAddress(request.address);
  checkSignal(request.signal);
  const { couplingBits = COUPLING_BITS, noiseTemperature = 0, ticksMax = 1 } = request;
  const checked = known ?? checkSystem(systemToLoad(request));
  checkWhole('couplingBits', couplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  checkNumber('noiseTemperature', noiseTemperature, 0);
  checkNumber('ticksMax', ticksMax, 1);
  checkOptionalFlag('chopped', request.chopped);
  refuseTooLarge(checked.system, identity);
  return checked;
}

interface Load {
  /** A, without damping. */
  readonly system: CheckedSystem;
  readonly request: BoardTruncatedRequest;
  readonly noise: NoiseRegister;
  readonly kept: Kept;
}

class FactorOnBoard implements LoadedFactor {
  readonly eigenvalueMax: number;
  readonly #session: BoardSession;
  readonly #load: Load;

  constructor(session: BoardSession, load: Load) {
    this.#session = session;
    this.#load = load;
    this.eigenvalueMax = load.kept.eigenvalueMax ?? 0;
  }

  get cost() {
    return this.#session.cost;
  }

  async run(run: TruncatedRun): Promise<TruncatedResult> {
    const { system, request } = this.#load;
    const { drive, damping, ticks, scale } = run;
    checkVector(drive, system, 'drive');
    checkNumber('damping', damping, 0);
    checkWhole('ticks', ticks, 1);
    checkNumber('scale', scale, 0);
    refuseTooLong(ticks, request.ticksMax, 'Lower `ticks`.');
    if (isZero(drive)) return { x: new Float64Array(drive.length), nextScale: scale };
    const scaling = this.#scalingFor(damping);
    const { identity } = this.#session;
    const needed = powerOfTwoAbove(driveLimitedScale(drive, scaling.systemScale, identity));
    const guess = (FIRST_GUESS * normInf(drive)) / (this.eigenvalueMax + damping);
    const firstScale = Math.max(scale > 0 ? scale : powerOfTwoAbove(guess), needed);
    const giveUp: Range['giveUp'] = (lastScale, overload) =>
      overloadError(
        `The board found no scale for its solution in ${ATTEMPTS_MAX} runs of ${ticks} ticks.`,
        'Check that the curvature is finite and that its damping is not far below its rounding.',
        overload,
        identity,
        { ...overload, solutionScale: lastScale },
      );
    return ranged({ firstScale, attemptsMax: ATTEMPTS_MAX, giveUp }, (at, scaleMin) =>
      this.#attempt(run, scaling, at, Math.max(needed, scaleMin)),
    );
  }

  #scalingFor(damping: number): FastestScaling {
    const counted = damping > STIFF_DAMPING * this.eigenvalueMax ? damping : 0;
    const { system, request, kept } = this.#load;
    if (kept.fitted?.counted !== counted) {
      const { identity, model } = this.#session;
      const widest = request.matrix === undefined ? COUPLING_BITS : identity.couplingBits;
      const couplingBits = Math.min(request.couplingBits ?? widest, identity.couplingBits);
      const bound = { eigenvalueMax: this.eigenvalueMax, damping: counted };
      const scaling = this.#session.charge('mapMs', () =>
        fastestScaling(system, bound, identity, couplingBits, model),
      );
      kept.fitted = { counted, scaling };
    }
    return kept.fitted.scaling;
  }

  async #attempt(
    { drive, damping, ticks }: TruncatedRun,
    { systemScale, codes }: FastestScaling,
    solutionScale: number,
    scaleMin: number,
  ): Promise<Attempt<TruncatedResult>> {
    const session = this.#session;
    const { request, noise } = this.#load;
    const step = adcStep(session.identity.adcBits);
    const signs = request.chopped ? [1, -1] : [1];
    const x = new Float64Array(drive.length);
    let peak = 0;
    for (const sign of signs) {
      const image = session.charge('mapMs', () => {
        const scaling = { ...codes, systemScale, solutionScale };
        const state = quantizeInitialState(new Float64Array(drive.length), solutionScale);
        const damped = { ...codes, damping: dampingCodeOf(damping, systemScale) };
        const driveCodes = session.model.quantizeDrive(signed(drive, sign), scaling);
        return programImage(damped, driveCodes, state, noise);
      });
      await session.program(image);
      const run = await session.acquire({ burnInTicks: ticks, sampleCount: 1, ticksPerSample: 0 });
      if (run.overloaded) return { overload: run.report };
      session.charge('readoutMs', () => {
        peak = run.codes.reduce((most, code) => Math.max(most, Math.abs(code) * step), peak);
        addScaled(x, sign / signs.length, session.model.readOut(run.codes, solutionScale));
      });
    }
    if (peak < PEAK_MIN && solutionScale > scaleMin) {
      const shrink = 2 ** Math.floor(Math.log2(PEAK_AIM / Math.max(peak, step)));
      return { retryAt: Math.max(solutionScale / shrink, scaleMin) };
    }
    const growth = peak > PEAK_HIGH ? 2 : peak < PEAK_LOW ? 0.5 : 1;
    return { answer: { x, nextScale: solutionScale * growth } };
  }
}

/**
 * The control of every truncated solver: it returns the given drive, at no cost. Its inverse is diag(A)⁻¹:
 * column j is the drive e_j, scaled for the least error as the host scales readings of a board. A method that
 * uses this control shows the results that the host reaches alone.
 *
 * Errors: BAD_ARGUMENT and BAD_MATRIX for a wrong curvature.
 */
export function createNoSolver(): TruncatedSolver & InverseSolver {
  return {
    name: 'none',
    invert: async (request) => {
      const { data, rows } = checkedMatrix(request);
      const inverse = matrix(rows, rows);
      for (let i = 0; i < rows; i++) inverse.data[i * rows + i] = 1 / data[i * rows + i];
      return { inverse, cost: ZERO_COST };
    },
    truncated: async (request, work) => {
      checkIsTruncatedRequest(request);
      const { system } = checkSystem(systemToLoad(request));
      return work({
        eigenvalueMax: largestEigenvalue(system),
        cost: ZERO_COST,
        run: async ({ drive, scale }) => ({ x: Float64Array.from(drive), nextScale: scale }),
      });
    },
  };
}

/**
 * The digital solver for comparison with truncated solvers: (A + λI)⁻¹b in float64 for any number of ticks.
 * Errors: BAD_ARGUMENT, BAD_MATRIX for a matrix that cannot be a curvature; NOT_POSITIVE_DEFINITE for a
 * damping that is 0 within the rounding of float64.
 */
export function createExactSolver(): TruncatedSolver & InverseSolver {
  return {
    name: 'exact',
    invert: async (request) => {
      const given = checkedMatrix(request);
      const inverse = inverseOf(given);
      if (inverse !== undefined) return { inverse, cost: ZERO_COST };
      throw new ThermolinkError('NOT_POSITIVE_DEFINITE', 'Float64 can’t factorise the matrix.', {
        hint: 'Raise `damping`.',
      });
    },
    truncated: async (request, work) => {
      checkIsTruncatedRequest(request);
      const { system } = checkSystem(systemToLoad(request));
      return work({
        eigenvalueMax: largestEigenvalue(system),
        cost: ZERO_COST,
        run: async ({ drive, damping, scale }) => {
          const solve = directSolver(dampedSystem(system, damping));
          if (solve !== undefined) return { x: solve(drive), nextScale: scale };
          throw new ThermolinkError(
            'NOT_POSITIVE_DEFINITE',
            `Float64 can't factorise KᵀK + λI with λ = ${formatNumber(damping)}.`,
            { hint: 'Raise `damping`.', data: { damping } },
          );
        },
      });
    },
  };
}

function checkedMatrix(request: InverseSolverRequest): Matrix {
  checkIsInverseRequest(request);
  checkSystem({ kind: 'dense', matrix: request.matrix });
  return request.matrix;
}
