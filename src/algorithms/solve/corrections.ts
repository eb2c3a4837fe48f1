import { adcStep } from '../../board/board-range.js';
import { weighted } from '../../board/diagonal-scaling.js';
import {
  type Average,
  commitProgram,
  type Reading,
  roundingErrorBound,
  settle,
} from '../../board/equilibrium-pass.js';
import { type EquilibriumPlan, SETTLE_REMAINDER } from '../../board/equilibrium-plan.js';
import { equilibriumSolutionScale } from '../../board/scaling.js';
import type { BoardSession } from '../../board/session.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import type { SolvePlan } from './plan.js';

/**
 * Number of runs without noise at the scale of the average. Their scatter shows the errors that change from
 * one board run to the next.
 */
const CHECK_RUNS = 4;
/**
 * If a board leaves more than this share of a drive as residual, it does not do what it was told, and its
 * readings cannot correct anything.
 */
const LEFT_MAX = 0.5;
/** A residual counts as explained if it is at most this factor times its known causes. */
const SUSPICION = 2;
/** The rest of rounding in an averaged answer stays below this share of its standard error. */
const ROUNDING_SHARE = 1 / 4;
/** A compensation that leaves more than this share of the rounding makes no progress. */
const COMPENSATION_LEFT_MAX = 0.9;
const COMPENSATIONS_MAX = 24;

/**
 * Whether the residual of a reading without noise is larger than its known causes: rounding to codes and ADC
 * steps, and the end of settling. Averages on such a board have errors that the scatter of the samples does
 * not show.
 */
export function isImperfect(plan: EquilibriumPlan, drive: Float64Array, reading: Reading): boolean {
  const left = subtract(drive, applySystem(plan.system, reading.x));
  if (norm2(left) > LEFT_MAX * norm2(drive)) return false;
  const unexplained = norm2(subtract(left, reading.rounding));
  const settling = SETTLE_REMAINDER * norm2(drive);
  return unexplained > SUSPICION * (settling + stepResidual(plan, reading.solutionScale));
}

/** Bound on ‖A q‖₂ for the rounding q to ADC steps, with ‖A‖_F² ≤ λ₊ tr A. */
function stepResidual({ identity, spectrum }: EquilibriumPlan, solutionScale: number): number {
  const step = solutionScale * adcStep(identity.adcBits);
  return (step / 2) * Math.sqrt(spectrum.trace * spectrum.eigenvalueMax);
}

/**
 * Measures the systematic error of an average. The same program runs again without noise and starts from the
 * average; d₀ is the mean of these readings. The scale is the same, so the errors of the board are the same.
 * The array is linear, so the average is d₀ plus noise, and
 *
 *     s₀ = r − A d₀
 *
 * is the part of its residual that is not noise. s₀ takes the place of the rounding to codes and is
 * compensated in the same way. Errors of d₀ and of the average that change from run to run are added in
 * squares to the standard error: (1 + 1/K)·s², where s² is the variance between K runs, pooled over the
 * cells.
 */
export async function withSystematicError(
  plan: EquilibriumPlan,
  session: BoardSession,
  drive: Float64Array,
  averaged: Average,
): Promise<Average> {
  const { solutionScale } = averaged;
  const settled = await settledMean(plan, session, drive, averaged);
  if (settled === undefined) return averaged;
  const { mean, wandering } = settled;
  const systematic = subtract(drive, applySystem(plan.system, mean));
  // On a board without errors at this scale, s₀ is only the rounding of the ADC and needs no compensation.
  const isExplained =
    norm2(subtract(systematic, averaged.rounding)) <= SUSPICION * stepResidual(plan, solutionScale);
  return {
    ...averaged,
    asRead: averaged,
    samples: averaged.samples + CHECK_RUNS,
    rounding: isExplained ? averaged.rounding : systematic,
    standardError: averaged.standardError.map((error) => Math.sqrt(error * error + wandering)),
  };
}

/** The readings of the program of an average without noise. */
export interface SettledMean {
  /** d₀, the mean of the runs. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** (1 + 1/K)·s²: the variance, in units of x², by which d₀ and one more reading differ without noise. */
  readonly wandering: number;
  /** K. */
  readonly runs: number;
}

/** Runs the program of an average without noise, starting from the average; undefined after an overload. */
export async function settledMean(
  plan: EquilibriumPlan,
  session: BoardSession,
  drive: Float64Array,
  { x, solutionScale }: Average,
): Promise<SettledMean | undefined> {
  await commitProgram(plan, session, drive, solutionScale, x, 0);
  const readings: Float64Array[] = [];
  for (let run = 0; run < CHECK_RUNS; run++) {
    const { codes, overloaded } = await session.acquire({
      burnInTicks: plan.settleTicks,
      sampleCount: 1,
      ticksPerSample: 0,
    });
    if (!overloaded) readings.push(plan.model.readOut(codes, solutionScale));
  }
  if (readings.length < CHECK_RUNS) return undefined;
  const mean = meanOf(readings);
  return { mean, wandering: (1 + 1 / CHECK_RUNS) * pooledVariance(readings, mean), runs: CHECK_RUNS };
}

function meanOf(readings: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const mean = new Float64Array(readings[0].length);
  for (const reading of readings)
    for (let i = 0; i < mean.length; i++) mean[i] += reading[i] / readings.length;
  return mean;
}

function pooledVariance(readings: readonly Float64Array[], mean: Float64Array): number {
  const squares = readings.reduce((total, reading) => total + norm2(subtract(reading, mean)) ** 2, 0);
  return squares / ((readings.length - 1) * mean.length);
}

export interface CompensatedAverage extends Average {
  /** Passes of the board that the compensation took. */
  readonly compensations: number;
}

/**
 * Removes the effect of rounding to codes from an average. This part of the residual is known exactly. So one
 * more pass without noise solves A d = rounding, and d is added. Without this pass, rounding would exceed the
 * standard error on badly conditioned systems and on boards with coarse converters. The noise of the average,
 * and so its standard error, stays as it is. The passes end when the rounding is small (`isRoundingSmall`) or
 * does not shrink any more.
 */
export async function compensateRounding(
  plan: SolvePlan,
  session: BoardSession,
  average: Average,
): Promise<CompensatedAverage> {
  const { spectrum, systemScale, identity } = plan;
  let answer = average;
  let compensations = 0;
  while (compensations < COMPENSATIONS_MAX && !isRoundingSmall(plan, answer)) {
    const { rounding } = answer;
    const guess = equilibriumSolutionScale(rounding, spectrum.eigenvalueMin, systemScale, identity);
    const correction = await settle(plan, session, rounding, guess, () => 0);
    compensations++;
    answer = {
      ...answer,
      x: sum(answer.x, correction.x),
      rounding: subtract(rounding, applySystem(plan.system, correction.x)),
      samples: answer.samples + 1,
    };
    if (norm2(answer.rounding) > COMPENSATION_LEFT_MAX * norm2(rounding)) break;
  }
  return { ...answer, compensations };
}

/**
 * Whether the standard error covers the error of an average: the known error that is not noise must be at
 * most a quarter of the standard error, in the unknowns of A.
 */
export function isRoundingSmall(plan: SolvePlan, average: Average): boolean {
  const standardError = norm2(weighted(average.standardError, plan.evened.weights));
  return roundingErrorBound(plan, average) <= ROUNDING_SHARE * standardError;
}
