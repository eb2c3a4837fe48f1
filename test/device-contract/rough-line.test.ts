import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { checkSystem } from '../../src/board/checked-system.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import { createMlp } from '../../src/learning/network/mlp.js';
import { createOptimizer } from '../../src/learning/optimizers/create.js';
import { train } from '../../src/learning/trainer.js';
import { matrix } from '../../src/linalg/matrix.js';
import { randomSource } from '../../src/linalg/random.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { barsDataset } from '../support/network-examples.js';
import { type Roughness, RoughProxy } from '../support/rough-proxy.js';

/** SEED=1 SEEDS=1 plays one line again. */
const FIRST_SEED = Number(process.env['SEED'] ?? 0);

/** A line that damages one byte in a thousand, loses and delays chunks, and is cut every few seconds. */
const ROUGH: Roughness = {
  corrupted: 0.001,
  dropped: 0.01,
  delayed: 0.05,
  delayMsMax: 100,
  cutAfterMs: [1500, 5000],
};
/** A line that is cut more often, so that a quick test sees as many cuts within a second. */
const ROUGHER: Roughness = { ...ROUGH, corrupted: 0.0005, delayMsMax: 20, cutAfterMs: [150, 600] };

interface Done<Result> {
  readonly result: Result;
  readonly repeats: number;
  readonly cuts: number;
  readonly corruptedBytes: number;
}

/** Does `work` on an emulated board behind a bad line. */
async function behindRoughLine<Result>(
  profile: string,
  seed: number,
  roughness: Roughness,
  work: (device: Device) => Promise<Result>,
): Promise<Done<Result>> {
  const server = new BoardServer(new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 }));
  const { uri, close } = await listenTcp(server, { host: '127.0.0.1', port: 0 });
  const proxy = new RoughProxy({ host: '127.0.0.1', port: Number(/\d+$/.exec(uri)![0]) }, seed, roughness);
  let repeats = 0;
  try {
    const device = await connect(await proxy.open(), {
      onEvent: (event) => {
        if (process.env['SHOW']) console.log(seed, event.kind, 'reason' in event ? event.reason.message : '');
        if (event.kind === 'repeating') repeats++;
      },
    });
    try {
      const result = await work(device);
      return { result, repeats, cuts: proxy.cuts, corruptedBytes: proxy.corruptedBytes };
    } finally {
      await device.close();
    }
  } catch (error) {
    throw new Error(`SEED=${seed} SEEDS=1: ${String(error)}`, { cause: error });
  } finally {
    await proxy.close();
    await server.close();
    await close();
  }
}

/** The same work on the same board in this process. */
async function undisturbed<Result>(
  profile: string,
  work: (device: Device) => Promise<Result>,
): Promise<Result> {
  const device = await connect(`emulator:${profile}`, { retry: false });
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

const CELLS = 32;

/** A solve of 32 unknowns with noise, refinement and averaging. */
async function solveSome(device: Device): Promise<unknown> {
  const random = randomSource({ seed: 5, step: 0, block: 0, stream: 0 });
  const a = matrix(CELLS, CELLS);
  for (let i = 0; i < CELLS; i++) {
    a.data[i * CELLS + i] = 2;
    for (let j = 0; j < i; j++)
      a.data[i * CELLS + j] = a.data[j * CELLS + i] = (2 * random.uniform() - 1) / CELLS;
  }
  const { x, standardError, cost } = await solve(device, {
    system: checkSystem({ kind: 'dense', matrix: a }),
    drive: Float64Array.from({ length: CELLS }, () => 2 * random.uniform() - 1),
    tolerance: 1e-4,
    address: { seed: 3, step: 0, block: 0 },
  });
  const { ticks, boardSeconds, uploadBytes } = cost;
  return { x: [...x], standardError: [...standardError], ticks, boardSeconds, uploadBytes };
}

/** Does a training of `steps` steps. Returns everything except times. */
function trainSome(steps: number): (device: Device) => Promise<unknown> {
  return async (device) => {
    const { summary, parameters } = await train({
      network: createMlp({ inputCount: 64, hidden: [6], classes: 3 }),
      data: barsDataset(32 * steps, 30),
      optimizer: createOptimizer('tngd', {}, createAnalogSolver(device)),
      epochs: 1,
      batch: 32,
      seed: 3,
    });
    const { timing: _, repeats: __, ...facts } = summary;
    return { ...facts, parameters: [...parameters] };
  };
}

describe('a bad line', () => {
  it.each([0, 1])('changes no bit of a solve (line %i)', async (line) => {
    const expected = await undisturbed('ideal-64', solveSome);
    const { result, corruptedBytes } = await behindRoughLine(
      'ideal-64',
      FIRST_SEED + line,
      ROUGHER,
      solveSome,
    );
    expect(result).toEqual(expected);
    expect(corruptedBytes).toBeGreaterThan(0);
  });
});

describe('a line that damages one byte in a thousand and is cut every few seconds', { tags: 'long' }, () => {
  const seeds = (count: number) =>
    Array.from({ length: Number(process.env['SEEDS'] ?? count) }, (_, i) => FIRST_SEED + i);

  it('changes no bit of 20 solves', async () => {
    const expected = await undisturbed('ideal-64', solveSome);
    let disturbances = 0;
    for (const seed of seeds(20)) {
      const { result, repeats } = await behindRoughLine('ideal-64', seed, ROUGH, solveSome);
      expect({ seed, result }).toEqual({ seed, result: expected });
      disturbances += repeats;
    }
    expect(disturbances).toBeGreaterThan(0);
  });

  it('changes no bit of 5 trainings', async () => {
    const work = trainSome(10);
    const expected = await undisturbed('ideal-crossbar', work);
    let disturbances = 0;
    for (const seed of seeds(5)) {
      const { result, repeats } = await behindRoughLine('ideal-crossbar', seed, ROUGH, work);
      expect({ seed, result }).toEqual({ seed, result: expected });
      disturbances += repeats;
    }
    expect(disturbances).toBeGreaterThan(0);
  });
});
