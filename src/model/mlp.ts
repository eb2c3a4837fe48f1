import { createClassifier } from './classifier.js';
import type { Model } from './contract.js';

export interface MlpSettings {
  readonly inputCount: number;
  /** Widths of the hidden layers; empty for softmax regression. */
  readonly hidden: readonly number[];
  readonly classes: number;
}

/** A multilayer perceptron: dense layers with tanh between them, softmax cross-entropy on the last. */
export function createMlp({ inputCount, hidden, classes }: MlpSettings): Model {
  const widths = [inputCount, ...hidden, classes];
  return createClassifier({
    name: 'mlp',
    settings: { kind: 'mlp', inputCount, hidden: [...hidden], classes },
    inputCount,
    blocks: widths.slice(1).map((outputs, l) => ({ outputs, inputs: widths[l], positions: 1, poolSize: 1 })),
    layerNames: widths.slice(1).map((_, l) => `dense${l + 1}`),
    arrange: (inputs) => inputs,
  });
}
