import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { tickOf } from '../mapping/board-range.js';
import { inspectSystem } from '../mapping/definiteness.js';
import { noiseRegister, noiseTemperatureOf } from '../mapping/noise-register.js';
import { programImage } from '../mapping/quantize.js';
import { powerOfTwoAbove, undo } from '../mapping/scaling.js';
import { refuseTooLarge, refuseTooLong } from './board-limits.js';
import { BoardRuns } from './board-runs.js';
import type { RunAddress, SolverCost } from './contract.js';
import { boardNoise, noiseLimitedScale } from './equilibrium-pass.js';
import { type EquilibriumPlan, planEquilibrium } from './equilibrium-plan.js';

export interface SamplingRequest {
  /** P, symmetric positive definite. */
  readonly precision: LinearSystem;
  /** How many draws, ≥ 1. */
  readonly count: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

export interface SamplingResult {
  /** count × N, a draw a row. */
  readonly draws: Matrix;
  /** Bound on the correlation of neighbouring draws, that of the slowest mode. */
  readonly correlationMax: number;
  readonly cost: SolverCost;
}

/** Three time constants of the slowest mode between two draws: at most e⁻³ = 5 % of one is in the next. */
const SPACING = 3;
/** The first draw comes after so many of these: what is left of the start is e⁻¹². */
const BURN_IN_SPACINGS = 4;
/** Draws of one run, the bound of what is held in codes. */
const DRAWS_PER_RUN = 256;
const OVERLOADS_MAX = 6;

/**
 * Draws from N(0, P⁻¹): the undriven board at equilibrium has covariance κP⁻¹, and its readings are divided by √κ.
 *
 * Exact up to the rounding of couplings and ADC; the correlation of the draws is given. Errors: BAD_MATRIX,
 * NOT_POSITIVE_DEFINITE, TOO_LARGE before any byte is sent; OVERLOAD.
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660.
 */
export async function drawSamples(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  const { identity } = device;
  const { precision, address, signal } = request;
  const board = new BoardRuns(device, address, signal);
  const spectrum = board.charge('mapMs', () => inspectSystem(precision));
  refuseTooLarge(precision, identity);
  const plan = board.charge('mapMs', () => planEquilibrium(precision, spectrum, identity));
  const spacingTicks = Math.ceil((SPACING * plan.systemScale) / (tickOf(identity) * spectrum.eigenvalueMin));
  refuseTooLong(spacingTicks * (request.count + BURN_IN_SPACINGS));
  // With κ = 1 in the problem's units the readings are the draws; the scale keeps six standard deviations off the rail.
  let scale = powerOfTwoAbove(noiseLimitedScale(plan, 1));
  for (let overloads = 0; overloads < OVERLOADS_MAX; overloads++, scale *= 2) {
    const draws = await drawAt(plan, board, scale, spacingTicks, request);
    if (draws) return { draws, correlationMax: Math.exp(-SPACING), cost: board.cost };
  }
  throw new ThermolinkError('OVERLOAD', 'The board runs into its rails at every scale that was tried.', {
    hint: 'Its noise seems far larger than its register says; characterize the board.',
    data: { scale },
  });
}

/** All draws at one scale, or undefined when a cell ran into its rail. */
async function drawAt(
  plan: EquilibriumPlan,
  board: BoardRuns,
  scale: number,
  spacingTicks: number,
  { precision, count, onProgress }: SamplingRequest,
): Promise<Matrix | undefined> {
  const { identity } = plan;
  const cells = dimensionOf(precision);
  const register = noiseRegister(boardNoise(plan, scale, 1), tickOf(identity), identity);
  await board.program(programImage(plan.codes, new Int16Array(cells), new Int16Array(cells), register));
  const applied = noiseTemperatureOf(register, tickOf(identity)) * scale ** 2 * plan.systemScale;
  const draws = matrix(count, cells);
  for (let done = 0; done < count; ) {
    const { codes, overloaded } = await board.acquire({
      burnInTicks: done === 0 ? BURN_IN_SPACINGS * spacingTicks : spacingTicks,
      sampleCount: Math.min(DRAWS_PER_RUN, count - done),
      ticksPerSample: spacingTicks,
      goesOn: done > 0,
    });
    if (overloaded) return undefined;
    const values = undo(codes, scale / Math.sqrt(applied), identity.adcBits);
    draws.data.set(values, done * cells);
    done += codes.length / cells;
    onProgress?.(done);
  }
  return draws;
}
