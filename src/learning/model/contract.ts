/** Labelled data points: `inputs` is count × inputCount, row-major; `labels[i]` < outputCount. */
export interface Examples {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
}

/**
 * One trainable affine map z = W a + b, applied at `positions` places of an example (1 for a dense layer, the output
 * pixels of a convolution). W (outputs × inputs, row-major) and then b (outputs) lie in the parameter vector.
 */
export interface LayerShape {
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly positions: number;
  readonly weightOffset: number;
  readonly biasOffset: number;
}

export interface LossAndGradient {
  /** Mean loss over the examples, in nat. */
  readonly loss: number;
  /** Examples whose largest output is that of their label. */
  readonly correct: number;
  /** ∇ of the mean loss, length P. */
  readonly gradient: Float64Array;
}

export interface Evaluation {
  /** Mean loss over the examples, in nat. */
  readonly loss: number;
  readonly correct: number;
  /** correct / count, 0 … 1. */
  readonly accuracy: number;
}

/** What one layer contributes to the Jacobian of the outputs; see `PerExampleFactors`. */
export interface LayerFactors {
  /** a: what the affine map reads, [example][position][input]. */
  readonly activations: Float32Array;
  /** δ = ∂output k / ∂(W a + b): [example][position][output of the layer][k]. */
  readonly deltas: Float32Array;
}

/**
 * The Jacobian of the outputs in factored form. Row (example e, output k) of J is, for the weights of a layer,
 * Σ_position δ[e, position, ·, k] ⊗ a[e, position], and for its bias Σ_position δ[e, position, ·, k].
 */
export interface PerExampleFactors {
  readonly count: number;
  readonly outputs: number;
  /** Softmax of the outputs, count × outputs: all that the output Hessian of cross-entropy needs. */
  readonly probabilities: Float64Array;
  /** One per entry of `Model.layers`. */
  readonly layers: readonly LayerFactors[];
}

/**
 * A differentiable classifier with softmax cross-entropy loss. Parameters are one flat float64 vector that the caller
 * owns: a model keeps no state, and the same arguments give the same bits on one machine. Outputs and derivatives are
 * computed in float32, losses and probabilities in float64.
 *
 * Errors: BAD_ARGUMENT for arrays of the wrong kind or length, a label beyond the outputs, a seed that is no u32.
 */
export interface Model {
  readonly name: string;
  /** Everything that defines the architecture, for checkpoints and reports. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inputCount: number;
  readonly outputCount: number;
  /** P. */
  readonly parameterCount: number;
  readonly layers: readonly LayerShape[];
  /** Initial parameters, a pure function of the seed (u32). */
  init(seed: number): Float64Array;
  lossAndGradient(parameters: Float64Array, batch: Examples): LossAndGradient;
  evaluate(parameters: Float64Array, examples: Examples): Evaluation;
  /** Class probabilities, count × outputCount; `inputs` is count × inputCount. */
  predict(parameters: Float64Array, inputs: Float32Array): Float64Array;
  perExampleFactors(parameters: Float64Array, examples: Examples): PerExampleFactors;
}
