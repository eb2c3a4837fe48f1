import { type Matrix, matrix } from '../../linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { LayerShape, PerExampleFactors } from '../network/contract.js';

/**
 * The factor K (b × P) of a Monte-Carlo estimate of the Fisher information on b examples. Row e is the
 * gradient of example e with a label y drawn from the probabilities of the network,
 *
 *     K_e = (1/√b) Σ_k (p_k − [k = y]) J_ek,
 *
 * The mean of KᵀK over draws is the generalized Gauss–Newton matrix of `gaussNewtonFactor`. K has one row per
 * example. The K of `gaussNewtonFactor` has one row per example and output. A board with a given number of
 * rows therefore holds more examples. A pure function of (seed, step). O(b P) products.
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

/**
 * The first label at which the sum of probabilities exceeds `share`; the last label if rounding keeps the sum
 * below.
 */
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
