/** Labelled examples: `inputs` is count × inputCount, row-major; `labels[i]` < outputCount. */
export interface Examples {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
}

/**
 * One trainable affine map z = W a + b, applied at `positions` places of an example: 1 for a dense layer, the
 * number of output pixels for a convolution. W (outputs × inputs, row-major) and then b (outputs) lie in the
 * parameter vector.
 */
export interface LayerShape {
  readonly name: string;
  /** Length of z. */
  readonly outputs: number;
  /** Length of a. */
  readonly inputs: number;
  /** Number of places of an example at which the map is applied. */
  readonly positions: number;
  /** Index of W's first entry in the parameter vector. */
  readonly weightOffset: number;
  /** Index of b's first entry in the parameter vector. */
  readonly biasOffset: number;
}

/** Loss and gradient of the parameters over a batch. */
export interface LossAndGradient {
  /** Mean loss over the examples, in units of nat. */
  readonly loss: number;
  /** How many examples have their largest output at their label. */
  readonly correct: number;
  /** ∇ of the mean loss, length P. */
  readonly gradient: Float64Array;
}

/** How well parameters classify examples. */
export interface Evaluation {
  /** Mean loss over the examples, in units of nat. */
  readonly loss: number;
  /** How many examples have their largest output at their label. */
  readonly correct: number;
  /** correct / count, a share, 0 … 1. */
  readonly accuracy: number;
}

/** The part of one layer in the Jacobian of the outputs; see `PerExampleFactors`. */
export interface LayerFactors {
  /** a, the input of the affine map: [example][position][input]. */
  readonly activations: Float32Array;
  /** δ = ∂output k / ∂(W a + b): [example][position][output of the layer][k]. */
  readonly deltas: Float32Array;
}

/**
 * The Jacobian of the outputs in factored form. Row (example e, output k) of J is, for the weights of a
 * layer, Σ_position δ[e, position, ·, k] ⊗ a[e, position], and for its bias Σ_position δ[e, position, ·, k].
 */
export interface PerExampleFactors {
  readonly count: number;
  /** Number of outputs of the network. */
  readonly outputs: number;
  /** Softmax of the outputs, count × outputs. The output Hessian of cross-entropy needs nothing else. */
  readonly probabilities: Float64Array;
  /** One per entry of `Network.layers`. */
  readonly layers: readonly LayerFactors[];
}

/**
 * A differentiable classifier with softmax cross-entropy loss. Parameters are one flat float64 vector, which
 * the caller owns. A network keeps no state: the same arguments give the same bits on one machine. Outputs
 * and derivatives are computed in float32, losses and probabilities in float64.
 *
 * Errors: BAD_ARGUMENT for arrays of the wrong kind or length, a label without an output, a seed that is not
 * a u32.
 */
export interface Network {
  readonly name: string;
  /** All settings that define the architecture, for checkpoints and reports. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inputCount: number;
  readonly outputCount: number;
  /** P, the length of the parameter vector. */
  readonly parameterCount: number;
  readonly layers: readonly LayerShape[];
  /** Initial parameters [P], a pure function of the seed (u32). */
  init(seed: number): Float64Array;
  /** The mean loss over a batch and its gradient at `parameters` [P]. */
  lossAndGradient(parameters: Float64Array, batch: Examples): LossAndGradient;
  /** The mean loss and the accuracy of `parameters` [P] over examples. */
  evaluate(parameters: Float64Array, examples: Examples): Evaluation;
  /** Class probabilities, count × outputCount; `inputs` is count × inputCount. */
  predict(parameters: Float64Array, inputs: Float32Array): Float64Array;
  /**
   * The Jacobian of the outputs at `parameters` [P], in factored form. `reuse` is an earlier result for the
   * same number of examples; the new result overwrites its arrays.
   */
  perExampleFactors(
    parameters: Float64Array,
    examples: Examples,
    reuse?: PerExampleFactors,
  ): PerExampleFactors;
}
