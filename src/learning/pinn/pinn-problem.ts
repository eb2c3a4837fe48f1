import { badArgument, checkObject, checkWhole } from '../../argument-checks.js';
import type { NoFigures, Problem } from '../problem/contract.js';
import { type BurgersParts, burgers, VISCOSITY_RANGE } from './burgers.js';
import type { Equation, Points } from './equation.js';
import { heat } from './heat.js';
import { poissonCube, poissonSquare } from './poisson.js';
import { ResidualProblem } from './residual-problem.js';

/** How well a network solves its equation. */
export type SolutionTest = {
  /** The ratio ‖u − u*‖₂ / ‖u*‖₂ over points that no step has used; u* is the known solution. */
  readonly relativeError: number;
};

/**
 * A boundary value problem that a network shall solve. Its loss is ½‖r‖² of residuals r. Errors: none of its
 * methods throws; the trainer refuses a loss that is not finite or has risen too far.
 */
export interface PinnProblem extends Problem<NoFigures, SolutionTest> {
  readonly equation: Equation;
  /** u at points [count], for parameters [P]. */
  values(parameters: Float64Array, points: Points): Float64Array;
}

/** Settings of every physics-informed problem. */
export interface PinnSettings {
  /** Widths of the hidden layers, one per layer, each ≥ 1. Default: those of the equation. */
  readonly hidden?: readonly number[];
}

/** Settings of the Poisson problem. */
export interface PoissonSettings extends PinnSettings {
  /**
   * The number of dimensions d, 2 to 16. Default 5. With d = 2 the domain is a square with u = 0 on its
   * sides.
   */
  readonly dimensions?: number;
}

/** Settings of Burgers' problem. */
export interface BurgersSettings extends PinnSettings, BurgersParts {}

const DIMENSIONS_MAX = 16;
/** Largest value of `grid` and `boundaryCount`. With more points the matrix K would take gigabytes. */
const GRID_MAX = 200;

/**
 * Δu = f in the unit cube of d dimensions: see `poissonCube` and `poissonSquare`. Parameters have length P.
 * Errors: BAD_ARGUMENT.
 */
export function poissonPinn(settings: PoissonSettings = {}): PinnProblem {
  checkObject('settings', settings, '{ dimensions: 5 }');
  const { dimensions = 5 } = settings;
  checkWhole('dimensions', dimensions, 2, DIMENSIONS_MAX);
  return pinnProblem(dimensions === 2 ? poissonSquare() : poissonCube(dimensions), settings);
}

/** The heat equation in one dimension: see `heat`. Parameters have length P. Errors: BAD_ARGUMENT. */
export function heatPinn(settings: PinnSettings = {}): PinnProblem {
  return pinnProblem(heat(), settings);
}

/** Burgers' equation in one dimension: see `burgers`. Parameters have length P. Errors: BAD_ARGUMENT. */
export function burgersPinn(settings: BurgersSettings = {}): PinnProblem {
  checkObject('settings', settings, '{ viscosity: 0.1 }');
  const { viscosity, grid, boundaryCount } = settings;
  const [least, largest] = VISCOSITY_RANGE;
  if (viscosity !== undefined && !(viscosity >= least && viscosity <= largest))
    throw badArgument('viscosity', viscosity, `a number from ${least} to ${largest}`);
  if (grid !== undefined) checkWhole('grid', grid, 1, GRID_MAX);
  if (boundaryCount !== undefined) checkWhole('boundaryCount', boundaryCount, 1, GRID_MAX);
  return pinnProblem(burgers(settings), settings);
}

/**
 * The problem of training a network that solves an equation: loss ½‖r‖², gradient Jᵀr [P], K = J [m × P].
 * `equation` may be an `Equation` of your own. Errors: BAD_ARGUMENT.
 */
export function pinnProblem(equation: Equation, settings: PinnSettings = {}): PinnProblem {
  checkObject('equation', equation, 'an Equation: name, dimensions, points, residual, exact');
  checkObject('settings', settings, '{ hidden: [32] }');
  const { hidden = equation.hidden } = settings;
  const problem = new ResidualProblem(equation, hidden);
  let test: Points | undefined;
  return {
    name: equation.name,
    settings: { ...equation.settings, hidden },
    equation,
    parameterCount: problem.parameterCount,
    curvatureRows: problem.residualCount,
    init: (seed) => problem.initial(seed),
    trial: problem,
    evaluate: ({ parameters }) => ({
      first: problem.lossAndGradient(parameters),
      factor: () => problem.linearise(parameters).jacobian,
    }),
    test: (parameters) => {
      test ??= equation.test();
      return { relativeError: problem.relativeError(parameters, test) };
    },
    values: (parameters, points) => problem.values(parameters, points),
  };
}
