import type { Matrix } from '../../linalg/matrix.js';

/** How well class probabilities fit labels. */
export interface ProbabilityScores {
  /** Share of examples whose most probable class is their label, 0 … 1. */
  readonly accuracy: number;
  /** Mean of −ln p(label), in nat. */
  readonly logLoss: number;
  /** Expected calibration error, a share: Σ share_b |accuracy_b − confidence_b| over the bins. */
  readonly calibrationError: number;
  /** Bins of the confidence, of equal width, without empty bins. */
  readonly bins: readonly ReliabilityBin[];
}

/** One bin: examples with about the same probability of the most probable class. */
export interface ReliabilityBin {
  /** Mean probability of the most probable class, 0 … 1. */
  readonly confidence: number;
  /** Share of examples whose most probable class is their label, 0 … 1. */
  readonly accuracy: number;
  /** Share of all examples, 0 … 1. */
  readonly share: number;
}

const BINS = 15;
/** A probability of 0 is replaced by this value. */
const PROBABILITY_MIN = 1e-12;

/** Scores of probabilities, n×C, for n labels. */
export function scoreProbabilities(
  { rows, columns, data }: Matrix,
  labels: ArrayLike<number>,
): ProbabilityScores {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, correct: 0 }));
  let [logLoss, correct] = [0, 0];
  for (let k = 0; k < rows; k++) {
    const row = data.subarray(k * columns, (k + 1) * columns);
    logLoss -= Math.log(row[labels[k]] + PROBABILITY_MIN);
    const confidence = Math.max(...row);
    const isCorrect = row.indexOf(confidence) === labels[k];
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    bin.count++;
    bin.confidence += confidence;
    if (isCorrect) {
      bin.correct++;
      correct++;
    }
  }
  const used = bins
    .filter(({ count }) => count > 0)
    .map((bin) => ({
      confidence: bin.confidence / bin.count,
      accuracy: bin.correct / bin.count,
      share: bin.count / rows,
    }));
  return {
    accuracy: correct / rows,
    logLoss: logLoss / rows,
    calibrationError: used.reduce((sum, bin) => sum + bin.share * Math.abs(bin.accuracy - bin.confidence), 0),
    bins: used,
  };
}

/** The entropy −Σ p ln p of every row, in nat. */
export function entropies({ rows, columns, data }: Matrix): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: rows }, (_, k) => {
    let sum = 0;
    for (const p of data.subarray(k * columns, (k + 1) * columns)) sum -= p * Math.log(p + PROBABILITY_MIN);
    return sum;
  });
}

/**
 * Area under the ROC curve: the probability that a value of `above` is larger than a value of `below`. Equal
 * values count half. It is computed from ranks in O(n log n).
 */
export function areaUnderRoc(below: Float64Array, above: Float64Array): number {
  const all = Float64Array.from([...below, ...above]);
  const order = Uint32Array.from(all, (_, k) => k).sort((i, j) => all[i] - all[j]);
  let ranks = 0;
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && all[order[last + 1]] === all[order[first]]) last++;
    for (let k = first; k <= last; k++) if (order[k] >= below.length) ranks += (first + last) / 2 + 1;
    first = last + 1;
  }
  return (ranks - (above.length * (above.length + 1)) / 2) / (below.length * above.length);
}

/** Mean over networks (C×d) of softmax(W φ/T) for every row φ of the features, n×d; T is the temperature. */
export function meanProbabilities(features: Matrix, networks: readonly Matrix[], temperature = 1): Matrix {
  const { rows, columns: inputs } = features;
  const outputs = networks[0].rows;
  const mean = { rows, columns: outputs, data: new Float64Array(rows * outputs) };
  const logits = new Float64Array(outputs);
  for (let k = 0; k < rows; k++) {
    const start = k * inputs;
    for (const { data } of networks) {
      let largest = -Infinity;
      for (let c = 0; c < outputs; c++) {
        let sum = 0;
        for (let j = 0; j < inputs; j++) sum += data[c * inputs + j] * features.data[start + j];
        logits[c] = sum / temperature;
        largest = Math.max(largest, logits[c]);
      }
      let total = 0;
      for (let c = 0; c < outputs; c++) total += logits[c] = Math.exp(logits[c] - largest);
      for (let c = 0; c < outputs; c++) mean.data[k * outputs + c] += logits[c] / total / networks.length;
    }
  }
  return mean;
}
