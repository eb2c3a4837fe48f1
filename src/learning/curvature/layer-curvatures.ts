import { matrix } from '../../linalg/matrix.js';
import type { LayerFactors, LayerShape, PerExampleFactors } from '../network/contract.js';
import type { LayerCurvature } from '../problem/contract.js';

/**
 * The curvature of each layer as a Kronecker product, from b examples. With a = (activation, 1) and the
 * cotangents δ of the layer's outputs,
 *
 *     A = (1/b) Σ_e Σ_t a aᵀ,   B = (1/bT) Σ_e Σ_t E_y[δ δᵀ],
 *
 * over the T positions t at which the layer is applied. Labels y follow the probabilities p of the network.
 * Their expectation is computed exactly: Δ (diag(p) − ppᵀ) Δᵀ, where Δ holds the derivatives of all outputs
 * of the network. For one example and T = 1, A ⊗ B is the layer's block of the generalized Gauss–Newton
 * matrix.
 *
 * Source: Martens, Grosse, "Optimizing neural networks with Kronecker-factored approximate curvature", 2015;
 * for T > 1 Grosse, Martens, "A Kronecker-factored approximate Fisher matrix for convolution layers", 2016.
 */
export function layerCurvatures(
  layers: readonly LayerShape[],
  factors: PerExampleFactors,
): readonly LayerCurvature[] {
  return layers.map((layer, l) => ({
    inputs: inputRows(layer, factors.layers[l], factors.count),
    outputs: outputRows(layer, factors.layers[l], factors),
  }));
}

/** X with XᵀX = A: one row for each example and position. */
function inputRows({ inputs, positions }: LayerShape, { activations }: LayerFactors, count: number) {
  const rows = matrix(count * positions, inputs + 1);
  const share = 1 / Math.sqrt(count);
  for (let r = 0; r < rows.rows; r++) {
    const start = r * (inputs + 1);
    for (let i = 0; i < inputs; i++) rows.data[start + i] = share * activations[r * inputs + i];
    rows.data[start + inputs] = share;
  }
  return rows;
}

/** D with DᵀD = B: one row for each example, position and output i, √(p_i/bT) (Δ_i − Σ_k p_k Δ_k). */
function outputRows(
  { outputs, positions }: LayerShape,
  { deltas }: LayerFactors,
  { count, outputs: classes, probabilities }: PerExampleFactors,
) {
  const rows = matrix(count * positions * classes, outputs);
  for (let e = 0; e < count; e++) {
    const p = probabilities.subarray(e * classes, (e + 1) * classes);
    const shares = p.map((probability) => Math.sqrt(probability / (count * positions)));
    for (let t = 0; t < positions; t++)
      for (let o = 0; o < outputs; o++) {
        const first = ((e * positions + t) * outputs + o) * classes;
        let mean = 0;
        for (let k = 0; k < classes; k++) mean += p[k] * deltas[first + k];
        for (let i = 0; i < classes; i++)
          rows.data[((e * positions + t) * classes + i) * outputs + o] =
            shares[i] * (deltas[first + i] - mean);
      }
  }
  return rows;
}
