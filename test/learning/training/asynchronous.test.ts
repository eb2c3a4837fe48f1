import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import type { AnalogSolverOptions, RelaxationSolver } from '../../../src/algorithms/contract.js';
import { connect } from '../../../src/connect.js';
import type { BoardDevice } from '../../../src/driver/device-api.js';
import { ThermolinkError } from '../../../src/errors.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { OptimizerOptions } from '../../../src/learning/optimizers/registry.js';
import type { StepFacts } from '../../../src/learning/record.js';
import { type TrainRequest, train } from '../../../src/learning/trainer.js';
import { thrown } from '../../cli/support/thrown.js';
import { exactSolver } from '../../support/exact-solver.js';
import { barsDataset } from '../../support/network-examples.js';
import { SolverBoard } from '../../support/solver-board.js';

const root = mkdtempSync(join(tmpdir(), 'thermolink-asynchronous-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const data = barsDataset(128, 16);
const network = createMlp({ inputCount: 64, hidden: [3], classes: 3 });
const STEPS = 8;
const PROFILE = 'ideal-256';
/** The noise depends on step and block, so a run in a wrong place would change the result. */
const NOISE: AnalogSolverOptions = { relaxNoiseTemperature: 1e-6 };

async function trained(
  solver: RelaxationSolver,
  options: OptimizerOptions,
  change: Partial<TrainRequest> = {},
) {
  const records: Omit<StepFacts, 'timing' | 'repeats'>[] = [];
  const { parameters } = await train({
    ...{ network, data, epochs: 1, batch: 16, seed: 5, curvatureExamples: 8 },
    optimizer: createOptimizer('tngd', options, solver),
    ...change,
    onStep: (of, total) => {
      const { timing: _, repeats: __, ...record } = of;
      records.push(record);
      change.onStep?.(of, total);
    },
  });
  return { parameters, records };
}

async function emulated(): Promise<BoardDevice> {
  const device = await connect(`emulator:${PROFILE}`);
  onTestFinished(() => device.close());
  return device;
}

/**
 * A device whose calls are listed as they begin and end. `fail` is called before couplings are uploaded ahead
 * of their run. If it throws, that upload fails.
 */
function watched(device: BoardDevice, fail: () => void = () => undefined) {
  const events: string[] = [];
  const noted = async <Result>(name: string, call: () => Promise<Result>): Promise<Result> => {
    events.push(`${name} begins`);
    try {
      return await call();
    } finally {
      events.push(`${name} ends`);
    }
  };
  const board: BoardDevice = {
    identity: device.identity,
    get sessionCount() {
      return device.sessionCount;
    },
    get uploadedBytes() {
      return device.uploadedBytes;
    },
    recover: async () => undefined,
    loadProgram: (bank, ...rest) => noted(`load ${bank}`, () => device.loadProgram(bank, ...rest)),
    rewriteProgram: (bank, ...rest) => noted(`rewrite ${bank}`, () => device.rewriteProgram(bank, ...rest)),
    uploadCouplings: (bank, ...rest) =>
      noted(`couplings ${bank}`, async () => {
        fail();
        return device.uploadCouplings(bank, ...rest);
      }),
    run: (options) => device.run(options),
    acquire: (options) => noted(`run ${options.bank}`, () => device.acquire(options)),
  };
  return { board, events };
}

describe('an asynchronous training with a delay', () => {
  const delayed: OptimizerOptions = { delay: 0.5 };
  let found: ReturnType<typeof trained> | undefined;
  /** The training that waits; several tests compare with it. */
  const waiting = () =>
    (found ??= emulated().then((board) => trained(createAnalogSolver(board, NOISE), delayed)));

  it('has the same bits and records as a training that waits', async () => {
    const plain = await waiting();
    expect(plain.records).toHaveLength(STEPS);
    const solver = createAnalogSolver(await emulated(), NOISE);
    expect(await trained(solver, { ...delayed, asynchronous: true })).toEqual(plain);
  });

  it('has the same bits if a thread computes the gradient', { tags: ['long'] }, async () => {
    const longer = { epochs: 5 };
    const plain = await trained(createAnalogSolver(await emulated(), NOISE), delayed, longer);
    const solver = createAnalogSolver(await emulated(), NOISE);
    expect(await trained(solver, { ...delayed, asynchronous: true }, longer)).toEqual(plain);
  });

  type Variant = [string, AnalogSolverOptions, OptimizerOptions];
  it.each<Variant>([
    ['no delay and a reset state', {}, { initial: 'gradient' }],
    ['layers that relax by themselves', {}, { ...delayed, blocks: 'layers' }],
    ['chopped runs', { relaxChopped: true }, delayed],
    ['couplings that are rounded twice', { relaxRoundings: 2 }, delayed],
  ])('has the same bits with %s too', { tags: ['long'] }, expectSame);

  async function expectSame(...[, solver, options]: Variant): Promise<void> {
    const plain = await trained(createAnalogSolver(await emulated(), solver), options);
    const overlapped = createAnalogSolver(await emulated(), solver);
    expect(await trained(overlapped, { ...options, asynchronous: true })).toEqual(plain);
  }

  it('has the same bits on a board with one bank, and with a solver without a board', {
    tags: 'long',
  }, async () => {
    const one = () => createAnalogSolver(new SolverBoard({ ...findProfile(PROFILE)!, banks: 1 }));
    expect(await trained(one(), { ...delayed, asynchronous: true })).toEqual(await trained(one(), delayed));
    const plain = await trained(exactSolver(), delayed);
    expect(await trained(exactSolver(), { ...delayed, asynchronous: true })).toEqual(plain);
  });

  it('gets the next couplings in the second bank while the first one runs', async () => {
    const { board, events } = watched(await emulated());
    await trained(createAnalogSolver(board), { ...delayed, asynchronous: true });
    const sent = events.flatMap((event, at) => (event === 'couplings 1 begins' ? [at] : []));
    expect(sent).toHaveLength(STEPS - 1);
    for (const at of sent) {
      const before = events.slice(0, at);
      expect(before.lastIndexOf('run 0 begins')).toBeGreaterThan(before.lastIndexOf('run 0 ends'));
    }
    // Each program runs in the bank to which its couplings were sent. No program is sent to bank 1 as
    // a whole.
    expect(events.filter((event) => event === 'run 1 begins')).toHaveLength(STEPS - 1);
    expect(events).not.toContain('load 1 begins');
  });

  it('sends couplings again that were lost on their way', async () => {
    let losses = 0;
    const { board, events } = watched(await emulated(), () => {
      if (losses++ < 3) throw new ThermolinkError('LINK_LOST', 'The line was cut.', { retryable: true });
    });
    const resent = await trained(createAnalogSolver(board, NOISE), { ...delayed, asynchronous: true });
    expect(resent).toEqual(await waiting());
    expect(events.filter((event) => event === 'load 1 begins')).toHaveLength(3);
  });

  it('leaves a checkpoint of a complete step, and continues from it with the same bits', {
    tags: 'long',
  }, async () => {
    const options = { ...delayed, asynchronous: true };
    // An asynchronous training has the bits of one that waits, as the first test shows.
    const whole = await waiting();
    const output = { directory: join(root, 'broken'), checkpointEvery: 50 };
    const abort = new AbortController();
    const onStep: TrainRequest['onStep'] = ({ step }) => {
      if (step === 2) abort.abort();
    };
    const watch = { output, signal: abort.signal, onStep };
    const stop = trained(createAnalogSolver(await emulated(), NOISE), options, watch);
    expect((await thrown(() => stop)).code).toBe('ABORTED');
    const resumed = await trained(createAnalogSolver(await emulated(), NOISE), options, {
      output: { ...output, existing: 'resume' },
    });
    expect(resumed.parameters).toEqual(whole.parameters);
    expect(resumed.records).toEqual(whole.records.slice(STEPS - resumed.records.length));
    expect(resumed.records.length).toBeGreaterThan(0);
    expect(resumed.records.length).toBeLessThan(STEPS - 2);
  });
});
