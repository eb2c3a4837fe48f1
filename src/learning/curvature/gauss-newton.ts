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
 * Costs one forward and one backward pass over b·d_z columns and O(m P) products. Unit of G: nat per parameter².
 * Source: Martens, "New insights and perspectives on the natural gradient method", 2020; arXiv 2405.13817, section 3.
 */
export function gaussNewtonFactor(model: Model, parameters: Float64Array, examples: Examples): Matrix {
  return factorOf(model.layers, model.parameterCount, model.perExampleFactors(parameters, examples));
}

/** The same from factors that were computed already. */
export function factorOf(
  layers: readonly LayerShape[],
  parameterCount: number,
  factors: PerExampleFactors,
): Matrix {
  const { count, outputs } = factors;
  const k = matrix(count * outputs, parameterCount);
  layers.forEach((layer, index) => {
    const layerFactors = factors.layers[index];
    for (let example = 0; example < count; example++) {
      const rooted = rootedDeltas(layer, layerFactors, factors, example);
      const blank = blankPositions(layer, layerFactors, example);
      for (let i = 0; i < outputs; i++)
        addOuterProducts(
          k.data,
          (example * outputs + i) * parameterCount,
          layer,
          layerFactors,
          rooted,
          blank,
          example,
          i,
        );
    }
  });
  return k;
}

/** √(p_i/b)(δ_i − Σ_k p_k δ_k) of one example: [i][position][output of the layer]. */
function rootedDeltas(
  layer: LayerShape,
  { deltas }: LayerFactors,
  { count, outputs, probabilities }: PerExampleFactors,
  example: number,
): Float64Array {
  const length = layer.positions * layer.outputs;
  const start = example * outputs * length;
  const p = probabilities.subarray(example * outputs, (example + 1) * outputs);
  const mean = new Float64Array(length);
  for (let k = 0; k < outputs; k++)
    for (let j = 0; j < length; j++) mean[j] += p[k] * deltas[start + k * length + j];
  const rooted = new Float64Array(outputs * length);
  for (let i = 0; i < outputs; i++) {
    const root = Math.sqrt(p[i] / count);
    for (let j = 0; j < length; j++)
      rooted[i * length + j] = root * (deltas[start + i * length + j] - mean[j]);
  }
  return rooted;
}

/** Where a layer reads nothing but zeros: about half the patches of a digit. */
function blankPositions(layer: LayerShape, { activations }: LayerFactors, example: number): boolean[] {
  const start = example * layer.positions * layer.inputs;
  return Array.from({ length: layer.positions }, (_, position) => {
    const a = start + position * layer.inputs;
    return activations.subarray(a, a + layer.inputs).every((value) => value === 0);
  });
}

/** Adds Σ_position δ ⊗ (a, 1) to the layer's part of one row of K. */
function addOuterProducts(
  k: Float64Array,
  row: number,
  layer: LayerShape,
  { activations }: LayerFactors,
  rooted: Float64Array,
  blank: readonly boolean[],
  example: number,
  i: number,
): void {
  const { inputs, outputs, positions } = layer;
  const weights = row + layer.weightOffset;
  const biases = row + layer.biasOffset;
  for (let position = 0; position < positions; position++) {
    const a = (example * positions + position) * inputs;
    const d = (i * positions + position) * outputs;
    for (let o = 0; o < outputs; o++) {
      const delta = rooted[d + o];
      // Max-pooling passes nothing back to most positions.
      if (delta === 0) continue;
      k[biases + o] += delta;
      if (blank[position]) continue;
      const target = weights + o * inputs;
      for (let j = 0; j < inputs; j++) k[target + j] += delta * activations[a + j];
    }
  }
}
