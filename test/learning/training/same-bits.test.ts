import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { connect } from '../../../src/connect.js';
import { Device } from '../../../src/driver/device.js';
import type { BoardDevice } from '../../../src/driver/device-api.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { heat } from '../../../src/learning/pinn/heat.js';
import { pinnProblem } from '../../../src/learning/pinn/pinn-problem.js';
import { isingChain } from '../../../src/learning/quantum/variational-energy.js';
import type { StepFacts } from '../../../src/learning/record.js';
import { trainProblem } from '../../../src/learning/train-problem.js';
import type { TrainingOutput } from '../../../src/learning/train-request.js';
import { train } from '../../../src/learning/trainer.js';
import { thrown } from '../../cli/support/thrown.js';
import { type DeviceUnderTest, idealDevices } from '../../device-contract/devices.js';
import { fewDigits } from '../../support/few-digits.js';
import { barsDataset } from '../../support/network-examples.js';

const root = mkdtempSync(join(tmpdir(), 'thermolink-same-bits-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** How a training is watched and stored. */
interface Watch {
  readonly output?: TrainingOutput;
  readonly signal?: AbortSignal;
  readonly onStep: (record: StepFacts) => void;
}

/** A short training on a board; the same call gives the same bits. */
interface Training {
  readonly name: string;
  /** The ideal board that it fits on. */
  readonly profile: string;
  readonly steps: number;
  readonly isLong?: true;
  readonly run: (board: BoardDevice, watch: Watch) => Promise<{ readonly parameters: Float64Array }>;
}

const STEPS = 6;
const energies = isingChain({ sites: 6, chains: 48 });
const equation = pinnProblem(heat(5), { hidden: [8] });
const bars = barsDataset(96, 12);
/** Every ideal board can set this κ. The noise depends on the step, so the results would show a lost step. */
const NOISE = { relaxNoiseTemperature: 1e-6 };

const TRAININGS: readonly Training[] = [
  {
    ...{ name: 'a perceptron by tngd with a kept state and noise', profile: 'ideal-256', steps: STEPS },
    run: (board, watch) =>
      train({
        ...{ network: createMlp({ inputCount: 64, hidden: [3], classes: 3 }), data: bars },
        ...{ epochs: 1, batch: 16, seed: 5, curvatureExamples: 8, ...watch },
        optimizer: createOptimizer('tngd', { delay: 0.5 }, createAnalogSolver(board, NOISE)),
      }),
  },
  {
    ...{ name: 'a spin ring by tngd with ticks, reloaded', profile: 'ideal-64', steps: STEPS },
    run: (board, watch) =>
      trainProblem({
        ...{ problem: energies, steps: STEPS, seed: 5, ...watch },
        optimizer: createOptimizer(
          'tngd',
          { ticks: 64, runs: 2, reload: 2 },
          createAnalogSolver(board, NOISE),
        ),
      }),
  },
  {
    ...{ name: 'a heat equation by lm', profile: 'ideal-64', steps: STEPS },
    run: (board, watch) =>
      trainProblem({
        ...{ problem: equation, steps: STEPS, seed: 5, ...watch },
        optimizer: createOptimizer('lm', { rank: 4, ticks: 64 }, createAnalogSolver(board)),
      }),
  },
  {
    ...{ name: 'a perceptron by kfac', profile: 'ideal-256', steps: STEPS, isLong: true },
    run: (board, watch) =>
      train({
        ...{ network: createMlp({ inputCount: 64, hidden: [3], classes: 3 }), data: bars },
        ...{ epochs: 1, batch: 16, seed: 5, ...watch },
        optimizer: createOptimizer('kfac', { reload: 4, tolerance: 0.3 }, createAnalogSolver(board)),
      }),
  },
  {
    ...{ name: 'digits by tngd', profile: 'ideal-crossbar', steps: STEPS, isLong: true },
    run: (board, watch) => {
      const data = loadDataset({ kind: 'directory', directory: fewDigits(192, 32) });
      return train({
        ...{ network: createConvolutionClassifier(data), data, epochs: 1, batch: 32, seed: 5, ...watch },
        optimizer: createOptimizer('tngd', {}, createAnalogSolver(board)),
      });
    },
  },
];

/** The results of a training that must not depend on the place of its board. */
async function traced(training: Training, board: BoardDevice, more: Omit<Watch, 'onStep'> = {}) {
  const records: Omit<StepFacts, 'timing' | 'repeats'>[] = [];
  const onStep: Watch['onStep'] = (of) => {
    const { timing: _, repeats: __, ...record } = of;
    records.push(record);
  };
  const { parameters } = await training.run(board, { ...more, onStep });
  return { parameters, records };
}

async function inMemory(training: Training) {
  const board = await connect(`emulator:${training.profile}`);
  try {
    return await traced(training, board);
  } finally {
    await board.close();
  }
}

/** Calls the function with a new board, and powers the board off afterwards. */
async function onBoard<Result>(
  { start }: DeviceUnderTest,
  use: (board: Device) => Promise<Result>,
): Promise<Result> {
  const running = await start();
  try {
    const board = await Device.open(await running.open());
    try {
      return await use(board);
    } finally {
      await board.close();
    }
  } finally {
    await running.end();
  }
}

/** Does the first half of a training. It leaves a checkpoint of a step in the middle. */
async function stopHalfway(training: Training, board: BoardDevice, directory: string): Promise<void> {
  const abort = new AbortController();
  const onStep: Watch['onStep'] = ({ step }) => {
    if (step + 1 === training.steps / 2) abort.abort();
  };
  const stop = training.run(board, { output: { directory }, signal: abort.signal, onStep });
  expect((await thrown(() => stop)).code).toBe('ABORTED');
}

describe.each(TRAININGS.map((training, row) => ({ ...training, row })))('$name', (training) => {
  const ways = idealDevices(training.profile)
    .filter(({ missing }) => missing() === undefined)
    .map((way, at, all) => ({ name: way.name, way, next: all[(at + 1) % all.length] }));
  // Each short training has a quick test on one line. The long tests have all pairs of training and line.
  const isQuick = (_: unknown, at: number): boolean =>
    !training.isLong && at % TRAININGS.length === training.row % ways.length;
  const isLong = (one: unknown, at: number): boolean => !isQuick(one, at);
  let found: ReturnType<typeof inMemory> | undefined;
  const expected = () => (found ??= inMemory(training));

  const whole = async ({ way }: (typeof ways)[number]): Promise<void> => {
    expect((await expected()).records).toHaveLength(training.steps);
    expect(await onBoard(way, (board) => traced(training, board))).toEqual(await expected());
  };
  it.each(ways.filter(isQuick))('has the same bits in memory and on $name', whole);
  it.each(ways.filter(isLong))('has the same bits in memory and on $name', { tags: ['long'] }, whole);

  const broken = async ({ name, way, next }: (typeof ways)[number]): Promise<void> => {
    const directory = join(root, `${training.name} ${name}`);
    await onBoard(way, (board) => stopHalfway(training, board, directory));
    const output: TrainingOutput = { directory, existing: 'resume' };
    const resumed = await onBoard(next, (board) => traced(training, board, { output }));
    const { parameters, records } = await expected();
    expect(resumed.parameters).toEqual(parameters);
    expect(resumed.records).toEqual(records.slice(training.steps / 2));
  };
  // One training is resumed in a quick test. The other trainings are resumed in the same way.
  const isQuicklyResumed = (way: unknown, at: number): boolean => isQuick(way, at) && training.row === 0;
  it.each(ways.filter(isQuicklyResumed))(
    'begun on $name and resumed on the next line has the same bits',
    broken,
  );
  it.each(ways.filter((way, at) => !isQuicklyResumed(way, at)))(
    'begun on $name and resumed on the next line has the same bits',
    { tags: ['long'] },
    broken,
  );
});
