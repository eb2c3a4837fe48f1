import { DAMPING_MAX } from '../../firmware-protocol/limits.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { cholesky } from '../linalg/cholesky.js';
import { dampedSystem, type LinearSystem } from '../linalg/linear-system.js';
import { symmetricPart } from '../linalg/matrix.js';
import { formatNumber } from '../number-text.js';
import type { BoardModel } from './board-model.js';
import { DAMPING_STEP, railOf, tickOf } from './board-range.js';
import type { CheckedSystem } from './checked-system.js';
import { quietSystemScale, splitDiagonal } from './diagonal-split.js';
import { burnInTicks } from './estimate.js';
import { carryNoiseVariance, noiseTemperatureRange } from './noise-register.js';
import type { SystemCodes } from './quantize.js';
import { attenuationOf, equilibriumSystemScale, type Scaling } from './scaling.js';
import { CHOLESKY_CELLS_MAX, type Spectrum } from './spectrum.js';

/**
 * A plan to bring one system to equilibrium on one board. It serves any number of drives; their runs differ
 * only in s_x and noise.
 */
export interface EquilibriumPlan {
  readonly system: LinearSystem;
  readonly spectrum: Spectrum;
  readonly identity: DeviceIdentity;
  readonly codes: SystemCodes;
  /** The model of this board. */
  readonly model: BoardModel;
  /** A_q: the system that the codes stand for, according to the model. */
  readonly programmed: LinearSystem;
  /** s_A. */
  readonly systemScale: number;
  /** The rail of a cell, in V_fs. */
  readonly rail: number;
  /** Ticks until 2⁻¹⁰ of the deviation of the slowest mode is left. */
  readonly settleTicks: number;
  /** Ticks between two samples: 1.5 time constants of the slowest mode. */
  readonly ticksPerSample: number;
  /** Number of samples that a standard error needs. */
  readonly samplesMin: number;
  /** Bound on the number of samples that count as one independent sample: (1 + e^−1.5)/(1 − e^−1.5). */
  readonly correlationTimeMax: number;
  /** Smallest and largest meaningful κ on this board, in V_fs². */
  readonly noiseTemperatureMin: number;
  readonly noiseTemperatureMax: number;
}

/** Share of a deviation in the slowest mode that is left after settling. */
export const SETTLE_REMAINDER = 2 ** -10;
/**
 * With this spacing and count, z = error/standardError had a variance of 0.96 to 1.08 on simulated
 * relaxations of 8 and 64 cells. Twice the spacing gains 1 % and costs twice the time. With half the spacing,
 * the correlation is known too badly.
 */
const SAMPLE_SPACING = 1.5;
const SAMPLES_MIN = 48;
/**
 * Number of standard deviations of the noise that fit below the rail. About one of 10⁸ independent samples
 * exceeds 5.7.
 */
const NOISE_HEADROOM = 6;

/**
 * Chooses scale, codes and times of a system on a board; `model` is the model of the board. A damping up to
 * `dampingMax`, in units of A, can be added to the diagonal later (`plusDamping`).
 *
 * Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET if the condition number of the system is so large that its
 * codes are not positive definite.
 */
export function planEquilibrium(
  checked: CheckedSystem,
  identity: DeviceIdentity,
  model: BoardModel,
  dampingMax = 0,
): EquilibriumPlan {
  const { system, measure, spectrum } = checked;
  const split = splitDiagonal(system, measure.largestEntry);
  const { eigenvalueMin, eigenvalueMax } = spectrum;
  const scaleOf = (largest: number) =>
    equilibriumSystemScale(
      system,
      largest * model.couplingMargin,
      eigenvalueMin + dampingMax,
      eigenvalueMax + dampingMax,
      identity,
    );
  const systemScale = Math.max(
    scaleOf(split.largestEntry + model.dampingSpread * split.damping),
    Math.min(scaleOf(measure.largestEntry), quietSystemScale(eigenvalueMax + dampingMax, identity)),
  );
  const scaling: Scaling = {
    systemScale,
    solutionScale: 1,
    couplingBits: identity.couplingBits,
    rowAttenuation: attenuationOf(checked, systemScale, identity),
  };
  const codes = model.quantizeSystem(system, scaling, split.damping);
  const programmed = model.programmedSystem(codes, systemScale);
  refuseIndefiniteCodes(programmed, spectrum, identity);
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
    ...ticksOf(eigenvalueMin, systemScale, identity),
    samplesMin: SAMPLES_MIN,
    correlationTimeMax: (1 + decay) / (1 - decay),
    noiseTemperatureMin: identity.noiseTemperatureMin * 1e-12,
    noiseTemperatureMax: noiseTemperatureRange(identity, tickOf(identity)).max,
  };
}

function ticksOf(eigenvalueMin: number, systemScale: number, identity: DeviceIdentity) {
  const decayPerTick = (tickOf(identity) * eigenvalueMin) / systemScale;
  return {
    settleTicks: burnInTicks(SETTLE_REMAINDER, decayPerTick),
    ticksPerSample: Math.max(1, Math.ceil(SAMPLE_SPACING / decayPerTick)),
  };
}

/**
 * The plan of A + λI for a plan of A, with λ = `damping` up to the `dampingMax` of that plan. The couplings
 * are the same array, so they need not be sent again: only the damping register changes.
 *
 * Errors: UNSUPPORTED for a damping that is too large for the register.
 */
export function plusDamping(plan: EquilibriumPlan, damping: number): EquilibriumPlan {
  if (damping === 0) return plan;
  const { spectrum, systemScale, identity } = plan;
  const added = damping / (DAMPING_STEP * systemScale);
  if (plan.codes.damping + added > DAMPING_MAX)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `A damping of ${damping} is more than the damping register holds.`,
      {
        hint: `Choose at most ${formatNumber((DAMPING_MAX - plan.codes.damping) * DAMPING_STEP * systemScale, 2)}.`,
        data: { damping },
      },
    );
  const codes = { ...plan.codes, damping: plan.codes.damping + Math.round(added) };
  const eigenvalueMin = spectrum.eigenvalueMin + damping;
  return {
    ...plan,
    system: dampedSystem(plan.system, damping),
    codes,
    programmed: plan.model.programmedSystem(codes, systemScale),
    spectrum: {
      ...spectrum,
      eigenvalueMin,
      eigenvalueMax: spectrum.eigenvalueMax + damping,
      trace: spectrum.trace + spectrum.dimension * damping,
      inverseTrace: Math.min(spectrum.inverseTrace, spectrum.dimension / eigenvalueMin),
    },
    ...ticksOf(eigenvalueMin, systemScale, identity),
  };
}

/**
 * Refuses codes whose rounding has moved the smallest eigenvalue below zero. The board would be unstable
 * instead of settling.
 */
function refuseIndefiniteCodes(programmed: LinearSystem, spectrum: Spectrum, identity: DeviceIdentity): void {
  if (isProbablyDefinite(programmed)) return;
  const condition = spectrum.eigenvalueMax / spectrum.eigenvalueMin;
  throw new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `After rounding to ${identity.couplingBits}-bit couplings, a system with the condition number ${formatNumber(condition, 1)} is not positive definite any more.`,
    {
      hint: 'A larger tolerance does not help: precondition it, add damping (A + λI), or choose a board with finer couplings.',
      data: { condition, eigenvalueMin: spectrum.eigenvalueMin, couplingBits: identity.couplingBits },
    },
  );
}

/**
 * Whether every eigenvalue of A has a positive real part. This holds if (A + Aᵀ)/2 is positive definite. A
 * dense system of more than 1,024 cells is not checked; the function returns true, because the check would
 * take too long.
 */
function isProbablyDefinite(system: LinearSystem): boolean {
  if (system.kind === 'dense')
    return system.matrix.rows > CHOLESKY_CELLS_MAX || cholesky(symmetricPart(system.matrix)).ok;
  return system.damping > 0 || system.factor.rows >= system.factor.columns;
}

/** The scaling of a run of this plan with s_x = `solutionScale`. */
export function scalingAt({ codes, systemScale }: EquilibriumPlan, solutionScale: number): Scaling {
  const { couplingBits, rowAttenuation } = codes;
  return { systemScale, solutionScale, couplingBits, rowAttenuation };
}

/** κ in V_fs² of noise κ in the problem's units: κ_board = κ/(s_x²·s_A). */
export function boardNoise(plan: EquilibriumPlan, solutionScale: number, noiseTemperature: number): number {
  return noiseTemperature / solutionScale ** 2 / plan.systemScale;
}

/**
 * Smallest s_x at which the board can carry noise of temperature κ (in the problem's units), within its rails
 * and its noise register.
 */
export function noiseLimitedScale(plan: EquilibriumPlan, noiseTemperature: number): number {
  return Math.max(
    (NOISE_HEADROOM / plan.rail) * Math.sqrt(noiseTemperature / plan.spectrum.eigenvalueMin),
    Math.sqrt(noiseTemperature / (plan.noiseTemperatureMax * plan.systemScale)),
  );
}

/**
 * Variance that the carried rounding adds to the stiffest mode, divided by its ideal variance κ̂/λ̂_max; κ̂
 * is in V_fs². The other modes have smaller shares (device-model.md, "One tick").
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
