import { badArgument, checkObject } from '../argument-checks.js';
import type { Examples, Network } from './network/contract.js';

/** How well parameters classify examples, class by class. */
export interface ClassReport {
  readonly count: number;
  /** Mean loss over the examples, in units of nat. */
  readonly loss: number;
  /** Share of the examples classified correctly, 0 … 1. */
  readonly accuracy: number;
  /** Standard error of that share p, √(p(1 − p)/count), a share too. */
  readonly accuracyError: number;
  /** Number of examples by true class (row) and predicted class (column): classes × classes. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Classifies examples with parameters [P] of a network, and counts the predictions for each true class.
 * Errors: BAD_ARGUMENT for arrays of the wrong length and for no examples.
 */
export function classReport(network: Network, parameters: Float64Array, examples: Examples): ClassReport {
  checkObject('examples', examples, '{ count, inputs, labels }');
  const { count, labels, inputs } = examples;
  if (!(count > 0)) throw badArgument('examples.count', count, 'at least 1');
  const { loss, correct, accuracy } = network.evaluate(parameters, examples);
  const probabilities = network.predict(parameters, inputs);
  const classes = network.outputCount;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let example = 0; example < count; example++)
    confusion[labels[example]][largestAt(probabilities, example * classes, classes)]++;
  const share = correct / count;
  return { count, loss, accuracy, accuracyError: Math.sqrt((share * (1 - share)) / count), confusion };
}

/** Index of the largest of `length` numbers from `start` on; the first one of equal numbers. */
function largestAt(values: Float64Array, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}
