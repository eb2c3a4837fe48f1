/** Every optimizer of the registry, for a few steps on the smallest possible problems. */
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import { createExactSolver, createNoSolver } from '../../../src/algorithms/truncated.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer, optimizerSettings } from '../../../src/learning/optimizers/create.js';
import {
  CONTROL,
  OPTIMIZER_DEFAULTS,
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
  TRUNCATED_DEFAULTS,
} from '../../../src/learning/optimizers/registry.js';
import { poissonPinn } from '../../../src/learning/pinn/pinn-problem.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { type TrainRequest, train } from '../../../src/learning/trainer.js';
import { barsDataset } from '../../support/network-examples.js';
import type { Lab, ProgramTable } from '../program.js';
import { ofSize } from './boards.js';

const data = barsDataset(24, 12);
const network = createMlp({ inputCount: 64, hidden: [2], classes: 3 });
type Solver = Parameters<typeof createOptimizer>[2];

/** Four steps of a classifier: two epochs of two batches. */
async function classified(
  lab: Lab,
  name: OptimizerName,
  options: OptimizerOptions = {},
  solver?: Solver,
  request: Partial<TrainRequest> = {},
) {
  return train({
    network,
    data,
    optimizer: createOptimizer(name, options, solver),
    epochs: 2,
    batch: 12,
    curvatureExamples: 4,
    seed: 86,
    onStart: lab.listener('start'),
    onStep: lab.listener('steps'),
    ...request,
  });
}

/** Some steps on the Poisson equation in the square. All steps have the same loss function. */
const solvedEquation = (
  lab: Lab,
  name: OptimizerName,
  options: OptimizerOptions = {},
  solver?: Solver,
  steps = 5,
) =>
  trainProblem({
    problem: poissonPinn({ dimensions: 2, hidden: [4] }),
    optimizer: createOptimizer(name, options, solver),
    steps,
    seed: 87,
    testEvery: 2,
    onStep: lab.listener('steps'),
  });

const crossbar = (lab: Lab, profile = 'ideal-crossbar', rows = 320) =>
  createAnalogSolver(lab.board(profile, ofSize(192, rows)));

export const OPTIMIZERS: ProgramTable = {
  'optimizer-settings': async () => ({
    defaults: OPTIMIZER_DEFAULTS,
    truncated: TRUNCATED_DEFAULTS,
    control: CONTROL,
    all: OPTIMIZER_NAMES.map((name) => optimizerSettings(name)),
  }),
  'optimizer-bad-input': async (lab) => {
    const cases: readonly [OptimizerName, object, Solver?][] = [
      ['unknown' as OptimizerName, {}],
      ['adam', { rate: 0 }],
      ['adam', { beta1: 1 }],
      ['adam', { momentum: 0.5 }],
      ['sgd', { finalRate: 2 }],
      ['sgd', { clip: 0 }],
      ['tngd', { initial: 'first' }],
      ['tngd', { time: 0 }],
      ['tngd', { initial: 'zero', delay: 1 }],
      ['tngd', { time: 1e3 }],
      ['tngd', { blocks: 'half' }],
      ['tngd', { ticks: 0 }],
      ['ngd', { damping: 0 }],
      ['kfac', { damping: 0 }],
      ['kfac', { tolerance: 1 }],
      ['lm', { rank: -1 }],
      ['lm', {}],
      ['lm', {}, createIdealSampler()],
      ['cg', { products: 0.5 }],
      ['tngd', {}, { name: 'none', solve: async () => undefined } as never],
    ];
    const errors: unknown[] = [];
    for (const [name, options, solver] of cases)
      errors.push(await lab.refused(() => createOptimizer(name, options, solver)));
    return errors;
  },
  'train-sgd': (lab) => classified(lab, 'sgd'),
  'train-sgd-clipped': (lab) => classified(lab, 'sgd', { clip: 0.05, finalRate: 0.5, momentum: 0.3 }),
  'train-sign-sgd': (lab) => classified(lab, 'sign-sgd'),
  'train-rmsprop': (lab) => classified(lab, 'rmsprop'),
  'train-adam': (lab) => classified(lab, 'adam', { clip: 0.02 }),
  'train-ngd': (lab) => classified(lab, 'ngd'),
  'train-ngd-monte-carlo': (lab) =>
    classified(lab, 'ngd', { finalDamping: 0.1 }, undefined, { curvature: 'monte-carlo' }),
  'train-cg': (lab) => classified(lab, 'cg', { products: 4 }),
  'train-tngd': (lab) => classified(lab, 'tngd', {}, crossbar(lab)),
  'train-tngd-delayed': (lab) =>
    classified(lab, 'tngd', { delay: 0.5, finalDamping: 0.5 }, crossbar(lab, 'prototype-crossbar')),
  'train-tngd-blocks': (lab) => classified(lab, 'tngd', { blocks: 'layers', delay: 0.2 }, crossbar(lab)),
  'train-tngd-from-gradient': (lab) => classified(lab, 'tngd', { initial: 'gradient' }, createIdealSampler()),
  'train-tngd-from-zero': (lab) =>
    classified(lab, 'tngd', { initial: 'zero', clip: 0.1 }, createIdealSampler({ noiseTemperature: 1e-4 })),
  'train-tngd-adam': (lab) => classified(lab, 'tngd-adam', { clip: 0.1 }, crossbar(lab)),
  'train-tngd-adam-blocks': (lab) =>
    classified(lab, 'tngd-adam', { blocks: 'layers', initial: 'zero' }, crossbar(lab)),
  'train-tngd-truncated': (lab) =>
    classified(lab, 'tngd', { ticks: 40, runs: 2, rate: 0.5, reload: 2 }, crossbar(lab)),
  'train-tngd-mean': (lab) =>
    classified(
      lab,
      'tngd',
      { ticks: 40, runs: 2, rate: 0.5, average: 0.5, reload: 2 },
      createAnalogSolver(lab.board('ideal-256')),
    ),
  'train-ngd-mean': (lab) => classified(lab, 'ngd', { average: 0.3, reload: 3 }),
  'train-kfac': (lab) => classified(lab, 'kfac', { reload: 2 }, createAnalogSolver(lab.board('ideal-256'))),
  'train-kfac-exact': (lab) => classified(lab, 'kfac', { reload: 3, klClip: 1e-4 }, createExactSolver()),
  'train-kfac-control': (lab) => classified(lab, 'kfac', { average: 0, finalDamping: 0.1 }, createNoSolver()),
  'train-convolution': (lab) =>
    classified(lab, 'ngd', {}, undefined, {
      network: createConvolutionClassifier({ rows: 8, columns: 8, classes: 3, channels: 2, kernel: 3 }),
    }),
  'train-part': (lab) =>
    classified(lab, 'adam', {}, undefined, {
      trainSize: 20,
      batch: 7,
      epochs: 1,
      environment: { board: 'x' },
    }),
  'train-diverges': (lab) =>
    lab.refused(() => classified(lab, 'sgd', { rate: 1e30, clip: Infinity, momentum: 0 })),
  'train-bad-input': async (lab) => [
    await lab.refused(() => classified(lab, 'sgd', {}, undefined, { batch: 25 })),
    await lab.refused(() => classified(lab, 'sgd', {}, undefined, { epochs: 0 })),
    await lab.refused(() => classified(lab, 'sgd', {}, undefined, { trainSize: 25 })),
    await lab.refused(() => classified(lab, 'sgd', {}, undefined, { curvatureExamples: 13 })),
    await lab.refused(() => classified(lab, 'sgd', {}, undefined, { curvature: 'none' as never })),
    await lab.refused(() => classified(lab, 'lbfgs')),
    await lab.refused(() =>
      classified(lab, 'sgd', {}, undefined, {
        network: createMlp({ inputCount: 63, hidden: [2], classes: 3 }),
      }),
    ),
  ],

  'equation-lm': (lab) =>
    solvedEquation(lab, 'lm', { ticks: 200, runs: 2, rank: 3 }, crossbar(lab, 'ideal-crossbar', 1024)),
  'equation-lm-no-rank': (lab) =>
    solvedEquation(lab, 'lm', { ticks: 60, rank: 0, rate: 0.5 }, crossbar(lab, 'ideal-crossbar', 1024)),
  'equation-lm-exact': (lab) => solvedEquation(lab, 'lm', { firstDamping: 1e-6 }, createExactSolver(), 8),
  'equation-lm-control': (lab) => solvedEquation(lab, 'lm', { dampingMin: 1e-3 }, createNoSolver(), 4),
  'equation-tngd': (lab) =>
    solvedEquation(lab, 'tngd', { ticks: 50, runs: 2, damping: 0.01 }, crossbar(lab, 'ideal-crossbar', 1024)),
  'equation-lbfgs': (lab) => solvedEquation(lab, 'lbfgs', { memory: 3 }, undefined, 9),
  'equation-bfgs': (lab) => solvedEquation(lab, 'bfgs', {}, undefined, 7),
  'equation-ngd': (lab) => solvedEquation(lab, 'ngd', { damping: 0.05, rate: 0.5, clip: 0.5 }),
};
