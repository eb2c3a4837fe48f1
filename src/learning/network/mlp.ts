import { checkClasses, checkHidden, checkSettings, checkWidth, createClassifier } from './classifier.js';
import type { Network } from './contract.js';

/** The shape of a multilayer perceptron. */
export interface MlpSettings {
  readonly inputCount: number;
  /** Widths of the hidden layers, in order from the input; empty for softmax regression. */
  readonly hidden: readonly number[];
  readonly classes: number;
}

/**
 * A multilayer perceptron: dense layers with tanh between them, softmax cross-entropy on the last. Errors:
 * BAD_ARGUMENT for a width that is not a whole number ≥ 1, or a number of classes outside 2 … 256.
 */
export function createMlp(settings: MlpSettings): Network {
  checkSettings(settings, '{ inputCount: 784, hidden: [32], classes: 10 }');
  const { inputCount, hidden, classes } = settings;
  checkWidth('inputCount', inputCount);
  checkHidden(hidden);
  checkClasses(classes);
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
