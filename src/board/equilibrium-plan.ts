import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { cholesky } from '../linalg/cholesky.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { symmetricPart } from '../linalg/matrix.js';
import { type BoardModel, nominalModel } from './board-model.js';
import { railOf, tickOf } from './board-range.js';
import { CHOLESKY_CELLS_MAX, type Spectrum } from './definiteness.js';
import { quietSystemScale, splitDiagonal } from './diagonal-split.js';
import { burnInTicks } from './estimate.js';
import { carryNoiseVariance, noiseTemperatureRange } from './noise-register.js';
import type { SystemCodes } from './quantize.js';
import { attenuationOf, equilibriumSystemScale, type Scaling } from './scaling.js';
import { measureSystem } from './system-measure.js';

/** How one system runs to equilibrium on one board: what does not change from pass to pass. */
export interface EquilibriumPlan {
  readonly system: LinearSystem;
  readonly spectrum: Spectrum;
  readonly identity: DeviceIdentity;
  readonly codes: SystemCodes;
  /** What codes do on this board. */
  readonly model: BoardModel;
  /** A_q, the system those codes stand for, as far as the model knows. */
  readonly programmed: LinearSystem;
  readonly systemScale: number;
  /** Of a cell, in V_fs. */
  readonly rail: number;
  /** Until the slowest mode has lost all but 2⁻¹⁰ of its deviation. */
  readonly settleTicks: number;
  /** 1.5 time constants of the slowest mode. */
  readonly ticksPerSample: number;
  /** Samples a standard error needs. */
  readonly samplesMin: number;
  /** Bound on τ, the readings one independent reading is worth at this spacing: (1 + e^−1.5)/(1 − e^−1.5). */
  readonly correlationTimeMax: number;
  /** κ of the board that means something, in V_fs². */
  readonly noiseTemperatureMin: number;
  readonly noiseTemperatureMax: number;
}

/** What settling leaves of a deviation in the slowest mode. */
export const SETTLE_REMAINDER = 2 ** -10;
/**
 * At this spacing and count, z = error/standardError had a variance of 0.96 to 1.08 on simulated relaxations of 8 and 64
 * cells; twice the spacing gains 1 % and costs twice the time, half of it leaves the correlation poorly known.
 */
const SAMPLE_SPACING = 1.5;
const SAMPLES_MIN = 48;

/**
 * Chooses scale, codes and times. `model` is what is known of the board; default: that it does as it is told.
 *
 * Errors: TOLERANCE_NOT_MET when the system is so badly conditioned that its codes are not positive definite any more.
 */
export function planEquilibrium(
  system: LinearSystem,
  spectrum: Spectrum,
  identity: DeviceIdentity,
  model: BoardModel = nominalModel(identity),
): EquilibriumPlan {
  const measure = measureSystem(system);
  const split = splitDiagonal(system, measure.largestEntry);
  const { eigenvalueMin, eigenvalueMax } = spectrum;
  const scaleOf = (largest: number) =>
    equilibriumSystemScale(system, largest * model.couplingMargin, eigenvalueMin, eigenvalueMax, identity);
  const systemScale = Math.max(
    scaleOf(split.largestEntry + model.dampingSpread * split.damping),
    Math.min(scaleOf(measure.largestEntry), quietSystemScale(eigenvalueMax, identity)),
  );
  const scaling: Scaling = {
    systemScale,
    solutionScale: 1,
    couplingBits: identity.couplingBits,
    rowAttenuation: attenuationOf(system, measure, systemScale, identity),
  };
  const codes = model.quantizeSystem(system, scaling, split.damping);
  const programmed = model.programmedSystem(codes, systemScale);
  refuseIndefiniteCodes(programmed, spectrum, identity);
  const tick = tickOf(identity);
  const decayPerTick = (tick * eigenvalueMin) / systemScale;
  const decay = Math.exp(-SAMPLE_SPACING);
  return {
    system,
    spectrum,
    identity,
    codes,
    model,
    programmed,
    systemScale,
    rail: railOf(identity),
    settleTicks: burnInTicks(SETTLE_REMAINDER, decayPerTick),
    ticksPerSample: Math.max(1, Math.ceil(SAMPLE_SPACING / decayPerTick)),
    samplesMin: SAMPLES_MIN,
    correlationTimeMax: (1 + decay) / (1 - decay),
    noiseTemperatureMin: identity.noiseTemperatureMin * 1e-12,
    noiseTemperatureMax: noiseTemperatureRange(identity, tick).max,
  };
}

/** The scaling of a run of this plan at s_x = `solutionScale`. */
export function scalingAt({ codes, systemScale }: EquilibriumPlan, solutionScale: number): Scaling {
  const { couplingBits, rowAttenuation } = codes;
  return { systemScale, solutionScale, couplingBits, rowAttenuation };
}

/** Rounding has moved the smallest eigenvalue below zero: the board would run away instead of settling. */
function refuseIndefiniteCodes(programmed: LinearSystem, spectrum: Spectrum, identity: DeviceIdentity): void {
  if (isCertainlyDefinite(programmed)) return;
  const condition = spectrum.eigenvalueMax / spectrum.eigenvalueMin;
  throw new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `With ${identity.couplingBits}-bit couplings a system of condition ${condition.toExponential(0)} is not positive definite any more.`,
    {
      hint: 'Precondition it, add damping (A + λI), or choose a board with finer couplings.',
      data: { condition, eigenvalueMin: spectrum.eigenvalueMin, couplingBits: identity.couplingBits },
    },
  );
}

/**
 * Whether every eigenvalue of A has a positive real part: that is so when (A + Aᵀ)/2 is positive definite.
 * A dense system of more than 1,024 cells is taken as definite, since only the board can tell.
 */
function isCertainlyDefinite(system: LinearSystem): boolean {
  if (system.kind === 'dense')
    return system.matrix.rows > CHOLESKY_CELLS_MAX || cholesky(symmetricPart(system.matrix)).ok;
  return system.damping > 0 || system.factor.rows >= system.factor.columns;
}

/** 2³⁰ ticks are 34 s on a board with τ = 1 µs and h = τ/32, and hours in an emulator. */
const TICKS_MAX = 2 ** 30;

/** Refuses a system that this board has no array for: TOO_LARGE naming both sizes, UNSUPPORTED for the mode. */
export function refuseTooLarge(system: LinearSystem, identity: DeviceIdentity): void {
  const isDense = system.kind === 'dense';
  if (isDense ? !identity.hasDense : !identity.hasFactored) {
    throw new ThermolinkError('UNSUPPORTED', `The board ${identity.model} has no ${system.kind} couplings.`, {
      hint: isDense
        ? 'Choose a board with N×N couplings, for example emulator:ideal-64.'
        : 'Choose a board with a crossbar, for example emulator:ideal-crossbar.',
      data: { model: identity.model, kind: system.kind },
    });
  }
  const { rows, columns } = isDense ? system.matrix : system.factor;
  const rowsMax = isDense ? identity.cells : identity.rows;
  if (columns <= identity.cells && rows <= rowsMax) return;
  throw new ThermolinkError(
    'TOO_LARGE',
    `The system has ${columns} unknowns${isDense ? '' : ` and a factor of ${rows} rows`}; ` +
      `the board ${identity.model} has ${identity.cells} cells${isDense ? '' : ` and ${identity.rows} rows`}.`,
    {
      hint: 'Choose a larger board, or cut the problem into blocks that fit.',
      data: { unknowns: columns, rows, cells: identity.cells, boardRows: rowsMax },
    },
  );
}

/** Refuses a run that nobody would wait for: UNSUPPORTED. */
export function refuseTooLong(ticks: number, ticksMax = TICKS_MAX): void {
  if (ticks <= ticksMax) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `One run would take ${ticks.toExponential(1)} ticks; the limit is ${ticksMax.toExponential(1)}.`,
    {
      hint: 'Its slowest mode is too slow for its stiffest: add damping (A + λI), precondition, or shorten the time.',
      data: { ticks, ticksMax },
    },
  );
}

/** Above this share the carried rounding is worth a warning: a standard error is not known better than by some percent. */
export const CARRY_NOISE_SHARE_MAX = 0.01;

/**
 * Extra variance of the stiffest mode from the carried rounding over the κ̂/λ̂_max that it should have, κ̂ in V_fs²; the
 * other modes have less.
 */
export function carryNoiseShare(plan: EquilibriumPlan, noiseTemperature: number): number {
  const { spectrum, systemScale, codes, system, identity } = plan;
  const eigenvalueMax = spectrum.eigenvalueMax / systemScale;
  const row =
    system.kind === 'dense'
      ? undefined
      : { attenuation: codes.rowAttenuation, damping: system.damping / systemScale };
  return (carryNoiseVariance(eigenvalueMax, tickOf(identity), row) * eigenvalueMax) / noiseTemperature;
}
