import { adcStep } from '../../board/board-range.js';
import type { BoardRuns } from '../../board/board-runs.js';
import {
  type Average,
  commitProgram,
  type Reading,
  roundingErrorBound,
  type SettleAt,
  settle,
} from '../../board/equilibrium-pass.js';
import { type EquilibriumPlan, SETTLE_REMAINDER } from '../../board/equilibrium-plan.js';
import { equilibriumSolutionScale } from '../../board/scaling.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';

/** Runs without noise at the scale of the average: their scatter is what wanders from run to run. */
const CHECK_RUNS = 4;
/** Of a drive: a board that leaves more than this of it is not imperfect but does something else; it has nothing to correct by. */
const LEFT_MAX = 0.5;
/** What is explained is so by this factor at least. */
const SUSPICION = 2;

/**
 * Whether a reading without noise is further from A d = `drive` than codes, ADC steps and the end of settling explain: such a
 * board has errors that its averages have too, and that no standard error of readings shows.
 */
export function isImperfect(plan: EquilibriumPlan, drive: Float64Array, reading: Reading): boolean {
  const left = subtract(drive, applySystem(plan.system, reading.x));
  if (norm2(left) > LEFT_MAX * norm2(drive)) return false;
  const unexplained = norm2(subtract(left, reading.rounding));
  const settling = SETTLE_REMAINDER * norm2(drive);
  return unexplained > SUSPICION * (settling + stepResidual(plan, reading.solutionScale));
}

/** Bound on ‖A q‖₂ of what rounding to ADC steps does, with ‖A‖_F² ≤ λ₊ tr A. */
function stepResidual({ identity, spectrum }: EquilibriumPlan, solutionScale: number): number {
  const step = solutionScale * adcStep(identity.adcBits);
  return (step / 2) * Math.sqrt(spectrum.trace * spectrum.eigenvalueMax);
}

/**
 * An average together with what is systematically wrong with it. The same program runs again without noise, from the average on,
 * to the same scale and so with the same errors of the board: d₀. Since the array is linear, the average is d₀ and noise, and
 *
 *     s₀ = r − A d₀
 *
 * is the part of its residual that is not noise. It takes the place of the part that codes explain, so that it is compensated
 * as that is. What wanders from run to run, in d₀ and in the average, is added in squares to the standard error:
 * (1 + 1/K)·s², s² the variance between K runs, pooled over the cells.
 */
export async function withSystematicError(
  plan: EquilibriumPlan,
  board: BoardRuns,
  drive: Float64Array,
  averaged: Average,
): Promise<Average> {
  const { solutionScale } = averaged;
  await commitProgram(plan, board, drive, solutionScale, averaged.x, 0);
  const readings: Float64Array[] = [];
  for (let run = 0; run < CHECK_RUNS; run++) {
    const { codes, overloaded } = await board.acquire({
      burnInTicks: plan.settleTicks,
      sampleCount: 1,
      ticksPerSample: 0,
    });
    if (!overloaded) readings.push(plan.model.readOut(codes, solutionScale));
  }
  if (readings.length < CHECK_RUNS) return averaged;
  const mean = meanOf(readings);
  const wandering = (1 + 1 / CHECK_RUNS) * pooledVariance(readings, mean);
  const systematic = subtract(drive, applySystem(plan.system, mean));
  // Of a board that is right at this scale the steps of its ADC would be all that is compensated.
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

function meanOf(readings: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(readings[0].length);
  for (const reading of readings)
    for (let i = 0; i < mean.length; i++) mean[i] += reading[i] / readings.length;
  return mean;
}

function pooledVariance(readings: readonly Float64Array[], mean: Float64Array): number {
  const squares = readings.reduce((sum, reading) => sum + norm2(subtract(reading, mean)) ** 2, 0);
  return squares / ((readings.length - 1) * mean.length);
}

/** What rounding leaves in an averaged answer stays below this part of its standard error. */
const ROUNDING_SHARE = 1 / 4;
const COMPENSATIONS_MAX = 3;

export interface CompensatedAverage extends Average {
  /** Passes of the board that the compensation took. */
  readonly compensations: number;
}

/**
 * Removes from an average what the rounding to codes put into it. That part of the residual is known exactly, so one
 * more pass without noise solves A d = rounding and adds d: on badly conditioned systems, and on boards with coarse
 * converters, rounding would else exceed the standard error. The noise of the average, and so its standard error, is
 * untouched.
 */
export async function compensateRounding(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  average: Average,
): Promise<CompensatedAverage> {
  const allowed = ROUNDING_SHARE * norm2(average.standardError);
  let answer = average;
  let compensations = 0;
  while (compensations < COMPENSATIONS_MAX && roundingErrorBound(plan, answer) > allowed) {
    const { rounding } = answer;
    const { spectrum, systemScale, identity } = plan;
    const guess = equilibriumSolutionScale(rounding, spectrum.eigenvalueMin, systemScale, identity);
    const correction = await settle(plan, settleAt, rounding, guess, () => 0);
    compensations++;
    answer = {
      ...answer,
      x: sum(answer.x, correction.x),
      rounding: subtract(rounding, applySystem(plan.system, correction.x)),
      samples: answer.samples + 1,
    };
  }
  return { ...answer, compensations };
}
