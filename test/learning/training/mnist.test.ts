import { describe, expect, it } from 'vitest';
import { firstExamples } from '../../../src/learning/data/dataset.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../src/learning/model/convolution-classifier.js';
import type { Optimizer } from '../../../src/learning/optimizers/contract.js';
import { CONTROL, createOptimizer } from '../../../src/learning/optimizers/create.js';
import { train } from '../../../src/learning/trainer.js';
import { exactSolver } from '../../support/model-exact-solver.js';

/** Real digits, few steps: enough to see that each optimizer learns, far too few to compare them. */
describe('on 4,000 MNIST digits, one epoch in batches of 128', () => {
  const mnist = loadDataset({ kind: 'mnist' });
  const data = { ...mnist, test: firstExamples(mnist.test, 2000) };
  const model = createConvolutionClassifier(mnist);

  it.each<[string, () => Optimizer]>([
    ['sgd', () => createOptimizer('sgd')],
    ['the control', () => createOptimizer('sgd', CONTROL)],
    ['adam', () => createOptimizer('adam')],
    ['tngd', () => createOptimizer('tngd', {}, exactSolver())],
  ])('%s reaches 80 % on test digits', async (_, optimizer) => {
    const { summary } = await train({
      model,
      data,
      optimizer: optimizer(),
      epochs: 1,
      batch: 128,
      trainSize: 4000,
      seed: 0,
    });
    expect(summary.iterations).toBe(31);
    expect(summary.testAccuracy).toBeGreaterThan(0.8);
  });
});
