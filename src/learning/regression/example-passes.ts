import type { LayerShape } from '../network/contract.js';

/**
 * Forward and backward pass of dense layers with tanh between them, for one example at a time, in float64. It
 * serves the few examples of the curvature; a whole batch goes through `network/passes.ts`.
 */
export class ExamplePasses {
  readonly #layers: readonly LayerShape[];
  /** Inputs of each layer. */
  readonly #activations: Float64Array[];
  /** ∂/∂z of each layer's z = W a + b, after `backward`. */
  readonly deltas: readonly Float64Array[];
  readonly outputs: Float64Array;

  constructor(layers: readonly LayerShape[]) {
    this.#layers = layers;
    this.#activations = layers.map(({ inputs }) => new Float64Array(inputs));
    this.deltas = layers.map(({ outputs }) => new Float64Array(outputs));
    this.outputs = new Float64Array(layers[layers.length - 1].outputs);
  }

  /** Inputs of layer `l`, after `forward`. */
  activation(l: number): Float64Array {
    return this.#activations[l];
  }

  /** Computes `outputs` from `inputs` at `parameters` [P]. */
  forward(parameters: Float64Array, inputs: ArrayLike<number>): void {
    this.#activations[0].set(inputs);
    const last = this.#layers.length - 1;
    for (const [l, { outputs, inputs: width, weightOffset, biasOffset }] of this.#layers.entries()) {
      const read = this.#activations[l];
      const written = l === last ? this.outputs : this.#activations[l + 1];
      for (let o = 0; o < outputs; o++) {
        let z = parameters[biasOffset + o];
        const start = weightOffset + o * width;
        for (let i = 0; i < width; i++) z += parameters[start + i] * read[i];
        written[o] = l === last ? z : Math.tanh(z);
      }
    }
  }

  /** Computes `deltas` for Σ outputs · cotangent, after `forward` at the same parameters. */
  backward(parameters: Float64Array, cotangent: ArrayLike<number>): void {
    const last = this.#layers.length - 1;
    this.deltas[last].set(cotangent);
    for (let l = last; l > 0; l--) {
      const { outputs, inputs, weightOffset } = this.#layers[l];
      const [delta, below, read] = [this.deltas[l], this.deltas[l - 1], this.#activations[l]];
      below.fill(0);
      for (let o = 0; o < outputs; o++) {
        const start = weightOffset + o * inputs;
        for (let i = 0; i < inputs; i++) below[i] += parameters[start + i] * delta[o];
      }
      for (let i = 0; i < inputs; i++) below[i] *= 1 - read[i] * read[i];
    }
  }

  /** Writes `share` times ∂/∂θ of the last `backward` to `row` [P]. */
  writeGradient(row: Float64Array, share: number): void {
    for (const [l, { outputs, inputs, weightOffset, biasOffset }] of this.#layers.entries()) {
      const [delta, read] = [this.deltas[l], this.#activations[l]];
      for (let o = 0; o < outputs; o++) {
        const scaled = share * delta[o];
        row[biasOffset + o] = scaled;
        const start = weightOffset + o * inputs;
        for (let i = 0; i < inputs; i++) row[start + i] = scaled * read[i];
      }
    }
  }
}
