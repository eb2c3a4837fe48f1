import { dot, matVec, matVecTransposed, normInf } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';

/** How far x and y are from the conditions of Karush, Kuhn and Tucker; all are ratios. */
export interface KktResiduals {
  /** max(l − Ax, Ax − u, 0) divided by 1 + max |Ax|, a ratio. */
  readonly primal: number;
  /** max |Px + q + Aᵀy| divided by 1 + the largest entry of its three terms, a ratio. */
  readonly dual: number;
  /** |primal − dual objective| divided by 1 + |primal objective|, a ratio. */
  readonly gap: number;
}

/** x [n] with its multipliers y [m]: y_i > 0 holds u_i, y_i < 0 holds l_i. */
export interface PrimalDual {
  /** Length n. */
  readonly x: Float64Array<ArrayBuffer>;
  /** Multipliers, length m. */
  readonly y: Float64Array<ArrayBuffer>;
}

/** ½xᵀPx + qᵀx + c. */
export function objectiveOf({ hessian, linear, constant = 0 }: QuadraticProgram, x: Float64Array): number {
  return dot(x, matVec(hessian, x)) / 2 + dot(linear, x) + constant;
}

/** y without the multipliers of absent bounds. */
export function withoutUnbounded(
  { lower, upper }: QuadraticProgram,
  y: Float64Array,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(y, (value, i) =>
    (value > 0 && upper[i] === Infinity) || (value < 0 && lower[i] === -Infinity) ? 0 : value,
  );
}

/** The residuals of x and y, formed in float64. Multipliers of absent bounds have to be 0. */
export function kktResiduals(program: QuadraticProgram, { x, y }: PrimalDual): KktResiduals {
  const { hessian, linear, constraints, lower, upper } = program;
  const image = matVec(constraints, x);
  const curved = matVec(hessian, x);
  const pulled = matVecTransposed(constraints, y);
  let violation = 0;
  let support = 0;
  for (let i = 0; i < y.length; i++) {
    violation = Math.max(violation, lower[i] - image[i], image[i] - upper[i]);
    if (y[i] !== 0) support += y[i] * (y[i] > 0 ? upper[i] : lower[i]);
  }
  let slope = 0;
  for (let i = 0; i < x.length; i++) slope = Math.max(slope, Math.abs(curved[i] + linear[i] + pulled[i]));
  const energy = dot(x, curved);
  const primalObjective = energy / 2 + dot(linear, x);
  return {
    primal: violation / (1 + normInf(image)),
    dual: slope / (1 + Math.max(normInf(curved), normInf(linear), normInf(pulled))),
    gap: Math.abs(primalObjective + energy / 2 + support) / (1 + Math.abs(primalObjective)),
  };
}

/** The largest of the three; infinite for a residual that is not a number. */
export function worstOf({ primal, dual, gap }: KktResiduals): number {
  const worst = Math.max(primal, dual, gap);
  return Number.isNaN(worst) ? Infinity : worst;
}
