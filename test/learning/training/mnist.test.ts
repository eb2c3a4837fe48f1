import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import type { Optimizer } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { CONTROL } from '../../../src/learning/optimizers/registry.js';
import { train } from '../../../src/learning/trainer.js';
import { exactSolver } from '../../support/exact-solver.js';
import { fewDigits } from '../../support/few-digits.js';

/** Real digits, few steps: enough to see that each optimizer learns, far too few to compare them. */
describe('on 4,000 MNIST digits, one epoch in batches of 128', () => {
  const data = loadDataset({ kind: 'directory', directory: fewDigits(4000, 2000) });
  const network = createConvolutionClassifier(data);

  const learns = async (optimizer: Optimizer): Promise<void> => {
    const { summary } = await train({
      network,
      data,
      optimizer,
      epochs: 1,
      batch: 128,
      trainSize: 4000,
      seed: 0,
    });
    expect(summary.iterations).toBe(31);
    expect(summary.testAccuracy).toBeGreaterThan(0.8);
  };

  it('the control reaches 80 % on test digits', { tags: 'long' }, () =>
    learns(createOptimizer('sgd', CONTROL)),
  );

  it.each<[string, () => Optimizer]>([
    ['sgd', () => createOptimizer('sgd')],
    ['adam', () => createOptimizer('adam')],
    ['tngd', () => createOptimizer('tngd', {}, exactSolver())],
  ])('%s reaches 80 % on test digits', { tags: 'long' }, (_, optimizer) => learns(optimizer()));
});
