import type { Matrix } from '../../linalg/matrix.js';

/** Named figures of one step or one test; each is finite. */
export type Figures = Readonly<Record<string, number>>;

/** The figures of a problem that has none of its own. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- that there are none is what it says
export type NoFigures = Readonly<Record<never, number>>;

/** What a problem keeps between steps beside its parameters, such as the chains of a sampler. */
export type ProblemState = Readonly<Record<string, Float64Array>>;

/** Where a step stands. */
export interface StepPoint {
  /** θ, length P; not changed in place. */
  readonly parameters: Float64Array;
  /** What the step before left; never changed in place. */
  readonly state: ProblemState;
  /** Steps taken before this one. */
  readonly step: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Seed of the training, u32: with the step it names all random numbers of the problem. */
  readonly seed: number;
}

/** Loss and gradient at one point. */
export interface LossGradient<Measures extends Figures = NoFigures> {
  /** ℓ, in the problem's own unit. */
  readonly loss: number;
  /** ∇ℓ, length P, in units of ℓ per parameter. */
  readonly gradient: Float64Array;
  /** What else the record of the step says; left out where a problem has no such figures. */
  readonly measures?: Measures;
  /** The state for the next step. Left out: the state stays. */
  readonly state?: ProblemState;
}

/** Where the weights of one layer lie among the parameters: W (outputs × inputs, row-major) and its bias. */
export interface LayerPlace {
  /** How many numbers the layer puts out. */
  readonly outputs: number;
  /** How many numbers it reads. */
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

/** What the file of weights says beside the parameters. */
export interface WeightsDescription {
  /** The layers in which all parameters lie. */
  readonly layers: readonly NamedLayer[];
  /** Texts that are stored beside the arrays. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The curvature of one layer, taken for the Kronecker product (XᵀX) ⊗ (DᵀD). */
export interface LayerCurvature {
  /** X, any number of rows × (inputs + 1): what the layer reads, with a 1 for its bias. */
  readonly inputs: Matrix;
  /** D, any number of rows × outputs: derivatives in what the layer puts out. */
  readonly outputs: Matrix;
}

/** The curvature of a problem whose parameters all lie in layers. */
export interface LayeredCurvature {
  readonly places: readonly LayerPlace[];
  /** The curvature of each place. Called at most once. */
  readonly curvatures: () => readonly LayerCurvature[];
}

/** What a problem says of one point. */
export interface Evaluation<Measures extends Figures = NoFigures> {
  /** Computed already, or a promise while another thread computes it. */
  readonly first: LossGradient<Measures> | Promise<LossGradient<Measures>>;
  /**
   * K, m × P: the curvature is KᵀK, in units of ℓ per parameter². Called at most once, and only for an
   * optimizer that uses the curvature. The next step may write over the matrix.
   */
  readonly factor: () => Matrix;
  /**
   * The curvature layer by layer, for an optimizer that takes it so. Left out by a problem without layers.
   */
  readonly layers?: LayeredCurvature;
  /**
   * ℓ at other parameters [P], in the problem's own unit, on what this step has seen: the same samples or
   * examples. For an optimizer that tries a step before it takes it. Infinite or NaN where that tells nothing
   * of such parameters. Left out: the problem's `trial` does it, if there is one.
   */
  readonly lossAt?: (parameters: Float64Array) => number;
}

/**
 * A loss as a function of its parameters alone, for an optimizer that tries a step before it takes it.
 * Errors: none; a loss that makes no sense is infinite or NaN.
 */
export interface Trial {
  /** ℓ at `parameters` [P], in the problem's own unit. */
  loss(parameters: Float64Array): number;
  /** ℓ at `parameters` [P], in the problem's own unit, and ∇ℓ [P]. */
  lossAndGradient(parameters: Float64Array): { readonly loss: number; readonly gradient: Float64Array };
}

/**
 * What is trained: a loss of parameters, its gradient, and its curvature as a factor K with KᵀK = G. A
 * classifier is one (`train` makes it), the energy of a quantum state another (`isingChain`).
 *
 * All methods are pure functions of their arguments: the same point gives the same bits on one machine. That
 * is why a training can be resumed.
 *
 * Errors: `evaluate` and `test` throw DIVERGED when a result makes no sense; a loss or gradient that is not
 * finite is refused by the trainer.
 */
export interface Problem<Measures extends Figures = NoFigures, Test extends Figures = NoFigures> {
  /** One word, for reports. */
  readonly name: string;
  /** Everything that defines the problem, as JSON data; a checkpoint of another problem is refused. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** P. */
  readonly parameterCount: number;
  /** m, the rows of K: a board needs as many. */
  readonly curvatureRows: number;
  /** Initial parameters [P], a pure function of the seed. */
  init(seed: number): Float64Array;
  /**
   * The loss at other points, the same in all steps. Left out by a problem whose loss has noise, or whose
   * every step sees other examples.
   */
  readonly trial?: Trial;
  /** The state before the first step. Left out: none. */
  initialState?(seed: number): ProblemState;
  /** Loss, gradient and curvature at one point. */
  evaluate(point: StepPoint): Evaluation<Measures>;
  /** How good `parameters` [P] are, on what no step has seen or exactly; `step` counts the steps so far. */
  test(parameters: Float64Array, step: number): Test;
  /** How the parameters are stored. Left out: as one array, `parameters`, with the settings beside it. */
  readonly weights?: WeightsDescription;
  /** Called when the training has ended: threads stop here. */
  close?(): Promise<void>;
}
