import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/learning/data/dataset.js';
import type { Network } from '../../../src/learning/network/contract.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import type { Optimizer } from '../../../src/learning/optimizers/contract.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { poissonPinn } from '../../../src/learning/pinn/pinn-problem.js';
import type { StepRecord } from '../../../src/learning/record.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { train } from '../../../src/learning/trainer.js';
import { barsDataset } from '../../support/network-examples.js';

const data: Dataset = barsDataset(96, 30);
const mlp = createMlp({ inputCount: 64, hidden: [], classes: 3 });
/** 1000 times the loss of a uniform guess among three classes. */
const BOUND = 1000 * Math.log(3);

const run = (network: Network, rate = 0.1, onStep?: (record: StepRecord) => void) =>
  train({
    network,
    data,
    optimizer: createOptimizer('sgd', { rate, momentum: 0 }),
    epochs: 1,
    batch: 32,
    seed: 3,
    ...(onStep === undefined ? {} : { onStep }),
  });

/** The network with given losses: one for each batch, and one for all examples in the end. */
function withLosses(batches: readonly number[], evaluated: number): Network {
  let step = 0;
  return {
    ...mlp,
    lossAndGradient: (parameters, examples) => ({
      ...mlp.lossAndGradient(parameters, examples),
      loss: batches[step++],
    }),
    evaluate: (parameters, examples) => ({ ...mlp.evaluate(parameters, examples), loss: evaluated }),
  };
}

describe('a training whose loss is finite but huge', () => {
  it('ends in DIVERGED at a rate that is too large', async () => {
    await expect(run(mlp, 1e8)).rejects.toMatchObject({ code: 'DIVERGED', data: { bound: BOUND } });
  });

  it.each<[number, number, number | undefined]>([
    [BOUND, BOUND, undefined],
    [BOUND * 1.0001, 1, 1],
    [1e11, 1, 1],
    [Number.NaN, 1, 1],
    [1, BOUND * 1.0001, 3],
    [1, Number.POSITIVE_INFINITY, 3],
  ])('second batch %d, final parameters %d: diverged at step %s', async (second, evaluated, step) => {
    const training = run(withLosses([1, second, 1], evaluated));
    if (step === undefined) await expect(training).resolves.toBeDefined();
    else await expect(training).rejects.toMatchObject({ code: 'DIVERGED', data: { step } });
  });
});

it.each([
  ['loss', 1e6],
  ['parameters', Number.POSITIVE_INFINITY],
])('a problem whose last step makes the %s too large ends in DIVERGED', async (part, value) => {
  const sgd = createOptimizer('sgd', { rate: 0.1, momentum: 0 });
  const optimizer: Optimizer = {
    ...sgd,
    update: async (state, request) => ({
      ...(await sgd.update(state, request)),
      parameters: request.parameters.map(() => value),
    }),
  };
  const problem = poissonPinn({ dimensions: 2, hidden: [3] });
  await expect(trainProblem({ problem, optimizer, steps: 1, seed: 1 })).rejects.toMatchObject({
    code: 'DIVERGED',
    message: expect.stringContaining(`step 1: the ${part}`),
  });
});

it('a training by an optimizer without curvature spends no time on curvature', async () => {
  const records: StepRecord[] = [];
  await run(mlp, 0.1, (record) => records.push(record));
  expect(records.map(({ timing }) => timing.curvatureMs)).toEqual([0, 0, 0]);
});

it('a training reports its start before its first step', async () => {
  const calls: unknown[] = [];
  await train({
    network: mlp,
    data,
    optimizer: createOptimizer('sgd'),
    epochs: 1,
    batch: 32,
    seed: 3,
    onStart: (step, totalSteps) => calls.push(['start', step, totalSteps]),
    onStep: ({ step }) => calls.push(step),
  });
  expect(calls).toEqual([['start', 0, 3], 0, 1, 2]);
});
