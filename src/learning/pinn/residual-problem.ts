import { type Matrix, matrix } from '../../linalg/matrix.js';
import { norm2 } from '../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { Equation, Points } from './equation.js';
import { TanhNetwork, type Tape } from './tanh-network.js';

/** The residuals of a problem and their Jacobian at some parameters. */
export interface Linearisation {
  /** r, length m. */
  readonly residuals: Float64Array;
  /** J = ∂r/∂θ, m × P. */
  readonly jacobian: Matrix;
}

/**
 * A physics-informed network: parameters θ → residuals r of an equation, with loss ½‖r‖². The first entries
 * of r are the residuals of the equation, divided by √(number of interior points). The others are the errors
 * at the boundary, multiplied by √(boundaryWeight / number of boundary points). The Gauss–Newton matrix is
 * JᵀJ. All arithmetic is float64.
 *
 * Source: Raissi, Perdikaris, Karniadakis, "Physics-informed neural networks", J. Comput. Phys. 378 (2019).
 */
export class ResidualProblem {
  readonly equation: Equation;
  readonly network: TanhNetwork;
  /** P. */
  readonly parameterCount: number;
  /** m. */
  readonly residualCount: number;
  readonly #interiorTape: Tape;
  readonly #boundaryTape: Tape;
  readonly #interiorFactor: number;
  readonly #boundaryFactor: number;
  readonly #boundaryValues: Float64Array;

  /** `hidden`: widths of the hidden layers; default: those of the equation. */
  constructor(equation: Equation, hidden: readonly number[] = equation.hidden) {
    const { interior, boundary } = equation;
    this.equation = equation;
    this.network = new TanhNetwork([equation.dimensions, ...hidden]);
    this.parameterCount = this.network.parameterCount;
    this.residualCount = interior.count + boundary.count;
    this.#interiorTape = this.network.tape(equation.along);
    this.#boundaryTape = this.network.tape([]);
    this.#interiorFactor = Math.sqrt(1 / interior.count);
    this.#boundaryFactor = Math.sqrt(equation.boundaryWeight / boundary.count);
    this.#boundaryValues = exactValues(equation, boundary);
  }

  /** Initial θ, length P, a pure function of the seed (u32). */
  initial(seed: number): Float64Array {
    const random = randomSource({ seed, stream: RANDOM_STREAM.parameters });
    return this.network.initial(random, this.equation.start);
  }

  /** ½‖r‖² at θ. */
  loss(parameters: Float64Array): number {
    let sum = 0;
    this.#forEach(parameters, (residual) => {
      sum += residual * residual;
    });
    return sum / 2;
  }

  /** ½‖r‖² at θ and its gradient Jᵀr, length P. */
  lossAndGradient(parameters: Float64Array): { loss: number; gradient: Float64Array } {
    const gradient = new Float64Array(this.parameterCount);
    let sum = 0;
    this.#forEach(parameters, (residual, _row, tape, factor) => {
      sum += residual * residual;
      scaleAdjoint(tape, factor * residual);
      this.network.backward(parameters, tape, gradient, 0);
    });
    return { loss: sum / 2, gradient };
  }

  /** r and J at θ. */
  linearise(parameters: Float64Array): Linearisation {
    const residuals = new Float64Array(this.residualCount);
    const jacobian = matrix(this.residualCount, this.parameterCount);
    this.#forEach(parameters, (residual, row, tape, factor) => {
      residuals[row] = residual;
      scaleAdjoint(tape, factor);
      this.network.backward(parameters, tape, jacobian.data, row * this.parameterCount);
    });
    return { residuals, jacobian };
  }

  /** u at points, one value each. */
  values(parameters: Float64Array, { count, coordinates }: Points): Float64Array {
    const { dimensions } = this.equation;
    return Float64Array.from(
      { length: count },
      (_, i) => this.network.forward(parameters, coordinates, i * dimensions, this.#boundaryTape).value,
    );
  }

  /** ‖u − u*‖₂ / ‖u*‖₂ over points that are not used in training; u* is the solution. */
  relativeError(parameters: Float64Array, points = this.equation.test()): number {
    const exact = exactValues(this.equation, points);
    const errors = this.values(parameters, points).map((value, i) => value - exact[i]);
    return norm2(errors) / norm2(exact);
  }

  /**
   * Calls `visit` for each row of r. The row is `factor` times an unscaled residual. During the call
   * `tape.adjoint` holds the derivatives of the unscaled residual.
   */
  #forEach(
    parameters: Float64Array,
    visit: (residual: number, row: number, tape: Tape, factor: number) => void,
  ): void {
    const { interior, boundary, dimensions } = this.equation;
    const inner = this.#interiorTape;
    for (let i = 0; i < interior.count; i++) {
      const jet = this.network.forward(parameters, interior.coordinates, i * dimensions, inner);
      const residual = this.equation.residual(i, jet, inner.adjoint);
      visit(this.#interiorFactor * residual, i, inner, this.#interiorFactor);
    }
    const outer = this.#boundaryTape;
    for (let i = 0; i < boundary.count; i++) {
      const { value } = this.network.forward(parameters, boundary.coordinates, i * dimensions, outer);
      outer.adjoint.value = 1;
      const error = value - this.#boundaryValues[i];
      visit(this.#boundaryFactor * error, interior.count + i, outer, this.#boundaryFactor);
    }
  }
}

function exactValues(equation: Equation, { count, coordinates }: Points): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => equation.exact(coordinates, i * equation.dimensions));
}

function scaleAdjoint({ adjoint }: Tape, factor: number): void {
  adjoint.value *= factor;
  for (let k = 0; k < adjoint.first.length; k++) {
    adjoint.first[k] *= factor;
    adjoint.second[k] *= factor;
  }
}
