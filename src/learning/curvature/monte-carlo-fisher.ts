import { type Matrix, matrix } from '../../linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { LayerShape, PerExampleFactors } from '../network/contract.js';

/**
 * The factor K (b × P) of a Monte-Carlo estimate of the Fisher information on b examples: row e is the
 * gradient of example e with a label y that is drawn from the network's own probabilities,
 *
 *     K_e = (1/√b) Σ_k (p_k − [k = y]) J_ek,
 *
 * so that the mean of KᵀK over draws is the generalized Gauss–Newton matrix of `gaussNewtonFactor`. It has
 * one row for an example where that one has as many as there are outputs: a board holds so many more
 * examples. A pure function of (seed, step). O(b P) products.
 *
 * Source: Martens, "New insights and perspectives on the natural gradient method", 2020, section 5.
 */
export function monteCarloFactor(
  layers: readonly LayerShape[],
  parameterCount: number,
  { count, outputs, probabilities, layers: factors }: PerExampleFactors,
  { seed, step }: { readonly seed: number; readonly step: number },
): Matrix {
  const random = randomSource({ seed, stream: RANDOM_STREAM.fisherLabels, step });
  const factor = matrix(count, parameterCount);
  const cotangent = new Float64Array(outputs);
  for (let e = 0; e < count; e++) {
    const p = probabilities.subarray(e * outputs, (e + 1) * outputs);
    cotangent.set(p);
    cotangent[drawLabel(p, random.uniform())] -= 1;
    const row = factor.data.subarray(e * parameterCount, (e + 1) * parameterCount);
    for (const [l, layer] of layers.entries()) addLayer(layer, factors[l], e, cotangent, count, row);
  }
  return factor;
}

/** The label at which the sum of probabilities passes `share`; the last one where rounding keeps it below. */
function drawLabel(p: Float64Array, share: number): number {
  let sum = 0;
  for (let k = 0; k < p.length - 1; k++) {
    sum += p[k];
    if (share < sum) return k;
  }
  return p.length - 1;
}

function addLayer(
  { outputs, inputs, positions, weightOffset, biasOffset }: LayerShape,
  { activations, deltas }: PerExampleFactors['layers'][number],
  example: number,
  cotangent: Float64Array,
  count: number,
  row: Float64Array,
): void {
  const classes = cotangent.length;
  const share = 1 / Math.sqrt(count);
  for (let t = 0; t < positions; t++) {
    const place = example * positions + t;
    for (let o = 0; o < outputs; o++) {
      const first = (place * outputs + o) * classes;
      let delta = 0;
      for (let k = 0; k < classes; k++) delta += cotangent[k] * deltas[first + k];
      delta *= share;
      row[biasOffset + o] += delta;
      if (delta === 0) continue;
      const start = weightOffset + o * inputs;
      for (let i = 0; i < inputs; i++) row[start + i] += delta * activations[place * inputs + i];
    }
  }
}
