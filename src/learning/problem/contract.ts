import type { Matrix } from '../../linalg/matrix.js';

/** Named figures of one step or one test; each is finite. */
export type Figures = Readonly<Record<string, number>>;

/** The figures of a problem without figures of its own. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- the type means "no figures"
export type NoFigures = Readonly<Record<never, number>>;

/** State that a problem keeps between steps beside its parameters, such as the chains of a sampler. */
export type ProblemState = Readonly<Record<string, Float64Array>>;

/** The point at which a step evaluates the problem. */
export interface StepPoint {
  /** θ, length P; not changed in place. */
  readonly parameters: Float64Array;
  /** The state after the step before; never changed in place. */
  readonly state: ProblemState;
  /** Steps taken before this one. */
  readonly step: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Seed of the training, u32. Seed and step together select all random numbers of the problem. */
  readonly seed: number;
}

/** Loss and gradient at one point. */
export interface LossGradient<Measures extends Figures = NoFigures> {
  /** ℓ, in the problem's own unit. */
  readonly loss: number;
  /** ∇ℓ, length P, in units of ℓ per parameter. */
  readonly gradient: Float64Array;
  /** Further figures for the record of the step; absent if the problem has no such figures. */
  readonly measures?: Measures;
  /** The state for the next step; absent if the state stays. */
  readonly state?: ProblemState;
}

/** The places of the weights of one layer in the parameters: W (outputs × inputs, row-major) and its bias. */
export interface LayerPlace {
  /** Number of outputs of the layer. */
  readonly outputs: number;
  /** Number of inputs of the layer. */
  readonly inputs: number;
  /** Index of W's first entry. */
  readonly weightOffset: number;
  /** Index of the first of `outputs` biases. */
  readonly biasOffset: number;
}

/** A layer with the name that its arrays have in a file of weights. */
export interface NamedLayer extends LayerPlace {
  readonly name: string;
}

/** Description of the parameters in a file of weights. */
export interface WeightsDescription {
  /** The layers; together they contain all parameters. */
  readonly layers: readonly NamedLayer[];
  /** Texts that are stored beside the arrays. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The curvature of one layer, approximated by the Kronecker product (XᵀX) ⊗ (DᵀD). */
export interface LayerCurvature {
  /** X, any number of rows × (inputs + 1): inputs of the layer, and a 1 for its bias. */
  readonly inputs: Matrix;
  /** D, any number of rows × outputs: derivatives with respect to the outputs of the layer. */
  readonly outputs: Matrix;
}

/** The curvature of a problem if all its parameters belong to layers. */
export interface LayeredCurvature {
  readonly places: readonly LayerPlace[];
  /** The curvature of each layer of `places`. Called at most once. */
  readonly curvatures: () => readonly LayerCurvature[];
}

/** The evaluation of a problem at one point. */
export interface Evaluation<Measures extends Figures = NoFigures> {
  /** Loss and gradient, or a promise of them while another thread computes. */
  readonly first: LossGradient<Measures> | Promise<LossGradient<Measures>>;
  /**
   * K, m × P: the curvature is KᵀK, in units of ℓ per parameter². Called at most once, and only for an
   * optimizer that uses the curvature. The next step may overwrite the matrix.
   */
  readonly factor: () => Matrix;
  /**
   * The curvature layer by layer, for an optimizer that needs this form. Absent if the problem has no layers.
   */
  readonly layers?: LayeredCurvature;
  /**
   * ℓ at other parameters [P], in the unit of the problem, on the same samples or examples as this step. An
   * optimizer that evaluates trial steps calls it. Infinite or NaN if the samples say nothing about these
   * parameters. If absent, `trial` of the problem is used, if there is one.
   */
  readonly lossAt?: (parameters: Float64Array) => number;
}

/**
 * A loss that depends only on the parameters, for an optimizer that evaluates trial steps. Errors: none; a
 * loss that cannot be computed is infinite or NaN.
 */
export interface Trial {
  /** ℓ at `parameters` [P], in the problem's own unit. */
  loss(parameters: Float64Array): number;
  /** ℓ at `parameters` [P], in the problem's own unit, and ∇ℓ [P]. */
  lossAndGradient(parameters: Float64Array): { readonly loss: number; readonly gradient: Float64Array };
}

/**
 * A problem to be trained: a loss of parameters, its gradient, and its curvature as a factor K with KᵀK = G.
 * Two examples are a classifier, which `train` makes, and the energy of a quantum state (`isingChain`).
 *
 * All methods are pure functions of their arguments: the same point gives the same bits on one machine. A
 * training can therefore be resumed.
 *
 * Errors: `evaluate` and `test` throw DIVERGED when a loss exceeds a bound of the problem. The trainer
 * refuses a loss or gradient that is not finite, and a loss that has risen too far (`trainProblem`).
 */
export interface Problem<Measures extends Figures = NoFigures, Test extends Figures = NoFigures> {
  /** One word, for reports. */
  readonly name: string;
  /** All settings that define the problem, as JSON data. A checkpoint with other settings is refused. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** P. */
  readonly parameterCount: number;
  /** m, the number of rows of K. The board needs this number of rows. */
  readonly curvatureRows: number;
  /** Initial parameters [P], a pure function of the seed. */
  init(seed: number): Float64Array;
  /**
   * The loss at other parameters, if it is the same function in all steps. Absent if the loss has noise, or
   * if each step uses other examples.
   */
  readonly trial?: Trial;
  /** The state before the first step. Absent: the problem keeps no state. */
  initialState?(seed: number): ProblemState;
  /** Loss, gradient and curvature at one point. */
  evaluate(point: StepPoint): Evaluation<Measures>;
  /**
   * Figures that tell how good `parameters` [P] are: computed exactly, or on data that no step has used.
   * `step` counts the steps so far.
   */
  test(parameters: Float64Array, step: number): Test;
  /** How the parameters are stored. Absent: as one array, `parameters`, together with the settings. */
  readonly weights?: WeightsDescription;
  /** Called when the training has ended. Stops threads of the problem. */
  close?(): Promise<void>;
}
