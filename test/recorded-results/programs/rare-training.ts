/** Longer or unusual trainings: own problems, late gradients, divergences, wrong files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import { createExactSolver, createNoSolver } from '../../../src/algorithms/truncated.js';
import { readCheckpoint, writeCheckpoint } from '../../../src/learning/checkpoint.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import {
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../src/learning/optimizers/registry.js';
import type { Problem } from '../../../src/learning/problem/contract.js';
import { type TrainProblemRequest, trainProblem } from '../../../src/learning/train-problem.js';
import { train } from '../../../src/learning/trainer.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { barsDataset, noiseExamples } from '../../support/network-examples.js';
import type { Lab, ProgramTable } from '../program.js';
import { ofSize } from './boards.js';

/** Rosenbrock's valley with weights: r = (a (y − x²), 1 − x, 0.1 (z − y)), ℓ = ½‖r‖²; K = ∂r. */
function valley(steepness: number, isLate = false): Problem {
  const parts = ([x, y, z]: Float64Array) => {
    const residual = [steepness * (y - x * x), 1 - x, 0.1 * (z - y)];
    const jacobian = Float64Array.of(-2 * steepness * x, steepness, 0, -1, 0, 0, 0, -0.1, 0.1);
    const gradient = Float64Array.from([0, 1, 2], (j) =>
      residual.reduce((sum, r, i) => sum + r * jacobian[3 * i + j], 0),
    );
    const loss = residual.reduce((sum, r) => sum + (r * r) / 2, 0);
    return { loss, gradient, jacobian };
  };
  const lossAndGradient = (parameters: Float64Array) => {
    const { loss, gradient } = parts(parameters);
    return { loss, gradient };
  };
  return {
    name: 'valley',
    settings: { name: 'valley', steepness },
    parameterCount: 3,
    curvatureRows: 3,
    init: () => Float64Array.of(-1.2, 1, 0.3),
    trial: { loss: (parameters) => parts(parameters).loss, lossAndGradient },
    evaluate: ({ parameters }) => ({
      first: isLate ? Promise.resolve(lossAndGradient(parameters)) : lossAndGradient(parameters),
      factor: () => matrix(3, 3, parts(parameters).jacobian),
    }),
    test: (parameters) => ({ loss: parts(parameters).loss }),
  };
}

type Solver = Parameters<typeof createOptimizer>[2];

const down = (
  lab: Lab,
  name: OptimizerName,
  options: OptimizerOptions = {},
  solver?: Solver,
  change: Partial<TrainProblemRequest> = {},
) =>
  trainProblem({
    problem: valley(10),
    optimizer: createOptimizer(name, options, solver),
    steps: 12,
    seed: 92,
    onStep: lab.listener(name),
    ...change,
  });

const crossbar = (lab: Lab, overloads?: (run: number) => boolean) =>
  createAnalogSolver(lab.board('ideal-crossbar', ofSize(3, 3), overloads && { overloads }));

const network = createMlp({ inputCount: 64, hidden: [2], classes: 3 });

export const RARE_TRAINING: ProgramTable = {
  'valley-lbfgs': (lab) => down(lab, 'lbfgs', { memory: 2 }, undefined, { steps: 30 }),
  'valley-bfgs': (lab) => down(lab, 'bfgs', {}, undefined, { steps: 30, problem: valley(100) }),
  'valley-bfgs-shallow': (lab) => down(lab, 'bfgs', {}, undefined, { steps: 4, problem: valley(0.01) }),
  'valley-lm': (lab) => down(lab, 'lm', { rank: 0, runs: 3 }, createExactSolver(), { steps: 20 }),
  'valley-lm-rank': (lab) => down(lab, 'lm', { rank: 2, runs: 1, ticks: 300 }, crossbar(lab)),
  'valley-lm-uphill': (lab) =>
    down(lab, 'lm', { rank: 0, rate: 40, finalRate: 1, firstDamping: 1e-9 }, createExactSolver(), {
      steps: 2,
    }),
  'valley-tngd-late': (lab) =>
    down(lab, 'tngd', { rate: 0.1, clip: 0.3 }, crossbar(lab), { problem: valley(2, true) }),
  'valley-tngd-delay-late': (lab) =>
    down(lab, 'tngd', { rate: 0.1, delay: 0.4, finalDamping: 0.3 }, crossbar(lab), {
      problem: valley(2, true),
    }),
  'valley-tngd-adam-late': (lab) =>
    down(lab, 'tngd-adam', { rate: 0.05 }, crossbar(lab), { problem: valley(2, true) }),
  'valley-tngd-truncated': (lab) =>
    down(lab, 'tngd', { ticks: 80, runs: 3, reload: 3, rate: 0.3 }, crossbar(lab), {
      problem: valley(2, true),
    }),
  'valley-tngd-noisy': (lab) =>
    down(lab, 'tngd', { rate: 0.1 }, createIdealSampler({ noiseTemperature: 1e-3 })),
  'valley-cg': (lab) => down(lab, 'cg', { products: 2, damping: 0.01, finalDamping: 0.1 }),
  'valley-first-order': async (lab) => {
    const finals: unknown[] = [];
    for (const name of ['sgd', 'sign-sgd', 'rmsprop', 'adam'] as const)
      finals.push((await down(lab, name, { rate: 0.01, finalRate: 0.2, clip: 0.02 })).parameters);
    return finals;
  },
  'valley-overloads': (lab) =>
    down(
      lab,
      'tngd',
      { rate: 0.1, delay: 0.2 },
      crossbar(lab, (run) => run === 2 || run === 9),
      {
        steps: 8,
      },
    ),
  'valley-diverges': async (lab) => {
    const wild: Problem = {
      ...valley(10),
      evaluate: ({ parameters }) => ({
        first: { loss: 1, gradient: parameters.map(() => Infinity) },
        factor: () => matrix(3, 3),
      }),
    };
    const lossless: Problem = {
      ...valley(10),
      evaluate: ({ parameters }) => ({
        first: Promise.resolve({ loss: Number.NaN, gradient: parameters.map(() => 0) }),
        factor: () => matrix(3, 3),
      }),
    };
    const gone: Problem = { ...valley(1e160), init: () => Float64Array.of(1e3, -1e3, 0) };
    const errors: unknown[] = [
      await lab.refused(() => down(lab, 'sgd', {}, undefined, { problem: wild })),
      await lab.refused(() => down(lab, 'sgd', {}, undefined, { problem: lossless })),
      await lab.refused(() => down(lab, 'sgd', { rate: 1e300, clip: Infinity }, undefined)),
      await lab.refused(() =>
        down(
          lab,
          'tngd',
          { rate: 0.1 },
          crossbar(lab, () => true),
        ),
      ),
      await lab.refused(() =>
        down(
          lab,
          'tngd',
          { rate: 0.1 },
          crossbar(lab, (run) => run % 2 === 0),
          { steps: 4 },
        ),
      ),
      await lab.refused(() => down(lab, 'tngd', {}, createIdealSampler({ noiseTemperature: 1e30 }))),
      await lab.refused(() => down(lab, 'kfac', {}, createNoSolver())),
      await lab.refused(() => down(lab, 'lbfgs', {}, undefined, { problem: gone })),
      await lab.refused(() => down(lab, 'lm', {}, createExactSolver(), { problem: gone })),
      await lab.refused(() => down(lab, 'sgd', {}, undefined, { steps: 0 })),
      await lab.refused(() => down(lab, 'sgd', {}, undefined, { testEvery: 0 })),
      await lab.refused(() =>
        down(lab, 'sgd', {}, undefined, { problem: { ...valley(1), init: 3 } as never }),
      ),
    ];
    return errors;
  },
  'kfac-long': (lab) =>
    train({
      ...{ network, data: barsDataset(24, 12), epochs: 17, batch: 12, seed: 93 },
      optimizer: createOptimizer('kfac', { reload: 10, tolerance: 0.3 }, createExactSolver()),
      onStep: lab.listener('steps'),
    }),
  'every-optimizer-without-solver': async (lab) => {
    const outcomes: unknown[] = [];
    for (const name of OPTIMIZER_NAMES)
      outcomes.push(
        await Promise.resolve()
          .then(() => createOptimizer(name))
          .then(
            ({ settings, needsCurvature, needsLayerCurvatures, needsTrial }) => ({
              ...{ settings, needsCurvature, needsLayerCurvatures, needsTrial },
            }),
            (error: unknown) => error,
          ),
      );
    return { outcomes, refused: await lab.refused(() => createOptimizer('tngd')) };
  },
  networks: async (lab) => {
    const deep = createMlp({ inputCount: 6, hidden: [3, 2], classes: 3 });
    const convolution = createConvolutionClassifier({
      ...{ rows: 7, columns: 6, classes: 3, channels: 2, kernel: 3, stride: 1, pool: 2, hidden: [4] },
    });
    const of = (net: typeof deep, seed: number) => {
      const examples = noiseExamples(5, net.inputCount, 3, seed);
      const parameters = net.init(seed);
      return {
        settings: net.settings,
        parameters,
        evaluation: net.evaluate(parameters, examples),
        gradient: net.lossAndGradient(parameters, examples),
        probabilities: net.predict(parameters, examples.inputs),
        factors: net.perExampleFactors(parameters, examples),
      };
    };
    const labels = { ...noiseExamples(5, 6, 3, 1), labels: Uint8Array.of(0, 1, 2, 3, 0) };
    return [
      of(deep, 94),
      of(convolution, 95),
      await lab.refused(() => deep.evaluate(deep.init(1), labels)),
      await lab.refused(() => deep.predict(deep.init(1), new Float32Array(7))),
      await lab.refused(() => deep.predict(new Float64Array(3), new Float32Array(6))),
      await lab.refused(() => createMlp({ inputCount: 6, hidden: 3 as never, classes: 3 })),
      await lab.refused(() => createConvolutionClassifier({ rows: 1, columns: 1, classes: 3 })),
    ];
  },
  'training-files-wrong': async (lab) => {
    const root = mkdtempSync(path.join(tmpdir(), 'thermolink-recorded-'));
    try {
      const file = path.join(root, 'checkpoint.bin');
      const directory = path.join(root, 'run');
      const request = {
        ...{ problem: valley(10), optimizer: createOptimizer('adam'), steps: 4, seed: 96 },
        output: { directory, checkpointEvery: 2 },
      } as const;
      await trainProblem(request);
      const bytes = readFileSync(path.join(directory, 'checkpoint.bin'));
      const reading = async (content: Uint8Array) => {
        writeFileSync(file, content);
        return lab.refused(() => readCheckpoint(file));
      };
      const damaged = Uint8Array.from(bytes);
      damaged[bytes.length >> 1] ^= 1;
      const resumed = (change: object) =>
        lab.refused(() => trainProblem({ ...request, ...change, output: { directory, existing: 'resume' } }));
      const errors = [
        await reading(damaged),
        await reading(bytes.subarray(0, 9)),
        await reading(new Uint8Array(80)),
        await lab.refused(() => readCheckpoint(path.join(root, 'none'))),
        await lab.refused(() => trainProblem(request)),
        await resumed({ seed: 97 }),
        await resumed({ optimizer: createOptimizer('sgd') }),
        await resumed({ problem: valley(11) }),
        await lab.refused(() => trainProblem({ ...request, output: { directory, checkpointEvery: 0 } })),
      ];
      mkdirSync(path.join(root, 'copy'));
      const copy = path.join(root, 'copy', 'checkpoint.bin');
      const kept = readCheckpoint(path.join(directory, 'checkpoint.bin'));
      writeCheckpoint(copy, kept);
      const texts = errors.map(({ code, message, hint }) =>
        [code, message, hint].join('\n').replaceAll(root, 'ROOT'),
      );
      return { texts, isSame: readFileSync(copy).equals(bytes), kept };
    } finally {
      rmSync(root, { recursive: true });
    }
  },
};
