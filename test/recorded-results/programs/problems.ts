/** Equations and energies as problems, and the files of a training. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createExactSolver } from '../../../src/algorithms/truncated.js';
import { readCheckpoint } from '../../../src/learning/checkpoint.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { PINN_DEFAULTS } from '../../../src/learning/pinn/pinn-defaults.js';
import {
  burgersPinn,
  heatPinn,
  type PinnProblem,
  poissonPinn,
} from '../../../src/learning/pinn/pinn-problem.js';
import type { Figures, Problem } from '../../../src/learning/problem/contract.js';
import { ENERGY_DEFAULTS } from '../../../src/learning/quantum/energy-defaults.js';
import { heisenbergChain, isingChain } from '../../../src/learning/quantum/variational-energy.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import { train } from '../../../src/learning/trainer.js';
import { barsDataset } from '../../support/network-examples.js';
import type { Lab, ProgramTable } from '../program.js';
import { ofSize } from './boards.js';

/** All values of a problem at its first point and at a second one. */
async function described<Measures extends Figures, Test extends Figures>(problem: Problem<Measures, Test>) {
  const parameters = problem.init(88);
  let state = problem.initialState?.(88) ?? {};
  const points: unknown[] = [];
  for (const step of [0, 1]) {
    const evaluation = problem.evaluate({ parameters, state, step, totalSteps: 3, seed: 88 });
    const first = await evaluation.first;
    state = first.state ?? state;
    const moved = parameters.map((value, k) => value + 0.01 * Math.cos(k));
    points.push({
      first,
      factor: evaluation.factor(),
      elsewhere: evaluation.lossAt?.(moved),
      trial: problem.trial && [problem.trial.loss(moved), problem.trial.lossAndGradient(moved)],
      test: problem.test(moved, step),
    });
  }
  const { name, settings, parameterCount, curvatureRows } = problem;
  return { name, settings, parameterCount, curvatureRows, parameters, points };
}

/** An equation: its points, the values of a network at these points, and all values of the problem. */
async function equation(problem: PinnProblem) {
  const points = problem.equation.test();
  return { ...(await described(problem)), test: points, values: problem.values(problem.init(89), points) };
}

const trained = <Measures extends Figures, Test extends Figures>(
  lab: Lab,
  problem: Problem<Measures, Test>,
  optimizer = createOptimizer('tngd', { rate: 0.05, damping: 1e-2, ticks: 40 }, crossbar(lab)),
) => trainProblem({ problem, optimizer, steps: 4, seed: 90, testEvery: 3, onStep: lab.listener('steps') });

const crossbar = (lab: Lab) => createAnalogSolver(lab.board('ideal-crossbar', ofSize(128, 1024)));

/** Files of a training, in a directory that is removed afterwards. */
async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const root = mkdtempSync(path.join(tmpdir(), 'thermolink-recorded-'));
  try {
    return await work(path.join(root, 'run'));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const metricsOf = (directory: string): unknown[] =>
  readFileSync(path.join(directory, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

export const PROBLEMS: ProgramTable = {
  'problem-defaults': async () => ({ equations: PINN_DEFAULTS, energies: ENERGY_DEFAULTS }),
  'poisson-cube': () => equation(poissonPinn({ dimensions: 3, hidden: [3] })),
  'poisson-square': () => equation(poissonPinn({ dimensions: 2, hidden: [3, 2] })),
  'poisson-default': async () => poissonPinn().settings,
  heat: () => equation(heatPinn({ hidden: [3] })),
  burgers: () => equation(burgersPinn({ hidden: [3] })),
  'heat-trained': (lab) => trained(lab, heatPinn({ hidden: [3] })),
  'burgers-trained': (lab) =>
    trained(lab, burgersPinn({ hidden: [3] }), createOptimizer('lm', {}, createExactSolver())),
  ising: () => described(isingChain({ sites: 6, chains: 24 })),
  'ising-dense': () => described(isingChain({ sites: 5, chains: 20, density: 2, field: 0.7, sweeps: 3 })),
  'ising-large': async () => {
    const problem = isingChain({ sites: 24, chains: 8 });
    return { ground: problem.groundEnergy, of: await described(problem) };
  },
  heisenberg: () => described(heisenbergChain({ sites: 6, chains: 24 })),
  'heisenberg-large': async () => heisenbergChain({ sites: 30, chains: 4 }).groundEnergy,
  'ising-trained': (lab) => trained(lab, isingChain({ sites: 6, chains: 32 })),
  'heisenberg-trained': (lab) =>
    trained(
      lab,
      heisenbergChain({ sites: 4, chains: 32, density: 1 }),
      createOptimizer('lm', { rank: 0, runs: 1, ticks: 64, rate: 0.05 }, crossbar(lab)),
    ),
  'problems-bad-input': async (lab) => [
    await lab.refused(() => isingChain({ sites: 2 })),
    await lab.refused(() => isingChain({ sites: 6, field: 0 })),
    await lab.refused(() => isingChain({ sites: 6, chains: 0 })),
    await lab.refused(() => heisenbergChain({ sites: 5 })),
    await lab.refused(() => poissonPinn({ dimensions: 1 })),
    await lab.refused(() => heatPinn({ hidden: [0] })),
  ],
  'training-files': (lab) =>
    inDirectory(async (directory) => {
      const controller = new AbortController();
      const request = {
        network: createMlp({ inputCount: 64, hidden: [2], classes: 3 }),
        data: barsDataset(36, 9),
        optimizer: createOptimizer(
          'tngd',
          { delay: 0.3 },
          createAnalogSolver(lab.board('ideal-crossbar', ofSize(192, 64))),
        ),
        ...{ epochs: 2, batch: 9, curvatureExamples: 3, seed: 91 },
        onStart: lab.listener('start'),
      };
      const stopped = await lab.refused(() =>
        train({
          ...{ ...request, signal: controller.signal, output: { directory, checkpointEvery: 2 } },
          onStep: ({ step }) => step === 4 && controller.abort(),
        }),
      );
      const checkpoint = readCheckpoint(path.join(directory, 'checkpoint.bin'));
      const output = { directory, existing: 'resume', checkpointEvery: 2 } as const;
      const { summary, parameters } = await train({ ...request, output });
      const message = stopped.message.replace(directory, 'DIRECTORY');
      return { message, checkpoint, summary, parameters, metrics: metricsOf(directory) };
    }),
};
