import { CARRY_NOISE_SHARE_MAX } from '../../board/equilibrium-plan.js';
import { counted, formatPercent } from '../../number-text.js';

/** What a result tells of the board that may make it worse than it looks. */
export interface BoardFacts {
  /** Undefined where nothing was averaged. */
  readonly carryNoiseShare?: number;
  readonly clampedCodes: number;
  /** Names of further warnings, as JSON has them. */
  readonly warnings?: readonly string[];
}

/** Draws of a board of which nothing is known: nobody can tell how far their covariance is from P⁻¹. */
export const UNCALIBRATED_BOARD = 'uncalibrated-board';

/** Carried rounding below this share of the noise is not worth a row. */
const CARRY_NOISE_SHOWN_MIN = 0.001;

/** The row of a result's table on the noise of carried rounding, or no row where it does not matter. */
export function carryNoiseRows({ carryNoiseShare }: { readonly carryNoiseShare: number }): string[][] {
  if (carryNoiseShare < CARRY_NOISE_SHOWN_MIN) return [];
  return [['carry noise floor', `${formatPercent(carryNoiseShare)} of κ/λ_max`]];
}

/** One line `warning: …` for each fact that matters; empty for a board that did as it was told. */
export function boardWarnings({
  carryNoiseShare = 0,
  clampedCodes,
  warnings: names = [],
}: BoardFacts): string {
  const warnings: string[] = [];
  if (names.includes(UNCALIBRATED_BOARD))
    warnings.push(
      `${UNCALIBRATED_BOARD}: nothing is known of this board's errors, and the covariance of the draws differs from P⁻¹ by as much; calibrate it and give --calibration.`,
    );
  if (carryNoiseShare > CARRY_NOISE_SHARE_MAX)
    warnings.push(
      `carried rounding adds ${formatPercent(carryNoiseShare)} to the noise of the stiffest mode: more than the standard error shows.`,
    );
  if (clampedCodes > 0)
    warnings.push(
      `the board clamped ${counted(clampedCodes, 'code')} to its range: it ran another system than was asked for.`,
    );
  return warnings.map((text) => `warning: ${text}\n`).join('');
}
