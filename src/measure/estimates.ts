import { checkObject } from '../argument-checks.js';

/** One quantity of every cell (or crosspoint) with its standard error; NaN if it could not be measured. */
export interface Estimates {
  /** One entry per cell (or crosspoint). */
  readonly values: Float64Array<ArrayBuffer>;
  /** One entry per cell (or crosspoint), in the units of the values. */
  readonly standardErrors: Float64Array<ArrayBuffer>;
}

/** Memory for `count` estimates; all are NaN. */
export function noEstimates(count: number): Estimates {
  return {
    values: new Float64Array(count).fill(Number.NaN),
    standardErrors: new Float64Array(count).fill(Number.NaN),
  };
}

export function setEstimate(estimates: Estimates, at: number, value: number, standardError: number): void {
  estimates.values[at] = value;
  estimates.standardErrors[at] = standardError;
}

/** Summary of a quantity over the board, in the units of the quantity; NaN if nothing was measured. */
export interface Summary {
  /** Number of measured values. */
  readonly measured: number;
  readonly mean: number;
  /** Standard deviation between cells, estimation errors included. */
  readonly spread: number;
  /** Root mean square of the standard errors. */
  readonly standardError: number;
  /** The part of the spread that the standard errors do not explain: √max(0, spread² − standardError²). */
  readonly ownSpread: number;
  /** Index of the largest deviation from `nominal`; −1 if there are no estimates. */
  readonly worst: number;
}

/** Summarizes all measured values; `nominal` is the value on an ideal board. Errors: BAD_ARGUMENT. */
export function summarize(estimates: Estimates, nominal: number): Summary {
  checkObject('estimates', estimates, '{ values, standardErrors }');
  const { values, standardErrors } = estimates;
  const at = [...values.keys()].filter((i) => Number.isFinite(values[i]));
  const count = at.length;
  const mean = at.reduce((sum, i) => sum + values[i], 0) / count;
  const variance = at.reduce((sum, i) => sum + (values[i] - mean) ** 2, 0) / (count - 1);
  const errorVariance = at.reduce((sum, i) => sum + standardErrors[i] ** 2, 0) / count;
  const worst = at.reduce(
    (best, i) => (best < 0 || Math.abs(values[i] - nominal) > Math.abs(values[best] - nominal) ? i : best),
    -1,
  );
  return {
    measured: count,
    mean,
    spread: Math.sqrt(variance),
    standardError: Math.sqrt(errorVariance),
    ownSpread: Math.sqrt(Math.max(0, variance - errorVariance)),
    worst,
  };
}
