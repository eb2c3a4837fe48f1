import { checkAddress, checkWhole } from '../argument-checks.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { tickOf } from '../mapping/board-range.js';
import { inspectSystem } from '../mapping/definiteness.js';
import { effectiveNoiseTemperature, noiseRegister } from '../mapping/noise-register.js';
import { programImage } from '../mapping/quantize.js';
import { powerOfTwoAbove, undo } from '../mapping/scaling.js';
import { checkForm } from '../mapping/validation.js';
import { refuseTooLarge, refuseTooLong } from './board-limits.js';
import { BoardRuns } from './board-runs.js';
import { takeTurn } from './board-turn.js';
import { carryNoiseShare } from './carry-noise.js';
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
  /** Called with 0 before the first run, and after each run. */
  readonly onProgress?: (done: number) => void;
}

export interface SamplingResult {
  /** count × N, a draw a row. */
  readonly draws: Matrix;
  /** Bound on the correlation of neighbouring draws, that of the slowest mode. */
  readonly correlationMax: number;
  /** See `SolveResult`. */
  readonly carryNoiseShare: number;
  readonly cost: SolverCost;
}

/** Three time constants of the slowest mode between two draws: at most e⁻³ = 5 % of one is in the next. */
const SPACING = 3;
/** The first draw comes after so many of these: what is left of the start is e⁻¹². */
const BURN_IN_SPACINGS = 4;
/** Draws of one run, the bound of what is held in codes. */
const DRAWS_PER_RUN = 256;
const OVERLOADS_MAX = 6;
/** Entries of a result, 512 MiB: more is better drawn in parts, under several seeds. */
const DRAWN_VALUES_MAX = 2 ** 26;

/** Refuses more draws than one result holds: BAD_ARGUMENT naming the draws and the cells. */
export function checkDrawCount(count: number, cells: number): void {
  checkWhole('The number of draws', count, 1);
  if (count * cells <= DRAWN_VALUES_MAX) return;
  const most = Math.floor(DRAWN_VALUES_MAX / cells);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${count} draws of ${cells} cells are ${count * cells} values; one result holds ${DRAWN_VALUES_MAX}.`,
    {
      hint: `Draw at most ${most} at a time, each time under another seed.`,
      data: { count, cells, valuesMax: DRAWN_VALUES_MAX },
    },
  );
}

/**
 * Draws from N(0, P⁻¹): the undriven board at equilibrium has covariance κP⁻¹, and its readings are divided by √κ.
 *
 * Exact up to the rounding of couplings and ADC; the correlation of the draws is given. Takes turns with the calls of
 * `createAnalogSolver`. Errors: BAD_ARGUMENT for too many, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE before any byte is sent; OVERLOAD.
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660.
 */
export async function drawSamples(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  checkForm(request.precision);
  checkDrawCount(request.count, dimensionOf(request.precision));
  checkAddress(request.address);
  return takeTurn(device, request.signal, () => drawOnBoard(device, request));
}

async function drawOnBoard(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  const { identity } = device;
  const { precision, address, signal } = request;
  const board = new BoardRuns(device, address, signal);
  const spectrum = board.charge('mapMs', () => inspectSystem(precision));
  refuseTooLarge(precision, identity);
  const plan = board.charge('mapMs', () => planEquilibrium(precision, spectrum, identity));
  const spacingTicks = Math.ceil((SPACING * plan.systemScale) / (tickOf(identity) * spectrum.eigenvalueMin));
  refuseTooLong(spacingTicks * (request.count + BURN_IN_SPACINGS));
  const draws = matrix(request.count, dimensionOf(precision));
  request.onProgress?.(0);
  // With κ = 1 in the problem's units the readings are the draws; the scale keeps six standard deviations off the rail.
  let scale = powerOfTwoAbove(noiseLimitedScale(plan, 1));
  for (let overloads = 0; overloads < OVERLOADS_MAX; overloads++, scale *= 2) {
    const noiseTemperature = await drawAt(plan, board, scale, spacingTicks, request, draws);
    if (noiseTemperature === undefined) continue;
    return {
      draws,
      correlationMax: Math.exp(-SPACING),
      carryNoiseShare: carryNoiseShare(plan, noiseTemperature),
      cost: board.cost,
    };
  }
  throw new ThermolinkError('OVERLOAD', 'The board runs into its rails at every scale that was tried.', {
    hint: 'Its noise seems far larger than its register says; characterize the board.',
    data: { scale },
  });
}

/** Fills `draws` at one scale and returns the board's κ in V_fs²; undefined when a cell ran into its rail. */
async function drawAt(
  plan: EquilibriumPlan,
  board: BoardRuns,
  scale: number,
  spacingTicks: number,
  { count, onProgress }: SamplingRequest,
  draws: Matrix,
): Promise<number | undefined> {
  const { identity } = plan;
  const cells = draws.columns;
  const tick = tickOf(identity);
  const register = noiseRegister(boardNoise(plan, scale, 1), tick, identity);
  const report = await board.program(
    programImage(plan.codes, new Int16Array(cells), new Int16Array(cells), register),
  );
  const noiseTemperature = effectiveNoiseTemperature(report, register.shift, tick);
  const applied = noiseTemperature * scale ** 2 * plan.systemScale;
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
  refuseStillCells(draws);
  return noiseTemperature;
}

/** With fewer draws equal readings may be chance: the noise of a healthy cell spans many ADC steps. */
const STILL_DRAWS_MIN = 32;

/** A cell whose readings never change is dead, or its ADC channel is stuck: its draws are no draws. Errors: DEVICE_FAULT. */
function refuseStillCells({ rows, columns, data }: Matrix): void {
  if (rows < STILL_DRAWS_MIN) return;
  const still: number[] = [];
  for (let cell = 0; cell < columns; cell++) {
    let moves = false;
    for (let draw = 1; draw < rows && !moves; draw++) moves = data[draw * columns + cell] !== data[cell];
    if (!moves) still.push(cell);
  }
  if (still.length === 0) return;
  throw new ThermolinkError(
    'DEVICE_FAULT',
    `The readings of cell ${still.slice(0, 8).join(', ')} did not change in ${rows} draws.`,
    {
      hint: 'The cell is dead or its ADC channel is stuck: use another board, or a smaller problem that leaves it out.',
      data: { cells: still },
    },
  );
}
