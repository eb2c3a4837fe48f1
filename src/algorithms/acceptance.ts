import type { EvenedSystem } from '../board/checked-system.js';
import { ZERO_COST } from '../board/cost.js';
import { unweighted, weighted } from '../board/diagonal-scaling.js';
import type { Spectrum } from '../board/spectrum.js';
import { ThermolinkError } from '../errors.js';
import { applySystem, type LinearSystem } from '../linalg/linear-system.js';
import { norm2, subtract } from '../linalg/products.js';
import { counted, formatExact, formatNumber } from '../number-text.js';
import type { SolveResult } from './contract.js';

/** The answer for b = 0 is 0. It needs no pass and no sample of a board. */
export function zeroSolution(dimension: number): SolveResult {
  return {
    x: new Float64Array(dimension),
    standardError: new Float64Array(dimension),
    quantizationError: 0,
    carryNoiseShare: 0,
    relativeResidual: 0,
    passes: 0,
    samples: 0,
    cost: ZERO_COST,
  };
}

/** A bound on the error of an answer; the residual of the answer proves it. */
export interface Certificate {
  /** b̂ − Â y = W (b − A x). */
  readonly residual: Float64Array<ArrayBuffer>;
  /** ‖b − A x‖₂ / ‖b‖₂. */
  readonly relativeResidual: number;
  /**
   * Bound on ‖x − A⁻¹b‖₂ / ‖A⁻¹b‖₂: e/(‖x‖₂ − e) with e = (‖b̂ − Â y‖₂ + rounding of that residual)/λ₋, and
   * infinite when e ≥ ‖x‖₂. It needs no statistics. It holds when λ₋ is at most the smallest eigenvalue of Â.
   */
  readonly relativeErrorBound: number;
}

/** Advice for a badly conditioned system, as the end of a sentence. */
export const IMPROVE = 'improve the condition of the system: precondition it, or add damping (A + λI)';

/** An upper bound of λ_max/λ_min, within some percent. */
export function conditionOf({ eigenvalueMin, eigenvalueMax }: Spectrum): number {
  return eigenvalueMax / eigenvalueMin;
}

/**
 * Checks an answer y of Â y = b̂ by one product with Â in float64. Â = W A W has an even diagonal, b̂ = W b,
 * and y stands for the answer x = W y (`diagonalWeights`). No weight is above 1, so ‖W e‖₂ ≤ ‖e‖₂ for the
 * error e of y.
 */
export function certify(
  { checked: { system, spectrum }, weights }: EvenedSystem,
  b: Float64Array,
  y: Float64Array,
): Certificate {
  const residual = subtract(b, applySystem(system, y));
  const error = norm2(residual) / spectrum.eigenvalueMin + residualRounding(system, spectrum) * norm2(y);
  const norm = norm2(weighted(y, weights));
  return {
    residual,
    relativeResidual: norm2(unweighted(residual, weights)) / norm2(unweighted(b, weights)),
    relativeErrorBound: error < norm ? error / (norm - error) : Infinity,
  };
}

/**
 * Throws TOLERANCE_NOT_MET if no residual in float64 can prove `share` times the tolerance. Default of
 * `share`: 1.
 */
export function refuseBeyondFloat64({ checked }: EvenedSystem, tolerance: number, share = 1): void {
  const { system, spectrum } = checked;
  const floor = residualRounding(system, spectrum) / share;
  if (tolerance > floor) return;
  const condition = conditionOf(spectrum);
  throw new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `A relative error of ${formatExact(tolerance)} cannot be verified: the condition of this system is ${formatNumber(condition, 2)}, ` +
      `and residuals in float64 prove no error below ${formatNumber(floor, 2)}.`,
    {
      hint:
        floor < 1
          ? `Choose a tolerance above ${formatNumber(floor, 2)}, or ${IMPROVE}.`
          : `First ${IMPROVE}.`,
      data: { tolerance, floor, condition },
    },
  );
}

/**
 * Rounding error of a residual, divided by λ₋‖x‖. The error of a product of n terms is at most (n + 2)·u
 * relative to |A||x| + |b|.
 */
function residualRounding(system: LinearSystem, spectrum: Spectrum): number {
  const terms = system.kind === 'dense' ? system.matrix.columns : system.factor.rows + system.factor.columns;
  return ((terms + 2) * Number.EPSILON * spectrum.eigenvalueMax) / spectrum.eigenvalueMin;
}

/** Numbers that explain why an answer was refused. */
export interface Shortfall {
  readonly tolerance: number;
  readonly passes: number;
  readonly samples: number;
  readonly relativeResidual: number;
  readonly relativeErrorBound: number;
  readonly relativeStandardError: number;
  /** Cells that look dead; absent when there are none. */
  readonly deadCells?: readonly number[];
}

/** TOLERANCE_NOT_MET, with its numbers in `data`. */
export function toleranceNotMet(who: string, reason: string, shortfall: Shortfall): ThermolinkError {
  const { tolerance, passes, relativeResidual, relativeErrorBound, deadCells } = shortfall;
  const isBoardWell = deadCells === undefined;
  return new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `${who} does not meet a relative error of ${formatExact(tolerance)}: ${reason}. ` +
      `It ended after ${counted(passes, 'pass', 'passes')} with a relative residual of ${formatNumber(relativeResidual, 2)}.`,
    {
      hint: isBoardWell
        ? `${largerTolerance(relativeErrorBound)} Check that the board is well, choose one with finer couplings, or ${IMPROVE}.`
        : 'Use another board, or a smaller problem that leaves the cell out; `thermolink characterize` measures every cell.',
      data: { reason, ...shortfall },
    },
  );
}

/** A sentence that says whether a larger tolerance would have been met. */
function largerTolerance(relativeErrorBound: number): string {
  return relativeErrorBound < 1
    ? `A tolerance above ${formatNumber(relativeErrorBound, 2)} may be met.`
    : 'A larger tolerance does not help.';
}
