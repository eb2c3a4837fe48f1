import { describe, expect, it } from 'vitest';
import { decodeToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL, type Frame } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { BlockOrder } from '../../src/driver/block-order.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { uniform } from '../support/lossy-link.js';
import { diagonalProgram, openTestBoard, type Tamper } from '../support/test-board.js';

/** The run has 49 blocks, because a frame of 4 KiB holds 251 samples of 8 cells. */
const FRAME_BYTES = 4096;
const PER_BLOCK = 251;
const RUN: RunOptions = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 12_250, ticksPerSample: 1 };
/** The port with frames of at most FRAME_BYTES. */
const shorter = (port: Port): Port => Object.create(port, { frameBytesMax: { value: FRAME_BYTES } });

const blockNumber = (frame: Frame | undefined): number | undefined => {
  if (frame?.channel !== CHANNEL.sample) return undefined;
  const message = decodeToHost(frame.payload);
  return message.kind === 'event' && message.name === 'sampleBlock' ? message.fields.block : undefined;
};

/**
 * Opens a board and loads a program with noise. `drops` says which blocks are lost when the board sends them
 * for the first time. With `always` they are lost each time.
 */
async function lossyBoard(drops: (block: number) => boolean, always = false) {
  const seen = new Set<number>();
  const toHost: Tamper = (frame, bytes) => {
    const block = blockNumber(frame);
    if (block === undefined) return [bytes];
    const first = !seen.has(block);
    seen.add(block);
    return (first || always) && drops(block) ? [] : [bytes];
  };
  const opened = await openTestBoard('ideal-8', { toHost, wrap: shorter });
  const program = { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 };
  await opened.clock.run(opened.device.loadProgram(0, program));
  return opened;
}

let clean: Int16Array | undefined;

async function cleanCodes(): Promise<Int16Array> {
  if (clean !== undefined) return clean;
  const { device, clock } = await lossyBoard(() => false);
  clean = (await clock.run(device.acquire(RUN))).codes;
  return clean;
}

const none = () => false;
const same = (a: Int16Array, b: Int16Array) => a.length === b.length && a.every((code, i) => code === b[i]);
const WHICH: readonly [string, (block: number) => boolean][] = [
  ['one in the middle', (block) => block === 7],
  ['the first', (block) => block === 0],
  ['the last', (block) => block === 48],
  ['every second', (block) => block % 2 === 1],
  ['all of the first credit', (block) => block < 16],
  ['every one', () => true],
];

describe('samples that do not arrive', () => {
  it('are tested with a run that really has 49 blocks', async () => {
    const { device, clock } = await lossyBoard(none);
    const run = await clock.run(device.run(RUN));
    let blocks = 0;
    await clock.run(
      (async () => {
        for await (const block of run.blocks) blocks += Math.sign(block.sampleCount);
      })(),
    );
    expect(blocks).toBe(49);
  });

  it.each(WHICH)('are sent again on request (%s lost once)', async (_, drops) => {
    const { device, clock } = await lossyBoard(drops);
    const { codes, report, lost } = await clock.run(device.acquire({ ...RUN, onLoss: 'reRequest' }));
    expect(report.outcome).toBe('completed');
    expect(lost).toEqual([]);
    expect(same(codes, await cleanCodes())).toBe(true);
    // Nothing of the lost run remains, so the next run works.
    expect(same((await clock.run(device.acquire(RUN))).codes, codes)).toBe(true);
  });

  it.each(WHICH)('are listed when they are marked (%s)', async (_, drops) => {
    const { device, clock } = await lossyBoard(drops, true);
    const { codes, lost } = await clock.run(device.acquire({ ...RUN, onLoss: 'mark' }));
    const clean = await cleanCodes();
    const gone = (sample: number) => drops(Math.floor(sample / PER_BLOCK));
    const marked = (sample: number) => lost.some(({ from, to }) => sample >= from && sample < to);
    const row = (of: Int16Array, sample: number) => of.subarray(8 * sample, 8 * sample + 8);
    const wrong: number[] = [];
    for (let sample = 0; sample < RUN.sampleCount; sample += 5) {
      const expected = gone(sample) ? new Int16Array(8) : row(clean, sample);
      if (marked(sample) !== gone(sample) || !same(row(codes, sample), expected)) wrong.push(sample);
    }
    expect(wrong).toEqual([]);
  });

  it.each(WHICH)('fail the stream by default (%s)', async (_, drops) => {
    const { device, clock } = await lossyBoard(drops, true);
    const error = await clock.run(device.acquire(RUN).catch((caught: unknown) => caught));
    expect(error).toMatchObject({ code: 'SAMPLES_LOST', data: { ranges: [expect.anything()] } });
  });

  it('that never come after any number of requests fail the stream, and the error names the range', async () => {
    const { device, clock } = await lossyBoard((block) => block === 7, true);
    const error = await clock.run(
      device.acquire({ ...RUN, onLoss: 'reRequest' }).catch((caught: unknown) => caught),
    );
    expect(error).toMatchObject({
      code: 'SAMPLES_LOST',
      data: { ranges: [{ from: 7 * PER_BLOCK, to: 8 * PER_BLOCK }] },
    });
    expect((await clock.run(device.acquire({ ...RUN, sampleCount: 5 }))).report.outcome).toBe('completed');
  });

  it('are counted by the board if it may skip them, and marked by the host', async () => {
    const { device, board, clock } = await lossyBoard(none);
    const run = await clock.run(
      device.run({ ...RUN, sampleCount: 24_500, onNoCredit: 'lose', onLoss: 'mark' }),
    );
    // Nobody reads until the board has taken all samples.
    for (let turn = 0; turn < 5000 && board.board.run?.outcome === undefined; turn++)
      await new Promise((resolve) => setImmediate(resolve));
    let received = 0;
    await clock.run(
      (async () => {
        for await (const { sampleCount } of run.blocks) received += sampleCount;
      })(),
    );
    const report = await clock.run(run.finished);
    const lost = run.lost.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(report.samplesLost).toBeGreaterThan(0);
    expect(lost).toBe(report.samplesLost);
    expect(received + lost).toBe(report.samplesTaken);
  });
});

it('blocks that arrive before the answer to their start are not lost', async () => {
  let starts = 0;
  const { device, clock } = await openTestBoard('ideal-8', {
    toHost: (frame, bytes) => {
      const message = frame?.channel === CHANNEL.command ? decodeToHost(frame.payload) : undefined;
      return message?.kind === 'answer' && message.name === 'start' && starts++ === 0 ? [] : [bytes];
    },
  });
  await clock.run(device.loadProgram(0, diagonalProgram(8)));
  const { report } = await clock.run(device.acquire({ ...RUN, sampleCount: 10_000 }));
  expect(report).toMatchObject({ outcome: 'completed', samplesTaken: 10_000 });
  expect(starts).toBe(2);
});

it('a waiting host asks five times a second, and an answer does not make it ask sooner', async () => {
  let credits = 0;
  const { device, clock } = await openTestBoard('ideal-8', {
    toDevice: (frame, bytes) => {
      if (frame?.channel === CHANNEL.sample) credits++;
      return [bytes];
    },
  });
  await clock.run(device.loadProgram(0, diagonalProgram(8)));
  const acquiring = device.acquire({ ...RUN, burnInTicks: 1e12, timeoutMs: 3000 });
  await clock.run(acquiring.catch(() => undefined));
  expect(credits).toBeGreaterThan(5);
  expect(credits).toBeLessThan(20);
});

describe('BlockOrder', () => {
  it('delivers blocks of random arrival in order, and finds exactly the missing ones', () => {
    const random = uniform(1);
    for (let round = 0; round < 200; round++) {
      const order = new BlockOrder(4, 'reRequest');
      const numbers = Array.from({ length: 40 }, (_, n) => n);
      for (let i = numbers.length - 1; i > 0; i--) {
        const j = Math.max(0, i - Math.floor(random() * 6));
        [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
      }
      const gone = new Set(numbers.filter(() => random() < 0.1));
      const delivered = numbers.filter((n) => !gone.has(n)).flatMap((n) => order.take(block(n), n));
      order.takeSent(40);
      delivered.push(...order.giveUp());
      order.end(80);
      expect(delivered.map(({ firstSample }) => firstSample / 2)).toEqual(
        Array.from({ length: 40 }, (_, n) => n).filter((n) => !gone.has(n)),
      );
      const lost = order.lost.flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, i) => from + i),
      );
      expect(lost).toEqual([...gone].sort((a, b) => a - b).flatMap((n) => [2 * n, 2 * n + 1]));
    }
  });

  const block = (number: number) => ({
    runId: 1,
    firstSample: 2 * number,
    sampleCount: 2,
    firstCell: 0,
    cellCount: 4,
    tick: 0,
    overload: false,
    clipped: false,
    codes: new Int16Array(8),
  });
});
