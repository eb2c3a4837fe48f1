import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice } from '../../../emulator/index.js';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createBoardGroupSolver } from '../../../src/algorithms/board-group.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { connect } from '../../../src/connect.js';
import type { Device } from '../../../src/driver/device.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { sharesOf } from '../../../src/learning/optimizers/layer-blocks.js';
import type { TrainRequest } from '../../../src/learning/trainer.js';
import { train } from '../../../src/learning/trainer.js';
import { BoardServer } from '../../../src/serve/board-server.js';
import { listenTcp } from '../../../src/serve/listen-tcp.js';
import { temporaryDirectory } from '../../cli/support/temporary-files.js';
import { thrown } from '../../cli/support/thrown.js';
import { barsDataset } from '../../support/network-examples.js';
import { SolverBoard } from '../../support/solver-board.js';

const URI = 'emulator:ideal-crossbar';
const request: Omit<TrainRequest, 'optimizer'> = {
  ...{ data: barsDataset(64, 8), epochs: 1, batch: 16, curvatureExamples: 4, seed: 3 },
  network: createMlp({ inputCount: 64, hidden: [5, 3], classes: 3 }),
};
const optimizerOn = (devices: readonly Device[]) =>
  createOptimizer(
    'tngd',
    { blocks: 'layers', delay: 0.2 },
    devices.length > 1 ? createBoardGroupSolver(devices) : createAnalogSolver(devices[0]),
  );

async function opened(uri: string): Promise<Device> {
  const device = await connect(uri, { reconnect: false });
  onTestFinished(() => device.close().catch(() => undefined));
  return device;
}

/** A board behind a socket, served for this test. */
async function served(): Promise<{ readonly uri: string; readonly close: () => Promise<void> }> {
  const server = new BoardServer(
    new EmulatedDevice({ profile: findProfile('ideal-crossbar')!, dieSeed: 1 }, 7),
  );
  const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await listener.close();
    await server.close();
  });
  return { uri: listener.uri, close: () => server.close() };
}

describe('layers over boards', () => {
  it('each layer has one board, and no board has much more than another', () => {
    expect(sharesOf([9, 5, 4, 1], 1)).toEqual([[0, 1, 2, 3]]);
    expect(sharesOf([9, 5, 4, 1], 2)).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(sharesOf([3, 3], 3)).toEqual([[0], [1], []]);
  });

  it('two boards give the parameters of one, bit for bit', async () => {
    const board = () => new SolverBoard(findProfile('ideal-crossbar')!);
    const options = { blocks: 'layers', delay: 0.2 } as const;
    const trained = async (solver: ReturnType<typeof createBoardGroupSolver>) =>
      (await train({ ...request, trainSize: 32, optimizer: createOptimizer('tngd', options, solver) }))
        .parameters;
    const boards = [board(), board()];
    const two = await trained(createBoardGroupSolver(boards));
    expect(two).toEqual(await trained(createAnalogSolver(board())));
    // Each of 3 layers has three runs: one for each of 2 steps, and one for the delay of the first step.
    expect(boards.map(({ runs }) => runs.length)).toEqual([3, 6]);
  });

  it.each([
    ['in memory', async () => URI],
    ['behind sockets', async () => (await served()).uri],
  ])(
    'boards with firmware and a link give the same parameters, %s',
    { tags: 'long' },
    async (_where, place) => {
      const one = await train({ ...request, optimizer: optimizerOn([await opened(URI)]) });
      const devices = [await opened(await place()), await opened(await place()), await opened(await place())];
      const three = await train({ ...request, optimizer: optimizerOn(devices) });
      expect(three.parameters).toEqual(one.parameters);
    },
  );

  it('a board that fails during a step is named, and the training continues from its checkpoint', {
    tags: 'long',
  }, async () => {
    const directory = join(temporaryDirectory(), 'run');
    const output = { directory, checkpointEvery: 1 };
    const whole = await train({ ...request, optimizer: optimizerOn([await opened(URI)]) });
    const fragile = await served();
    const devices = [await opened((await served()).uri), await opened(fragile.uri)];
    const error = await thrown(() =>
      train({
        ...request,
        output,
        optimizer: optimizerOn(devices),
        onStep: ({ step }) => {
          if (step === 1) void fragile.close();
        },
      }),
    );
    expect(error.message).toMatch(/^Board 2 of 2 \(ideal-crossbar, die 1\) failed: /);
    expect(error.data).toMatchObject({ boardNumber: 1, serialNumber: 'die 1' });
    expect(existsSync(join(directory, 'checkpoint.bin'))).toBe(true);
    // The other board still works. It has no run left, and it answers.
    expect((await devices[0].readStatus()).state).not.toBe('running');
    const resumed = await train({
      ...{ ...request, output: { ...output, existing: 'resume' } },
      optimizer: optimizerOn([devices[0], await opened((await served()).uri)]),
    });
    expect(resumed.parameters).toEqual(whole.parameters);
  });

  it('refuses no board, the same board twice, several models, and a curvature without blocks', async () => {
    const crossbar = new SolverBoard(findProfile('ideal-crossbar')!);
    const other = new SolverBoard(findProfile('ideal-1024')!);
    for (const devices of [[], [crossbar, crossbar], [crossbar, other], crossbar as never])
      expect((await thrown(async () => createBoardGroupSolver(devices))).code).toBe('BAD_ARGUMENT');
    const solver = createBoardGroupSolver([crossbar, new SolverBoard(findProfile('ideal-crossbar')!)]);
    const error = await thrown(async () => createOptimizer('tngd', {}, solver));
    expect([error.code, error.message]).toEqual(['BAD_ARGUMENT', expect.stringContaining('layers')]);
  });
});
