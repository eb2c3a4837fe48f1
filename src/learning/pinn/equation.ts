import type { Jet, TanhStart } from './tanh-network.js';

/** Points in d dimensions: `coordinates` is count × d, row-major. */
export interface Points {
  readonly count: number;
  readonly coordinates: Float64Array;
}

/** A straight line through the domain. Reports draw the solution along it. */
export interface DrawnLine {
  readonly name: string;
  /** The point at which the line begins, length d. */
  readonly from: readonly number[];
  /** The point at which the line ends, length d. */
  readonly to: readonly number[];
}

/**
 * A boundary value problem with a known solution. In the domain its residual r(x, u, u_k, u_kk) is 0; on the
 * boundary u equals the solution. All quantities are dimensionless. Errors: none of its methods throws.
 */
export interface Equation {
  readonly name: string;
  /** All settings that define the problem, for checkpoints and reports. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** d, the number of coordinates of a point. */
  readonly dimensions: number;
  /** The coordinates along which the residual needs derivatives, one entry per derivative. */
  readonly along: readonly number[];
  /** Points in the domain where the residual shall be 0. */
  readonly interior: Points;
  /** Points where u shall equal the solution: on the boundary, and at time 0 of a problem in time. */
  readonly boundary: Points;
  /** Factor of the mean square error at the boundary in the loss. */
  readonly boundaryWeight: number;
  /** Default widths of the hidden layers for this problem, one per layer. */
  readonly hidden: readonly number[];
  /** How the parameters of the network are initialised. */
  readonly start: TanhStart;
  /**
   * r at the interior point `index`, with its derivatives ∂r/∂u, ∂r/∂u_k, ∂r/∂u_kk in `partials`; k is an
   * index into `along`.
   */
  residual(index: number, jet: Jet, partials: Jet): number;
  /**
   * The solution at the point whose d coordinates begin at the index `start` of `points`,
   * [point][coordinate].
   */
  exact(points: Float64Array, start: number): number;
  /** Lines along which reports draw the solution. */
  readonly drawnLines: readonly DrawnLine[];
  /** Name of the coordinate that changes along `drawnLines`, for the axis of the drawing. */
  readonly lineAxis: string;
  /** Points that are not used in training, for the error of the solution. */
  test(): Points;
}
