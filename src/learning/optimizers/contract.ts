import type { SolverCost } from '../../board/cost.js';
import type { Matrix } from '../../linalg/matrix.js';
import type { LayeredCurvature, Trial } from '../problem/contract.js';

/**
 * The state that an optimizer keeps between steps: plain data, which a checkpoint stores exactly. It is never
 * changed in place.
 */
export interface OptimizerState {
  readonly arrays: Readonly<Record<string, Float64Array>>;
  readonly numbers: Readonly<Record<string, number>>;
}

/** The input of an optimizer for one step. */
export interface StepRequest {
  /** θ, length P; not changed in place. */
  readonly parameters: Float64Array;
  /**
   * ∇ of the mean loss at θ, length P. While another thread computes it, this is a function that waits for
   * it. Do work that does not need the gradient before calling that function. `gradientOf` handles both
   * cases.
   */
  readonly gradient: Float64Array | (() => Promise<Float64Array>);
  /** K with KᵀK = G at θ, m × P; present if the optimizer `needsCurvature`, in the steps that use it. */
  readonly factor: Matrix | undefined;
  /** The curvature layer by layer at θ; present if the optimizer `needsLayerCurvatures`. */
  readonly layers?: LayeredCurvature | undefined;
  /** The same problem at other parameters; present if the loss is the same function in all steps. */
  readonly trial?: Trial | undefined;
  /** The loss of this step at other parameters [P]. If it is missing, `trial` gives this loss. */
  readonly lossAt?: ((parameters: Float64Array) => number) | undefined;
  /**
   * The work that the step before has not finished yet. The given state does not contain its effect. An
   * optimizer that returns a `rest` must wait for `before`.
   */
  readonly before?: Promise<StepRest> | undefined;
  /** Number of steps taken before this one. */
  readonly step: number;
  /** Number of steps of the whole training. The learning rate falls linearly over these steps (`rateAt`). */
  readonly totalSteps: number;
  /** Seed of the training, u32. Seed and step together select the noise of the board. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** State after a step, and cost of the step. */
export interface StepRest {
  readonly state: OptimizerState;
  readonly cost: SolverCost;
}

/** The result of one step. */
export interface StepResult extends StepRest {
  /** The new θ, length P. */
  readonly parameters: Float64Array;
  /**
   * Present if the step still has work in progress, for example a board that goes on while the next gradient
   * is computed. At the end of this work it gives a state and a cost. They replace the state and the cost of
   * this result.
   */
  readonly rest?: Promise<StepRest>;
}

/**
 * A rule that turns gradients into parameters. `init` and `update` are pure: the same arguments give the same
 * bits (with a board, for the same board and seed).
 *
 * Errors: none of `init`. `update` throws DIVERGED when a result is not finite or when the solution grows
 * beyond its bound; errors of the linear solver pass through.
 */
export interface Optimizer {
  readonly name: string;
  /** All settings that affect the results, as JSON data. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly needsCurvature: boolean;
  /** Whether step number `step` uses K. Default: every step does. */
  readonly usesCurvatureAt?: (step: number) => boolean;
  /** Whether the optimizer needs the curvature layer by layer. Default: no. */
  readonly needsLayerCurvatures?: boolean;
  /**
   * Whether the optimizer evaluates trial steps. `step`: the loss of this step is enough. `same`: the loss
   * must be the same function in all steps. Default: no trial steps.
   */
  readonly needsTrial?: 'step' | 'same';
  /** The state before the first step. */
  init(parameterCount: number): OptimizerState;
  /** One step: new parameters and the new state. */
  update(state: OptimizerState, request: StepRequest): Promise<StepResult>;
}
