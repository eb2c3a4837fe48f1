import { assert } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { norm2, normInf } from '../linalg/products.js';
import { adcStep, type BoardRange, rowAttenuationOf, tickOf } from './board-range.js';
import type { CheckedSystem } from './checked-system.js';

/** The scaling of A to the range of a board: A = s_A·Â, with Â in G_fs. */
export interface SystemScaling {
  /** s_A: units of A per G_fs. */
  readonly systemScale: number;
  /** b: width of a coupling code. */
  readonly couplingBits: number;
  /** ρ, a whole number: row amplifiers divide by 2^ρ; 0 for a dense system. */
  readonly rowAttenuation: number;
}

/**
 * The scaling of a problem to the range of a board: A = s_A·Â, x = s_x·v, b = s_A·s_x·ê, with v in V_fs and
 * Â, ê/V_fs in G_fs.
 */
export interface Scaling extends SystemScaling {
  /** s_x: units of x per V_fs, a power of two. */
  readonly solutionScale: number;
}

/** A scaling with the length of the run: algorithm time t = ticks · h / s_A. */
export interface TimedScaling extends Scaling {
  readonly ticks: number;
}

/** Time, drive and initial state of a run to a finite time. */
export interface Relaxation {
  /** t ≥ 0 in units of 1/eigenvalue of A. */
  readonly time: number;
  /** b, length N. */
  readonly drive: Float64Array;
  /** x₀, length N. */
  readonly initial: Float64Array;
}

/**
 * Upper bound of h·λ̂_max in a run to equilibrium. At 2 the step is unstable. The difference from 2 is a
 * margin for rounded couplings.
 */
const EQUILIBRIUM_STEP_MAX = 1.9;
/** Least number of ticks of a relaxation that leaves at most 1/e of its fastest mode (decision 9). */
const PATH_TICKS = 6;

/**
 * The scaling of a relaxation for a time t. The number of ticks is chosen first and the scale from it, so
 * that algorithm time is exact:
 *
 *     s_Amin = max(s for which no coupling saturates, σ·h)
 *     n = max(1, ⌈t·s_Amin/h⌉, ⌈6·min(1, σt)⌉),   s_A = n·h/t;   for t = 0: n = 0, s_A = s_Amin
 *
 * The share (1 − λt/n)ⁿ of a mode λ ≥ 0 is then left, with λt/n ≤ 1 and
 *
 *     e^(−λt) − 0.05 ≤ (1 − λt/n)ⁿ ≤ e^(−λt):
 *
 * no mode overshoots, and every mode has relaxed at least as far as in the exact solution. s_x bounds the
 * largest entry during the run under the assumption that cells are not coupled. A run that passes a rail is
 * repeated at a larger s_x.
 */
export function finiteTimeScaling(
  checked: CheckedSystem,
  { time, drive, initial }: Relaxation,
  range: BoardRange,
  couplingBits: number,
): TimedScaling {
  const ofSystem = finiteTimeSystemScaling(checked, time, range, couplingBits);
  const solutionScale = finiteTimeSolutionScale(
    normInf(drive),
    normInf(initial),
    checked.measure.eigenvalueFloor,
    time,
    range.driveRange * ofSystem.systemScale,
  );
  return { ...ofSystem, solutionScale };
}

/** The part of `finiteTimeScaling` that depends on neither the drive nor the initial state: n, s_A and ρ. */
export function finiteTimeSystemScaling(
  checked: CheckedSystem,
  time: number,
  range: BoardRange,
  couplingBits: number,
): SystemScaling & Pick<TimedScaling, 'ticks'> {
  const tick = tickOf(range);
  const { system, measure } = checked;
  const { largestEntry, eigenvalueBound } = measure;
  const scaleMin = Math.max(unsaturatedScale(system, largestEntry, couplingBits), eigenvalueBound * tick);
  const pathTicks = Math.ceil(PATH_TICKS * Math.min(1, eigenvalueBound * time));
  const ticks = time === 0 ? 0 : Math.max(1, Math.ceil((time * scaleMin) / tick), pathTicks);
  const systemScale = time === 0 ? scaleMin || 1 : (ticks * tick) / time;
  return {
    ticks,
    systemScale,
    couplingBits,
    rowAttenuation: attenuationOf(checked, systemScale, range),
  };
}

/**
 * s_A for a run to equilibrium. A larger s_A costs time and resolution. So it is the smallest one at which no
 * coupling saturates and each tick reduces every mode at least as much as the slowest one: |1 − hλ̂| ≤ 1 −
 * hλ̂_min, which means h(λ̂_max + λ̂_min) ≤ 2, and h·λ̂_max ≤ 1.9.
 */
export function equilibriumSystemScale(
  system: LinearSystem,
  largestEntry: number,
  eigenvalueMin: number,
  eigenvalueMax: number,
  range: BoardRange,
): number {
  const stepScale = Math.max(eigenvalueMax / EQUILIBRIUM_STEP_MAX, (eigenvalueMin + eigenvalueMax) / 2);
  return Math.max(unsaturatedScale(system, largestEntry, range.couplingBits), stepScale * tickOf(range));
}

/**
 * First guess of s_x for an equilibrium. It assumes that the whole drive lies in the slowest mode and is
 * spread evenly over the cells. It is at least the s_x that the drive range needs. A reading then shows the
 * true size.
 */
export function equilibriumSolutionScale(
  drive: Float64Array,
  eigenvalueMin: number,
  systemScale: number,
  range: BoardRange,
): number {
  return powerOfTwoAbove(
    Math.max(
      norm2(drive) / (eigenvalueMin * Math.sqrt(drive.length)),
      driveLimitedScale(drive, systemScale, range),
    ),
  );
}

/** Smallest s_x at which the drive DAC does not saturate. */
export function driveLimitedScale(drive: Float64Array, systemScale: number, range: BoardRange): number {
  return normInf(drive) / (range.driveRange * systemScale);
}

/** x = s_x·v for one ADC reading per cell. */
export function undo(
  codes: ArrayLike<number>,
  solutionScale: number,
  adcBits: number,
): Float64Array<ArrayBuffer> {
  const unit = solutionScale * adcStep(adcBits);
  const x = new Float64Array(codes.length);
  for (let i = 0; i < codes.length; i++) x[i] = unit * codes[i];
  return x;
}

/** Smallest power of two that is not below `x`; 0 for 0. */
export function powerOfTwoAbove(x: number): number {
  if (x === 0) return 0;
  assert(x > 0 && x < Infinity, `a scale of ${x}`);
  let power = 2 ** Math.ceil(Math.log2(x));
  // log2 is not exact near a power of two, and a training must not depend on the last bit of log2.
  while (power < x) power *= 2;
  while (power / 2 >= x) power /= 2;
  return power;
}

/** ρ at s_A; 0 for a dense system, which has no row amplifiers. */
export function attenuationOf(
  { system, measure }: CheckedSystem,
  systemScale: number,
  range: BoardRange,
): number {
  if (system.kind === 'dense') return 0;
  return rowAttenuationOf(system.factor.rows, measure.rowSumMax / Math.sqrt(systemScale), range.rowScaleMax);
}

/**
 * (largest/kMax)^p, where kMax is the largest code; p = 2 for a factor, whose square is A, and p = 1 for A
 * itself.
 */
export function unsaturatedScale(system: LinearSystem, largestEntry: number, couplingBits: number): number {
  const unit = 2 ** (couplingBits - 1);
  const scaled = largestEntry / ((unit - 1) / unit);
  return system.kind === 'dense' ? scaled : scaled * scaled;
}

/**
 * 2^⌈log2 max(|x₀|e^(−λt) + |g|(1 − e^(−λt))/λ, |x₀|, |g|/(R·s_A))⌉, each |·| a largest entry; 1 when both
 * vectors are 0.
 */
function finiteTimeSolutionScale(
  driveMax: number,
  initialMax: number,
  lambda: number,
  time: number,
  driveMaxPerScale: number,
): number {
  const reached = initialMax * Math.exp(-lambda * time) + driveMax * relaxedTime(lambda, time);
  const needed = Math.max(reached, initialMax, driveMax / driveMaxPerScale);
  return needed === 0 ? 1 : powerOfTwoAbove(needed);
}

/** (1 − e^(−λt))/λ, and its limit t at λ = 0. */
export function relaxedTime(lambda: number, time: number): number {
  return lambda === 0 ? time : -Math.expm1(-lambda * time) / lambda;
}
