import type { RunReport } from '../driver/device-api.js';
import { normInf } from '../linalg/products.js';
import { adcStep } from '../mapping/board-range.js';
import { driveLimitedScale, powerOfTwoAbove } from '../mapping/scaling.js';
import type { BoardRuns } from './board-runs.js';
import { commitProgram, type Reading } from './equilibrium-pass.js';
import type { EquilibriumPlan } from './equilibrium-plan.js';
import { overloadError } from './overload-error.js';

/** A d = `drive` settled and read once at s_x; the run's report when a cell passed its rail. */
export type SettleAt = (
  drive: Float64Array,
  solutionScale: number,
) => Promise<Pick<Reading, 'x' | 'rounding'> | RunReport>;

/** Of the rail: where the largest cell should end up at most; on the way it may pass this. */
const PEAK_MAX = 0.8;
/** Of the rail: below this the reading wastes two bits or more, and a finer scale is tried. */
const PEAK_MIN = PEAK_MAX / 4;
const RANGING_RUNS_MAX = 16;

/** One run of the board, without noise and from zero. */
export function settlingOnBoard(plan: EquilibriumPlan, board: BoardRuns): SettleAt {
  return async (drive, solutionScale) => {
    const { rounding } = await commitProgram(plan, board, drive, solutionScale, undefined, 0);
    const { codes, overloaded, report } = await board.acquire({
      burnInTicks: plan.settleTicks,
      sampleCount: 1,
      ticksPerSample: 0,
    });
    if (overloaded) return report;
    const x = plan.model.readOut(codes, solutionScale);
    return { x, rounding: rounding(x) };
  };
}

/**
 * Settles at the power of two s_x that puts the largest cell between 20 and 80 % of the rail: doubled after an overload, halved
 * as often as the measured peak allows, but not below `scaleFloor(d)`, at which finer steps would be of no use, nor below
 * what the drive range allows.
 *
 * Errors: OVERLOAD when no scale is found.
 */
export async function settle(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  drive: Float64Array,
  firstScale: number,
  scaleFloor: (x: Float64Array) => number,
): Promise<Reading> {
  const { identity } = plan;
  const step = adcStep(identity.adcBits);
  const driveFloor = plan.model.driveMargin * driveLimitedScale(drive, plan.systemScale, identity);
  const peakMax = PEAK_MAX * plan.rail;
  const peakMin = PEAK_MIN * plan.rail;
  let solutionScale = firstScale;
  let overloadFloor = 0;
  let overload: RunReport | undefined;
  for (let run = 0; run < RANGING_RUNS_MAX; run++) {
    const settled = await settleAt(drive, solutionScale);
    if ('outcome' in settled) {
      overload = settled;
      solutionScale *= 2;
      overloadFloor = solutionScale;
      continue;
    }
    const peak = normInf(settled.x) / solutionScale;
    const finer = solutionScale * 2 ** -Math.floor(Math.log2(peakMax / (peak + step)));
    const next = Math.max(finer, powerOfTwoAbove(Math.max(driveFloor, overloadFloor, scaleFloor(settled.x))));
    if (peak >= peakMin || next >= solutionScale) return { ...settled, solutionScale, peak };
    solutionScale = next;
  }
  throw overloadError(
    `No scale keeps the board within its rails (${RANGING_RUNS_MAX} tried).`,
    'The programmed couplings may not be positive definite any more: their rounding is larger than the smallest eigenvalue.',
    overload,
    identity,
    { solutionScale, eigenvalueMin: plan.spectrum.eigenvalueMin, systemScale: plan.systemScale },
  );
}
