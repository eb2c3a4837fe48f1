import { describe, expect, it } from 'vitest';
import { encodeAnswer, encodeEvent } from '../../firmware-protocol/codec.js';
import { DEVICE_STATE } from '../../firmware-protocol/device-status.js';
import { CHANNEL, encodeFrame, type Frame } from '../../firmware-protocol/framing.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { ThermolinkError } from '../../src/errors.js';
import { diagonalProgram, NONCE, openTestBoard, type Tamper } from '../support/test-board.js';
import type { VirtualClock } from '../support/virtual-clock.js';

const RUN = { bank: 0, runSeed: 1, burnInTicks: 10, sampleCount: 20, ticksPerSample: 3 };
const LONG = { ...RUN, burnInTicks: 1e12 };

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof ThermolinkError ? error.code : `not ours: ${String(error)}`;
  }
}

const pause = (clock: VirtualClock, ms: number): Promise<void> =>
  clock.run(new Promise<void>((resolve) => clock.schedule(ms, resolve)));

describe('a board that dies in mid-run', () => {
  it('is noticed within seconds by the call that waits for samples', async () => {
    let dead = false;
    const { device, clock } = await openTestBoard('ideal-8', { toHost: (_, bytes) => (dead ? [] : [bytes]) });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const acquiring = code(device.acquire(LONG));
    await pause(clock, 100);
    dead = true;
    const beganMs = clock.nowMs();
    expect(await clock.run(acquiring)).toBe('LINK_LOST');
    expect(clock.nowMs() - beganMs).toBeLessThan(30_000);
  });

  it('a board without samples for a long time does not count as dead', async () => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const acquiring = code(device.acquire({ ...LONG, timeoutMs: 9000 }));
    await pause(clock, 8000);
    expect(board.board.state).toBe('running');
    expect(await clock.run(acquiring)).toBe('TIMEOUT');
    await pause(clock, 10);
    expect(board.board.state).toBe('done');
  });
});

describe('calls that wait for room', () => {
  it('all end when the device is closed', async () => {
    const { device, clock } = await openTestBoard('ideal-8', {
      toHost: (frame, bytes) => (frame?.channel === CHANNEL.open ? [bytes] : []),
    });
    const calls = Array.from({ length: 200 }, () => code(device.readStatus({ timeoutMs: 100_000 })));
    await pause(clock, 10);
    await clock.run(device.close());
    expect(new Set(await clock.run(Promise.all(calls)))).toEqual(new Set(['ABORTED']));
  });

  it('end at their deadline', async () => {
    const { device, clock } = await openTestBoard('ideal-8', {
      toHost: (frame, bytes) => (frame?.channel === CHANNEL.open ? [bytes] : []),
    });
    const calls = Array.from({ length: 200 }, () => code(device.readStatus({ timeoutMs: 300 })));
    expect(new Set(await clock.run(Promise.all(calls)))).toEqual(new Set(['TIMEOUT']));
    expect(clock.nowMs()).toBeLessThan(500);
  });
});

describe('a reader that leaves', () => {
  it('ends its run, and the next one starts', async () => {
    const { device, clock } = await openTestBoard('ideal-256');
    await clock.run(device.loadProgram(0, diagonalProgram(256)));
    const run = await clock.run(device.run({ ...RUN, sampleCount: 1e6, ticksPerSample: 0 }));
    const readOne = async (): Promise<number> => {
      for await (const block of run.blocks) return block.sampleCount;
      return 0;
    };
    expect(await clock.run(readOne())).toBeGreaterThan(0);
    expect((await clock.run(run.finished)).outcome).toBe('aborted');
    expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
  });

  it('ends its run after lost samples too, and the next one starts', async () => {
    let blocks = 0;
    const { device, clock } = await openTestBoard('ideal-256', {
      toHost: (frame, bytes) => (frame?.channel === CHANNEL.sample && ++blocks === 2 ? [] : [bytes]),
    });
    await clock.run(device.loadProgram(0, diagonalProgram(256)));
    expect(await clock.run(code(device.acquire({ ...RUN, sampleCount: 1e5, ticksPerSample: 0 })))).toBe(
      'SAMPLES_LOST',
    );
    expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
  });
});

describe('closing a device after a run was aborted', () => {
  it('stops the board even if the command abort is lost', async () => {
    let cut = false;
    const toDevice: Tamper = (frame, bytes) => (cut && frame?.channel === CHANNEL.command ? [] : [bytes]);
    const { device, board, clock } = await openTestBoard('ideal-8', { toDevice });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const controller = new AbortController();
    const acquiring = code(device.acquire({ ...LONG, signal: controller.signal }));
    await pause(clock, 100);
    cut = true;
    controller.abort();
    expect(await clock.run(acquiring)).toBe('ABORTED');
    expect(board.board.state).toBe('running');
    await clock.run(device.close());
    expect(board.board.state).toBe('safe');
  });
});

describe('answers that belong to something else', () => {
  it('a late answer to an earlier stop is not taken for the present one', async () => {
    let stops = 0;
    const stale = (frame: Frame): Uint8Array =>
      encodeFrame({
        ...frame,
        payload: encodeAnswer('stop', 0, { stopNumber: 1, state: DEVICE_STATE.safe }),
      });
    let toHost: Tamper = (_, bytes) => [bytes];
    const { device, board, clock } = await openTestBoard('ideal-8', {
      // The second stop is lost three times. Meanwhile the answer to the first comes again and again.
      toDevice: (frame, bytes) =>
        frame?.channel === CHANNEL.stop && [2, 3, 4].includes(++stops) ? [] : [bytes],
      toHost: (frame, bytes) => toHost(frame, bytes),
    });
    await clock.run(device.stop());
    await clock.run(device.acknowledge());
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const run = await clock.run(device.run(LONG));
    toHost = (frame, bytes) =>
      frame?.channel === CHANNEL.stop
        ? [bytes]
        : frame
          ? [bytes, stale({ ...frame, channel: CHANNEL.stop })]
          : [bytes];
    await clock.run(device.stop());
    expect(board.board.state).toBe('safe');
    expect(stops).toBe(5);
    expect((await clock.run(run.finished)).outcome).toBe('stopped');
  });
});

describe('a board that contradicts itself', () => {
  it.each([
    ['a cell beyond the program', { firstCell: 7, cellCount: 2 }],
    ['a sample beyond the run', { firstSample: 20 }],
    ['a block beyond its credit', { block: 1000 }],
    ['fewer codes than it says', { sampleCount: 2 }],
  ])('%s ends the connection, not the process', async (_, change) => {
    const { device, clock } = await openTestBoard('ideal-8', {
      toHost: (frame, bytes) => {
        if (frame?.channel !== CHANNEL.sample) return [bytes];
        const block = {
          runId: 1,
          block: 0,
          firstSample: 0,
          tick: 0,
          firstCell: 0,
          cellCount: 8,
          sampleCount: 1,
          flags: 0,
          ...change,
        };
        const size = 'cellCount' in change ? 4 : 16;
        const payload = encodeEvent('sampleBlock', 0, { ...block, codes: new Uint8Array(size) });
        return [encodeFrame({ ...frame, session: NONCE[0], payload })];
      },
    });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    expect(await clock.run(code(device.acquire(RUN)))).toBe('NOT_A_BOARD');
  });
});

describe('a row element', () => {
  const rowElement = { linearRows: 1, table: new Int16Array(161), drive: new Int16Array(8) };
  const image = { ...diagonalProgram(8), mode: PROGRAM_MODE.factored, rowElement };

  it.each<[string, object, string, string]>([
    ['dense', { mode: PROGRAM_MODE.dense }, 'ideal-8', 'BAD_ARGUMENT'],
    ['short table', { rowElement: { ...rowElement, table: new Int16Array(160) } }, 'ideal-8', 'BAD_ARGUMENT'],
    ['long drive', { rowElement: { ...rowElement, drive: new Int16Array(9) } }, 'ideal-8', 'BAD_ARGUMENT'],
    ['float drive', { rowElement: { ...rowElement, drive: new Float64Array(8) } }, 'ideal-8', 'BAD_ARGUMENT'],
    ['too many rows', { rowElement: { ...rowElement, linearRows: 9 } }, 'ideal-8', 'BAD_ARGUMENT'],
    ['NaN rows', { rowElement: { ...rowElement, linearRows: Number.NaN } }, 'ideal-8', 'BAD_ARGUMENT'],
    ['on a board without', {}, 'spu-8', 'UNSUPPORTED'],
  ])('%s is refused before anything is sent', async (_, change, profile, expected) => {
    const { device, board, clock } = await openTestBoard(profile);
    expect(await clock.run(code(device.loadProgram(0, { ...image, ...change })))).toBe(expected);
    expect(board.board.memory.banks[0].image).toBeUndefined();
  });

  it('is loaded, and a rewrite sends only the differences', async () => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, image));
    const drive = rowElement.drive.with(3, 700);
    const next = { ...image, rowElement: { ...rowElement, drive } };
    const before = device.uploadedBytes;
    await clock.run(device.rewriteProgram(0, next, { since: image }));
    expect(device.uploadedBytes - before).toBe(2);
    expect(board.board.memory.image(0).rowElement).toEqual(next.rowElement);
    expect(device.identity.hasRowElement).toBe(true);
  });
});

describe('averages', () => {
  const AVERAGE = { ...RUN, sampleCount: 40, batches: 4 };

  it.each<[string, object, string, string]>([
    ['no batch', { batches: 0 }, 'ideal-8', 'BAD_ARGUMENT'],
    ['too many batches', { batches: 33, sampleCount: 33 }, 'ideal-8', 'BAD_ARGUMENT'],
    ['batches of unlike size', { sampleCount: 41 }, 'ideal-8', 'BAD_ARGUMENT'],
    ['batches that are too long', { sampleCount: 4 * 65536 }, 'ideal-8', 'BAD_ARGUMENT'],
    ['NaN samples', { sampleCount: Number.NaN }, 'ideal-8', 'BAD_ARGUMENT'],
    ['second moments of too many cells', { secondMoments: true }, 'ideal-256', 'UNSUPPORTED'],
  ])('%s is refused before anything is sent', async (_, change, profile, expected) => {
    const { device, board, clock } = await openTestBoard(profile);
    await clock.run(device.loadProgram(0, diagonalProgram(profile === 'ideal-8' ? 8 : 256)));
    expect(await clock.run(code(device.average({ ...AVERAGE, ...change })))).toBe(expected);
    expect(board.board.runId).toBe(0);
  });

  it('are the sums of the samples that the same run would send, and cost fewer bytes', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    const noisy = { ...diagonalProgram(8), noiseAmplitude: 20000, noiseShift: 12 };
    await clock.run(device.loadProgram(0, noisy));
    const { codes } = await clock.run(device.acquire({ ...RUN, sampleCount: 4000 }));
    const averages = await clock.run(
      device.average({ ...RUN, sampleCount: 4000, batches: 4, secondMoments: true }),
    );
    const sums = new Int32Array(32);
    const products = new Float64Array(36);
    for (let s = 0; s < 4000; s++) {
      let at = 0;
      for (let i = 0; i < 8; i++) {
        sums[8 * Math.floor(s / 1000) + i] += codes[8 * s + i];
        for (let j = i; j < 8; j++) products[at++] += codes[8 * s + i] * codes[8 * s + j];
      }
    }
    expect(averages).toMatchObject({ samples: 4000, overload: false, clipped: false });
    expect(averages.batchSums).toEqual(sums);
    expect(averages.products).toEqual(products);
    expect(device.identity).toMatchObject({ hasAverages: true, momentCellsMax: 64 });
  });

  it('an overload is a result, with the sums so far; a stop is an error', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, { ...diagonalProgram(8, 32767), damping: 0 }));
    const averages = await clock.run(device.average(AVERAGE));
    expect(averages.report.outcome).toBe('overload');
    expect(averages.samples).toBe(averages.report.samplesTaken);
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const averaging = code(device.average({ ...AVERAGE, burnInTicks: 1e12 }));
    await pause(clock, 100);
    await clock.run(device.stop());
    expect(await clock.run(averaging)).toBe('RUN_ENDED');
  });
});

describe('run options', () => {
  it.each([
    { burnInTicks: -1 },
    { sampleCount: 1.5 },
    { runSeed: 2 ** 32 },
    { watchdogMs: 1 },
    { sampleCount: 4e9 },
  ])('%j is refused before anything is sent', async (change) => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));

    expect(await clock.run(code(device.acquire({ ...RUN, ...change })))).toBe('BAD_ARGUMENT');
    expect(board.board.runId).toBe(0);
  });
});
