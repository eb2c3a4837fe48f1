import { counted, formatPercent } from '../../number-text.js';

/**
 * A larger share of carried rounding gives a warning. Smaller shares do not matter, since a standard error is
 * only known within a few percent.
 */
const CARRY_NOISE_SHARE_MAX = 0.01;

/** Facts that may make a result worse than it looks. */
export interface BoardFacts {
  /** Undefined if nothing was averaged. */
  readonly carryNoiseShare?: number;
  readonly clampedCodes: number;
  /** Names of further warnings, as JSON has them. */
  readonly warnings?: readonly string[];
}

/** The board is not calibrated, so nobody can tell how far the covariance of its draws is from P⁻¹. */
export const UNCALIBRATED_BOARD = 'uncalibrated-board';

/** A smaller share of carried rounding in the noise has no row. */
const CARRY_NOISE_SHOWN_MIN = 0.001;

/** The row of a table on the noise of carried rounding. There is no row if that noise does not matter. */
export function carryNoiseRows({ carryNoiseShare }: { readonly carryNoiseShare: number }): string[][] {
  if (carryNoiseShare < CARRY_NOISE_SHOWN_MIN) return [];
  return [['carry noise floor', `${formatPercent(carryNoiseShare)} of κ/λ_max`]];
}

/** The row of a table about lost work that was repeated. There is no row if no work was lost. */
export function repeatRows({ repeats }: { readonly repeats: number }): string[][] {
  return repeats === 0 ? [] : [['lost and done again', `${counted(repeats, 'time')}, with the same bits`]];
}

/** One line `warning: …` for each fact that matters. Empty if the board did what it was told. */
export function boardWarnings({
  carryNoiseShare = 0,
  clampedCodes,
  warnings: names = [],
}: BoardFacts): string {
  const warnings: string[] = [];
  if (names.includes(UNCALIBRATED_BOARD))
    warnings.push(
      `${UNCALIBRATED_BOARD}: this board's errors are unknown, and they also change the covariance of the draws; calibrate the board and give --calibration.`,
    );
  if (carryNoiseShare > CARRY_NOISE_SHARE_MAX)
    warnings.push(
      `carried rounding adds ${formatPercent(carryNoiseShare)} to the noise of the stiffest mode: more than the standard error shows.`,
    );
  if (clampedCodes > 0)
    warnings.push(
      `the board clamped ${counted(clampedCodes, 'code')} to its range: it ran another system than the requested one.`,
    );
  return warnings.map((text) => `warning: ${text}\n`).join('');
}
