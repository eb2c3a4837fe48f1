/**
 * Softmax cross-entropy of a batch. The outputs are feature-major: output k of example e is `logits[k * count
 * + e]`.
 */
export interface CrossEntropy {
  /** Sum over the examples of −ln p(label), in nat. */
  readonly lossSum: number;
  readonly correct: number;
  /** p = softmax(logits), example-major: count × outputs. */
  readonly probabilities: Float64Array;
}

/**
 * loss = ln Σ_k e^(z_k) − z_label, p_k = e^(z_k) / Σ e^z, in float64. The largest output is subtracted first;
 * then no finite output overflows. If the largest output occurs twice, the lower class is the prediction.
 * Outputs that are not finite give a loss that is not finite.
 */
export function softmaxCrossEntropy(logits: Float32Array, labels: Uint8Array, outputs: number): CrossEntropy {
  const count = labels.length;
  const probabilities = new Float64Array(count * outputs);
  let lossSum = 0;
  let correct = 0;
  for (let e = 0; e < count; e++) {
    let best = 0;
    for (let k = 1; k < outputs; k++) if (logits[k * count + e] > logits[best * count + e]) best = k;
    const largest = logits[best * count + e];
    let sum = 0;
    for (let k = 0; k < outputs; k++)
      sum += probabilities[e * outputs + k] = Math.exp(logits[k * count + e] - largest);
    for (let k = 0; k < outputs; k++) probabilities[e * outputs + k] /= sum;
    lossSum += Math.log(sum) + largest - logits[labels[e] * count + e];
    if (best === labels[e]) correct++;
  }
  return { lossSum, correct, probabilities };
}

/** ∂(mean loss)/∂logits = (p − 1_label)/count, feature-major like the logits. */
export function crossEntropyCotangent(
  probabilities: Float64Array,
  labels: Uint8Array,
  outputs: number,
): Float32Array {
  const count = labels.length;
  const cotangent = new Float32Array(outputs * count);
  for (let e = 0; e < count; e++)
    for (let k = 0; k < outputs; k++)
      cotangent[k * count + e] = (probabilities[e * outputs + k] - (labels[e] === k ? 1 : 0)) / count;
  return cotangent;
}
