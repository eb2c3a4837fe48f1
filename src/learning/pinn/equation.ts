import type { Jet, TanhStart } from './tanh-network.js';

/** Points in d dimensions: `coordinates` is count × d, row-major. */
export interface Points {
  readonly count: number;
  readonly coordinates: Float64Array;
}

/** A straight line through the domain along which a solution is drawn. */
export interface Slice {
  readonly name: string;
  /** Where the line begins, length d. */
  readonly from: readonly number[];
  /** Where it ends, length d. */
  readonly to: readonly number[];
}

/**
 * A boundary value problem with a known solution. In the domain its residual r(x, u, u_k, u_kk) is 0, on the
 * boundary u has the values of the solution. All is dimensionless. Errors: none of its methods throws.
 */
export interface Equation {
  readonly name: string;
  /** Everything that defines the problem, for checkpoints and reports. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** d: how many coordinates a point has. */
  readonly dimensions: number;
  /** The coordinates along which the residual needs derivatives, one entry per derivative. */
  readonly along: readonly number[];
  /** Points in the domain where the residual is to vanish. */
  readonly interior: Points;
  /** Points where u is to equal the solution: on the boundary, and at the start of an evolution. */
  readonly boundary: Points;
  /** Factor of the boundary's mean square in the loss. */
  readonly boundaryWeight: number;
  /** Widths of the hidden layers that go with this problem, one per layer. */
  readonly hidden: readonly number[];
  /** How the parameters of those layers begin. */
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
  readonly slices: readonly Slice[];
  /** Name of the coordinate that changes along `slices`, for the axis of the drawing. */
  readonly sliceAxis: string;
  /** Points that no training sees, for the error against the solution. */
  test(): Points;
}
