import { describe, expect, it } from 'vitest';
import { decodeToHost, encodeEvent } from '../../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame, FrameDecoder } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX, U32_MAX } from '../../../firmware-protocol/limits.js';
import { LinkDecoder } from '../../../src/traces/link-decoder.js';
import { placedMessages } from '../../../src/traces/look/message-filter.js';
import { runSamples, tickOf } from '../../../src/traces/look/run-samples.js';
import { SampleTable } from '../../../src/traces/look/sample-table.js';
import { sessionFigure } from '../../../src/traces/look/session-figure.js';
import { SessionLedger } from '../../../src/traces/look/session-ledger.js';
import { messageJson } from '../../../src/traces/message-json.js';
import type { LinkChunk } from '../../../src/traces/trace-message.js';
import { parseXml } from '../../cli/support/parse-xml.js';
import { diagonalProgram, type Tamper } from '../../support/test-board.js';
import {
  heardBoard,
  PLAIN_FIRST_TICK,
  PLAIN_RUN,
  plainSession,
  simulatedSessions,
} from './recorded-chunks.js';

function ledgerOf(chunks: readonly LinkChunk[]): SessionLedger {
  const ledger = new SessionLedger();
  for (const chunk of chunks) ledger.push(chunk);
  return ledger;
}

/** Loses the first sending of each sample frame in the list, by its number in the session from 0. */
function losing(numbers: readonly number[]): Tamper {
  let next = 0;
  return (frame, bytes) =>
    frame?.channel === CHANNEL.sample && frame.payload.length > 300 && numbers.includes(next++)
      ? []
      : [bytes];
}

/** Three blocks: a frame of 64 KiB holds 4091 samples of 8 cells. */
const LONG_RUN = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 9000, ticksPerSample: 1 };

describe('the summary of a session', () => {
  it('names board, runs, state and refusals', async () => {
    const { chunks } = await plainSession();
    const ledger = ledgerOf(chunks);
    expect(ledger.board).toMatchObject({ model: 'ideal-8', cells: 8 });
    expect(ledger.runs).toHaveLength(2);
    expect(ledger.runs[0]).toMatchObject({
      run: 1,
      runId: 1,
      outcome: 'completed',
      cells: 8,
      samples: 40,
      report: { ticksDone: 205, samplesTaken: 40, samplesLost: 0 },
    });
    expect(ledger.runs[0].request).toMatchObject({ ...PLAIN_RUN, firstTick: PLAIN_FIRST_TICK });
    expect(ledger.runs[1]).toMatchObject({ outcome: 'refused', samples: 0 });
    expect(ledger.stops).toBe(1);
    expect([...ledger.refusals]).toEqual([['wrongState', 1]]);
    expect(ledger.state).toBe('safe');
    expect(ledger.sessions).toBe(1);
  });

  it('counts every message of the decoder once, for any pieces of bytes', { tags: 'long' }, async () => {
    const chunks = await simulatedSessions([4]);
    const decoder = new LinkDecoder();
    const names = new Map<string, number>();
    for (const chunk of chunks)
      decoder.push(chunk, ({ direction, kind, name }) => {
        const key = `${direction} ${kind} ${name}`;
        names.set(key, (names.get(key) ?? 0) + 1);
      });
    const bytewise = chunks.flatMap((chunk) =>
      Array.from(chunk.bytes, (byte) => ({ ...chunk, bytes: Uint8Array.of(byte) })),
    );
    for (const pieces of [chunks, bytewise]) {
      const ledger = ledgerOf(pieces);
      const counts = ledger.counts.map(({ direction, kind, name, count }) => [
        `${direction} ${kind} ${name}`,
        count,
      ]);
      expect(new Map(counts as [string, number][])).toEqual(names);
      expect(ledger.findings).toEqual(decoder.findings);
    }
  });
});

describe('the samples of a run', () => {
  it('equal the samples of the driver, at the ticks of their blocks', async () => {
    const { chunks, codes } = await plainSession();
    const [samples, ...rest] = runSamples(chunks);
    expect(rest).toEqual([]);
    expect([samples.samples, samples.cells]).toEqual([40, 8]);
    expect(samples.codes).toEqual(codes);
    expect(samples.present.every((present) => present === 1)).toBe(true);
    expect(tickOf(samples.run, 3)).toBe(PLAIN_FIRST_TICK + 10 + 15);
  });

  it('are marked as missing if their block was lost', async () => {
    const { device, clock, chunks } = await heardBoard('ideal-8', { toHost: losing([1]) });
    await clock.run(device.loadProgram(0, { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 }));
    const run = await clock.run(device.run({ ...LONG_RUN, onLoss: 'mark' }));
    await clock.run(
      (async () => {
        for await (const _ of run.blocks);
      })(),
    );
    const [samples] = runSamples(chunks);
    const missing = Array.from({ length: LONG_RUN.sampleCount }, (_, i) => i).filter(
      (sample) => samples.present[sample * 8] !== 1,
    );
    const lost = run.lost.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
    expect(lost.length).toBe(4091);
    expect(missing).toEqual(lost);
    const table = new SampleTable({ chunks: () => chunks }, { cells: [2, 5], asCodes: true });
    const empty = Array.from(table.rows()).flatMap(({ values }) => Array.from(values).filter(Number.isNaN));
    expect(empty).toHaveLength(2 * 4091);
    expect(table.shape).toEqual({ runs: 1, rows: LONG_RUN.sampleCount, columns: 2, missing: 2 * 4091 });
    expect(new SampleTable({ chunks: () => chunks }).shape.missing).toBe(8 * 4091);
  });

  it('are whole and in order if lost blocks were requested again', { tags: 'long' }, async () => {
    const { device, clock, chunks } = await heardBoard('ideal-8', { toHost: losing([0, 1]) });
    await clock.run(device.loadProgram(0, { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 }));
    const { codes } = await clock.run(device.acquire({ ...LONG_RUN, onLoss: 'reRequest' }));
    const [samples] = runSamples(chunks);
    expect(Buffer.from(samples.codes.buffer, samples.codes.byteOffset, samples.codes.byteLength)).toEqual(
      Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength),
    );
    expect(samples.present.includes(0)).toBe(false);
    expect(ledgerOf(chunks).runs[0].samples).toBe(LONG_RUN.sampleCount);
  });
});

it('a block that claims four billion samples takes only the memory of its real content', async () => {
  const { chunks } = await plainSession();
  const decoder = new FrameDecoder(FRAME_BYTES_MAX);
  const hostile = chunks.map((chunk) => {
    const [item] = decoder.push(chunk.bytes);
    if (item?.kind !== 'frame' || item.frame.channel !== CHANNEL.sample) return chunk;
    const message = decodeToHost(item.frame.payload);
    if (message.kind !== 'event' || message.name !== 'sampleBlock') return chunk;
    const payload = encodeEvent('sampleBlock', 0, { ...message.fields, sampleCount: U32_MAX });
    return { ...chunk, bytes: encodeFrame({ ...item.frame, payload }) };
  });
  const [samples] = runSamples(hostile);
  expect(samples.samples).toBe(40);
  parseXml(sessionFigure({ chunks: () => hostile }, { title: 'hostile', cells: [0] }));
  for (const { message } of placedMessages(hostile)) messageJson(message, {});
});

it('the picture counts each frame that was sent again, also several of one chunk', async () => {
  const { chunks } = await plainSession();
  const frames = chunks.filter(({ direction, bytes }) => direction === 'toDevice' && bytes.length > 30);
  const [first, second] = frames.slice(-2);
  const again = { ...second, bytes: Uint8Array.from([...first.bytes, ...second.bytes]) };
  const before = ledgerOf(chunks).findings.retransmissions;
  const list = [...chunks, { ...again, hostTimeNs: chunks.at(-1)!.hostTimeNs }];
  const { retransmissions } = ledgerOf(list).findings;
  expect(retransmissions).toBe(before + 2);
  const { text } = parseXml(sessionFigure({ chunks: () => list }, { title: 'again', cells: [0] }));
  expect(text).toMatch(new RegExp(`sent again${retransmissions}`));
});
