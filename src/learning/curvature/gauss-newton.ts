import { ThermolinkError } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { Examples, LayerFactors, LayerShape, Model, PerExampleFactors } from '../model/contract.js';

/**
 * The factor K (m × P, m = b·d_z) of the generalized Gauss–Newton matrix of softmax cross-entropy on b examples,
 *
 *   KᵀK = G = (1/b) Σ_e J_eᵀ H_e J_e,   H = diag(p) − ppᵀ,
 *
 * which is also the true Fisher information. Row e·d_z + i of K is row i of H½J_e/√b, with the root
 *
 *   H½ = diag(√p)(I − 1pᵀ),   that is √p_i (J_i − Σ_k p_k J_k),
 *
 * which is not symmetric but satisfies H½ᵀH½ = H exactly and costs two passes instead of an eigendecomposition.
 *
 * Costs one forward pass over b columns, one backward pass over b·d_z columns, and O(m P) products. Unit of G: nat per
 * parameter². `into`, a matrix of m × P that the caller has no more use for, receives the result in place of a new one:
 * 5 MB less to allocate and clear in every step of a training.
 *
 * Errors: BAD_ARGUMENT when `into` has another shape; those of `perExampleFactors`.
 * Source: Martens, "New insights and perspectives on the natural gradient method", 2020; arXiv 2405.13817, section 3.
 */
export function gaussNewtonFactor(
  model: Model,
  parameters: Float64Array,
  examples: Examples,
  into?: Matrix,
): Matrix {
  return factorOf(model.layers, model.parameterCount, model.perExampleFactors(parameters, examples), into);
}

/** The same from factors that were computed already. */
export function factorOf(
  layers: readonly LayerShape[],
  parameterCount: number,
  factors: PerExampleFactors,
  into?: Matrix,
): Matrix {
  const { count, outputs, probabilities } = factors;
  const k = into ?? matrix(count * outputs, parameterCount);
  if (k.rows !== count * outputs || k.columns !== parameterCount)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `into is ${k.rows} × ${k.columns}; the factor is ${count * outputs} × ${parameterCount}.`,
    );
  for (let example = 0; example < count; example++) {
    const p = probabilities.subarray(example * outputs, (example + 1) * outputs);
    const roots = p.map((probability) => Math.sqrt(probability / count));
    layers.forEach((layer, l) => {
      const place = { layer, factors: factors.layers[l], example, p, roots };
      if (layer.positions === 1) fillDense(k, place);
      else fillSummed(k, place);
    });
  }
  return k;
}

/** What the rows of one example have in the columns of one layer. */
interface Place {
  readonly layer: LayerShape;
  readonly factors: LayerFactors;
  readonly example: number;
  readonly p: Float64Array;
  /** √(p_i/b). */
  readonly roots: Float64Array;
}

/** √(p_i/b)(δ_i − Σ_k p_k δ_k) of all outputs i, into `rooted`; δ_i stands at start + i · stride. */
function rootDeltas(
  { factors: { deltas }, p, roots }: Place,
  start: number,
  stride: number,
  rooted: Float64Array,
): void {
  let mean = 0;
  for (let k = 0; k < p.length; k++) mean += p[k] * deltas[start + k * stride];
  for (let i = 0; i < p.length; i++) rooted[i] = roots[i] * (deltas[start + i * stride] - mean);
}

/** A layer with one position: each entry of K is one product, δ · a or δ · 1. */
function fillDense(k: Matrix, place: Place): void {
  const { layer, factors, example, p } = place;
  const { inputs, outputs } = layer;
  const a = factors.activations.subarray(example * inputs, (example + 1) * inputs);
  const rooted = new Float64Array(p.length);
  for (let o = 0; o < outputs; o++) {
    rootDeltas(place, example * p.length * outputs + o, outputs, rooted);
    for (let i = 0; i < p.length; i++) {
      const row = (example * p.length + i) * k.columns;
      k.data[row + layer.biasOffset + o] = 0 + rooted[i];
      setScaled(k.data, row + layer.weightOffset + o * inputs, rooted[i], a);
    }
  }
}

/** A layer with several positions: adds up δ ⊗ (a, 1) over them. */
function fillSummed(k: Matrix, place: Place): void {
  const { layer, factors, example, p } = place;
  const { inputs, outputs, positions, weightOffset, biasOffset } = layer;
  const length = positions * outputs;
  const start = example * p.length * length;
  for (let i = 0; i < p.length; i++) {
    const row = (example * p.length + i) * k.columns;
    k.data.fill(0, row + weightOffset, row + weightOffset + outputs * inputs);
    k.data.fill(0, row + biasOffset, row + biasOffset + outputs);
  }
  const reached = reachedPlaces(factors.deltas, start, length, p.length);
  const rooted = new Float64Array(p.length);
  for (let position = 0; position < positions; position++) {
    const first = (example * positions + position) * inputs;
    const a = factors.activations.subarray(first, first + inputs);
    const isBlank = isZero(a);
    for (let o = 0; o < outputs; o++) {
      if (reached[position * outputs + o] === 0) continue;
      rootDeltas(place, start + position * outputs + o, length, rooted);
      for (let i = 0; i < p.length; i++) {
        const row = (example * p.length + i) * k.columns;
        k.data[row + biasOffset + o] += rooted[i];
        if (!isBlank) addScaled(k.data, row + weightOffset + o * inputs, rooted[i], a);
      }
    }
  }
}

/** 1 where any output has a derivative: max-pooling passes nothing back to most positions. */
function reachedPlaces(deltas: Float32Array, start: number, length: number, outputs: number): Uint8Array {
  const reached = new Uint8Array(length);
  for (let k = 0; k < outputs; k++) {
    const row = start + k * length;
    for (let j = 0; j < length; j++) if (deltas[row + j] !== 0) reached[j] = 1;
  }
  return reached;
}

/** About half the patches of a digit are blank. */
function isZero(values: Float32Array): boolean {
  for (let j = 0; j < values.length; j++) if (values[j] !== 0) return false;
  return true;
}

/** Zeros are written as +0, as if added to 0. */
function setScaled(target: Float64Array, start: number, factor: number, a: Float32Array): void {
  for (let j = 0; j < a.length; j++) target[start + j] = 0 + factor * a[j];
}

function addScaled(target: Float64Array, start: number, factor: number, a: Float32Array): void {
  for (let j = 0; j < a.length; j++) target[start + j] += factor * a[j];
}
