import type { SolverCost } from '../../board/cost.js';
import type { Matrix } from '../../linalg/matrix.js';
import type { LayeredCurvature, Trial } from '../problem/contract.js';

/**
 * All that an optimizer keeps between steps, as plain data that a checkpoint holds exactly. Never changed in
 * place.
 */
export interface OptimizerState {
  readonly arrays: Readonly<Record<string, Float64Array>>;
  readonly numbers: Readonly<Record<string, number>>;
}

/** What an optimizer is given for one step. */
export interface StepRequest {
  /** θ, length P; not changed in place. */
  readonly parameters: Float64Array;
  /**
   * ∇ of the mean loss at θ, length P; or, while another thread computes it, a function that waits for it.
   * Work that does not need the gradient comes before that call. `gradientOf` handles both.
   */
  readonly gradient: Float64Array | (() => Promise<Float64Array>);
  /** K with KᵀK = G at θ, m × P; present if the optimizer `needsCurvature`, in the steps that use it. */
  readonly factor: Matrix | undefined;
  /** The curvature layer by layer at θ; present if the optimizer `needsLayerCurvatures`. */
  readonly layers?: LayeredCurvature | undefined;
  /** The same problem at other parameters, where its loss is the same in all steps. */
  readonly trial?: Trial | undefined;
  /** ℓ of this step at other parameters [P], where the problem tells it; otherwise `trial` does. */
  readonly lossAt?: ((parameters: Float64Array) => number) | undefined;
  /**
   * What the step before has on the way; the state is then what it was before that. Whoever gives a `rest`
   * has to wait for the one that it is given.
   */
  readonly before?: Promise<StepRest> | undefined;
  /** Steps taken before this one. */
  readonly step: number;
  /** Steps of the whole training: the learning rate falls linearly from η to 0 over them. */
  readonly totalSteps: number;
  /** Seed of the training, u32: with the step it names the noise of the board. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** What a step leaves to the next one, and what it has cost. */
export interface StepRest {
  readonly state: OptimizerState;
  readonly cost: SolverCost;
}

/** What one step yields. */
export interface StepResult extends StepRest {
  /** The new θ, length P. */
  readonly parameters: Float64Array;
  /**
   * State and cost in place of those above, when what the step has begun has ended: a board that goes on for
   * it while the next gradient is computed. Left out: nothing is on the way.
   */
  readonly rest?: Promise<StepRest>;
}

/**
 * A rule that turns gradients into parameters. `init` and `update` are pure: the same arguments give the same
 * bits (with a board, for the same board and seed).
 *
 * Errors: none of `init`. `update` throws DIVERGED when a result is not finite or the solution grows beyond
 * every sensible scale, and what the linear solver throws.
 */
export interface Optimizer {
  readonly name: string;
  /** Everything that its results depend on, as JSON data. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly needsCurvature: boolean;
  /** Whether the step after so many uses K. Default: every step does. */
  readonly usesCurvatureAt?: (step: number) => boolean;
  /** Whether it needs the curvature layer by layer. Default: no. */
  readonly needsLayerCurvatures?: boolean;
  /**
   * Whether it tries steps: by the loss of the `step`, or by one that is the `same` in all steps. Default:
   * no.
   */
  readonly needsTrial?: 'step' | 'same';
  /** The state before the first step. */
  init(parameterCount: number): OptimizerState;
  /** One step: new parameters and the new state. */
  update(state: OptimizerState, request: StepRequest): Promise<StepResult>;
}
