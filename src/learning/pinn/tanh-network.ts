import { checkWhole } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import type { RandomSource } from '../../linalg/random.js';

/** The value of a network at one point, and its first and second derivatives along chosen inputs. */
export interface Jet {
  /** u. */
  value: number;
  /** ∂u/∂x_k, one per chosen input. */
  readonly first: Float64Array;
  /** ∂²u/∂x_k², one per chosen input. */
  readonly second: Float64Array;
}

/** How parameters are initialised; see `TanhNetwork.initial`. */
export type TanhStart = 'wide' | 'glorot';

/** One layer z = W a + b: W (outputs × inputs, row-major), then b (outputs). */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weightOffset: number;
  readonly biasOffset: number;
}

/** Input and output of a layer at one point; index k counts the chosen inputs. */
interface LayerTape {
  /** a and its derivatives. For the first layer a is the point itself, and its derivatives are 0 or 1. */
  readonly input: Float64Array;
  readonly inputFirst: readonly Float64Array[];
  readonly inputSecond: readonly Float64Array[];
  /** First and second derivatives of z. */
  readonly first: readonly Float64Array[];
  readonly second: readonly Float64Array[];
  /** tanh z; in the last layer z. */
  readonly output: Float64Array;
  /** Adjoints of z and of the derivatives of z. */
  readonly adjoint: Float64Array;
  readonly adjointFirst: readonly Float64Array[];
  readonly adjointSecond: readonly Float64Array[];
}

/**
 * Memory for the computation at one point, made by `TanhNetwork.tape`. A tape belongs to one network and one
 * list of inputs.
 */
export interface Tape {
  /** The inputs along which derivatives are taken. */
  readonly along: readonly number[];
  readonly jet: Jet;
  /** Adjoints that `backward` reads: ∂q/∂u, ∂q/∂u_k, ∂q/∂u_kk of a scalar q. */
  readonly adjoint: Jet;
  readonly layers: readonly LayerTape[];
}

/**
 * A network u(x) of tanh layers with a linear last layer, in float64. A forward pass computes u and its exact
 * first and second derivatives in x. A backward pass computes ∂/∂θ of any combination of them. The parameters
 * θ are one vector of length P: for each layer W (outputs × inputs, row-major), then b.
 *
 * With p = tanh z: p' = 1 − p², p'' = −2 p p', p''' = p'(6p² − 2).
 */
export class TanhNetwork {
  readonly inputCount: number;
  /** P. */
  readonly parameterCount: number;
  readonly #layers: readonly Layer[];

  /**
   * `sizes`: number of inputs, then the width of each hidden layer. The last layer has one output. Errors:
   * BAD_ARGUMENT for fewer than two sizes, or a size that is not a whole number ≥ 1.
   */
  constructor(sizes: readonly number[]) {
    if (sizes.length < 2)
      throw new ThermolinkError('BAD_ARGUMENT', 'sizes needs the number of inputs and one hidden layer.');
    for (const size of sizes) checkWhole('sizes', size, 1);
    const layers: Layer[] = [];
    let offset = 0;
    for (const [index, inputs] of sizes.entries()) {
      const outputs = sizes[index + 1] ?? 1;
      const biasOffset = offset + outputs * inputs;
      layers.push({ inputs, outputs, weightOffset: offset, biasOffset });
      offset = biasOffset + outputs;
    }
    this.inputCount = sizes[0];
    this.parameterCount = offset;
    this.#layers = layers;
  }

  /**
   * Initial θ, length P. `wide`: hidden weights and biases ~ N(0, 1), last weights ~ N(0, 1/width), last bias
   * 0. `glorot`: weights ~ N(0, 2/(inputs + outputs)), biases 0 (Glorot and Bengio, 2010).
   */
  initial(random: RandomSource, start: TanhStart): Float64Array {
    const parameters = new Float64Array(this.parameterCount);
    for (const [index, { inputs, outputs, weightOffset, biasOffset }] of this.#layers.entries()) {
      const isEnd = index === this.#layers.length - 1;
      const wide = isEnd ? Math.sqrt(1 / inputs) : 1;
      const deviation = start === 'wide' ? wide : Math.sqrt(2 / (inputs + outputs));
      for (let i = weightOffset; i < biasOffset; i++) parameters[i] = deviation * random.normal();
      if (start === 'wide' && !isEnd)
        for (let i = biasOffset; i < biasOffset + outputs; i++) parameters[i] = random.normal();
    }
    return parameters;
  }

  /** Makes the memory for one point with derivatives along the inputs `along`. */
  tape(along: readonly number[]): Tape {
    const jet = (): Jet => ({
      value: 0,
      first: new Float64Array(along.length),
      second: new Float64Array(along.length),
    });
    const vectors = (length: number): Float64Array[] => along.map(() => new Float64Array(length));
    let input: Float64Array = new Float64Array(this.inputCount);
    let inputFirst = vectors(this.inputCount);
    along.forEach((dimension, k) => {
      inputFirst[k][dimension] = 1;
    });
    let inputSecond = vectors(this.inputCount);
    const layers = this.#layers.map(({ outputs }) => {
      const layer: LayerTape = {
        input,
        inputFirst,
        inputSecond,
        first: vectors(outputs),
        second: vectors(outputs),
        output: new Float64Array(outputs),
        adjoint: new Float64Array(outputs),
        adjointFirst: vectors(outputs),
        adjointSecond: vectors(outputs),
      };
      input = layer.output;
      inputFirst = vectors(outputs);
      inputSecond = vectors(outputs);
      return layer;
    });
    return { along, jet: jet(), adjoint: jet(), layers };
  }

  /**
   * Computes u and its derivatives at the point whose coordinates begin at `points[start]`. Returns
   * `tape.jet`, which holds them.
   */
  forward(parameters: Float64Array, points: Float64Array, start: number, tape: Tape): Jet {
    const { layers, along, jet } = tape;
    for (let i = 0; i < this.inputCount; i++) layers[0].input[i] = points[start + i];
    for (let l = 0; l < layers.length; l++) {
      this.#apply(l, parameters, tape);
      if (l + 1 < layers.length) this.#bend(l, tape);
    }
    const end = layers[layers.length - 1];
    jet.value = end.output[0];
    for (let k = 0; k < along.length; k++) {
      jet.first[k] = end.first[k][0];
      jet.second[k] = end.second[k][0];
    }
    return jet;
  }

  /** z = W a + b of one layer, and its derivatives. */
  #apply(l: number, parameters: Float64Array, { layers, along }: Tape): void {
    const { inputs, outputs, weightOffset, biasOffset } = this.#layers[l];
    const { input, inputFirst, inputSecond, first, second, output } = layers[l];
    for (let j = 0; j < outputs; j++) {
      const row = weightOffset + j * inputs;
      let z = parameters[biasOffset + j];
      for (let i = 0; i < inputs; i++) z += parameters[row + i] * input[i];
      output[j] = z;
    }
    for (let k = 0; k < along.length; k++) {
      const z1 = first[k];
      const z2 = second[k];
      if (l === 0) {
        for (let j = 0; j < outputs; j++) z1[j] = parameters[weightOffset + j * inputs + along[k]];
        continue;
      }
      const a1 = inputFirst[k];
      const a2 = inputSecond[k];
      for (let j = 0; j < outputs; j++) {
        const row = weightOffset + j * inputs;
        let sum1 = 0;
        let sum2 = 0;
        for (let i = 0; i < inputs; i++) {
          const weight = parameters[row + i];
          sum1 += weight * a1[i];
          sum2 += weight * a2[i];
        }
        z1[j] = sum1;
        z2[j] = sum2;
      }
    }
  }

  /** tanh of one layer, and the derivatives that the next layer reads. */
  #bend(l: number, { layers, along }: Tape): void {
    const { output, first, second } = layers[l];
    for (let j = 0; j < output.length; j++) output[j] = Math.tanh(output[j]);
    for (let k = 0; k < along.length; k++) {
      const z1 = first[k];
      const z2 = second[k];
      const a1 = layers[l + 1].inputFirst[k];
      const a2 = layers[l + 1].inputSecond[k];
      for (let j = 0; j < output.length; j++) {
        const slope = 1 - output[j] * output[j];
        a1[j] = slope * z1[j];
        a2[j] = slope * (z2[j] - 2 * output[j] * z1[j] * z1[j]);
      }
    }
  }

  /**
   * Adds ∂q/∂θ to the P entries of `out` from `offset` on. `tape.adjoint` must hold the derivatives of q at
   * the point of the last `forward` of this tape.
   */
  backward(parameters: Float64Array, tape: Tape, out: Float64Array, offset: number): void {
    const { layers, along, adjoint } = tape;
    const end = layers[layers.length - 1];
    end.adjoint[0] = adjoint.value;
    for (let k = 0; k < along.length; k++) {
      end.adjointFirst[k][0] = adjoint.first[k];
      end.adjointSecond[k][0] = adjoint.second[k];
    }
    for (let l = layers.length - 1; l >= 0; l--) {
      this.#addLayer(l, tape, out, offset);
      if (l > 0) this.#passDown(l, parameters, tape);
    }
  }

  /** ∂q/∂W and ∂q/∂b of one layer. */
  #addLayer(l: number, { layers, along }: Tape, out: Float64Array, offset: number): void {
    const { inputs, outputs, weightOffset, biasOffset } = this.#layers[l];
    const { input, inputFirst, inputSecond, adjoint, adjointFirst, adjointSecond } = layers[l];
    const weights = offset + weightOffset;
    for (let j = 0; j < outputs; j++) {
      const row = weights + j * inputs;
      out[offset + biasOffset + j] += adjoint[j];
      for (let i = 0; i < inputs; i++) out[row + i] += adjoint[j] * input[i];
    }
    for (let k = 0; k < along.length; k++) {
      const adjoint1 = adjointFirst[k];
      const adjoint2 = adjointSecond[k];
      if (l === 0) {
        // ∂x_j/∂x_k is 1 for j = k and 0 otherwise; second derivatives are 0.
        for (let j = 0; j < outputs; j++) out[weights + j * inputs + along[k]] += adjoint1[j];
        continue;
      }
      const a1 = inputFirst[k];
      const a2 = inputSecond[k];
      for (let j = 0; j < outputs; j++) {
        const row = weights + j * inputs;
        for (let i = 0; i < inputs; i++) out[row + i] += adjoint1[j] * a1[i] + adjoint2[j] * a2[i];
      }
    }
  }

  /** Adjoints of the layer below, through W and through tanh and its derivatives. */
  #passDown(l: number, parameters: Float64Array, { layers, along }: Tape): void {
    const { inputs, outputs, weightOffset } = this.#layers[l];
    const upper = layers[l];
    const { output, adjoint, adjointFirst, adjointSecond, first, second } = layers[l - 1];
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let j = 0; j < outputs; j++) sum += upper.adjoint[j] * parameters[weightOffset + j * inputs + i];
      adjoint[i] = (1 - output[i] * output[i]) * sum;
    }
    for (let k = 0; k < along.length; k++) {
      const upper1 = upper.adjointFirst[k];
      const upper2 = upper.adjointSecond[k];
      const z1 = first[k];
      const z2 = second[k];
      const lower1 = adjointFirst[k];
      const lower2 = adjointSecond[k];
      for (let i = 0; i < inputs; i++) {
        let y1 = 0;
        let y2 = 0;
        for (let j = 0; j < outputs; j++) {
          const weight = parameters[weightOffset + j * inputs + i];
          y1 += upper1[j] * weight;
          y2 += upper2[j] * weight;
        }
        const p = output[i];
        const slope = 1 - p * p;
        const bend = -2 * p * slope;
        const third = slope * (6 * p * p - 2);
        adjoint[i] += bend * z1[i] * y1 + (third * z1[i] * z1[i] + bend * z2[i]) * y2;
        lower1[i] = slope * y1 + 2 * bend * z1[i] * y2;
        lower2[i] = slope * y2;
      }
    }
  }
}
