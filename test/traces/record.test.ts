import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McapIndexedReader, McapStreamReader } from '@mcap/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { examineTrace } from '../../src/traces/doctor.js';
import { openTrace } from '../../src/traces/open-trace.js';
import type { TraceMessage } from '../../src/traces/trace-message.js';
import { diagonalProgram } from '../support/test-board.js';

const RUN = { bank: 0, runSeed: 1, burnInTicks: 10, sampleCount: 20, ticksPerSample: 3 };

let directory: string;
let session: string;
let codes: Int16Array;

const file = (name: string): string => join(directory, name);

async function messagesOf(path: string): Promise<TraceMessage[]> {
  const trace = await openTrace(path);
  try {
    return [...trace.messages()];
  } finally {
    trace.close();
  }
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-trace-'));
  session = file('session.mcap');
  const device = await connect('emulator:ideal-8?die=3', { record: session });
  await device.loadProgram(0, diagonalProgram(8, 2048));
  codes = (await device.acquire(RUN)).codes;
  await device.ping();
  await device.close();
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('a recorded session', () => {
  it('holds every message once, in causal order, with its samples', async () => {
    const messages = await messagesOf(session);
    const told = messages.map(({ kind, name, session: number }) => `${number} ${name} ${kind}`);
    expect(told.slice(0, 2)).toEqual(['0 hello command', '1 hello answer']);
    const order = [
      'commit command',
      'commit answer',
      'start command',
      'start answer',
      'runEnded event',
      'ping answer',
    ];
    const places = order.map((what) => told.indexOf(`1 ${what}`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    const samples = messages.flatMap((message) => Array.from(message.samples?.codes ?? []));
    expect(samples).toEqual(Array.from(codes));
    expect(messages.at(-1)?.deviceTimeUs).toBeGreaterThan(0);
    expect(messages.map(({ index }) => index)).toEqual(messages.map((_, i) => i));
  });

  it('says what was recorded', async () => {
    const trace = await openTrace(session);
    expect(Object.fromEntries(trace.metadata.get('device')!)).toEqual({
      uri: 'emulator:ideal-8?die=3',
      dieSeed: '3',
    });
    const parts = trace.attachments.map(({ name, read }) => [
      name,
      JSON.parse(new TextDecoder().decode(read())),
    ]);
    expect(parts).toMatchObject([
      ['profile.json', { name: 'ideal-8', cells: 8 }],
      ['identity.json', { model: 'ideal-8', serialNumber: 'die 3' }],
    ]);
    trace.close();
  });

  it('is whole for the readers of the MCAP project, with and without the index', async () => {
    const bytes = readFileSync(session);
    const stream = new McapStreamReader({ validateCrcs: true });
    stream.append(bytes);
    const kinds = new Map<string, number>();
    for (let record = stream.nextRecord(); record; record = stream.nextRecord())
      kinds.set(record.type, (kinds.get(record.type) ?? 0) + 1);
    expect(stream.done()).toBe(true);
    const indexed = await McapIndexedReader.Initialize({
      readable: {
        size: () => Promise.resolve(BigInt(bytes.length)),
        read: (offset, size) => Promise.resolve(bytes.subarray(Number(offset), Number(offset + size))),
      },
    });
    let [count, json] = [0, 0];
    for await (const message of indexed.readMessages()) {
      count++;
      const channel = indexed.channelsById.get(message.channelId)!;
      if (channel.messageEncoding !== 'json') continue;
      json++;
      expect(JSON.parse(new TextDecoder().decode(message.data))).toMatchObject({
        session: expect.any(Number),
      });
    }
    expect(count).toBe(kinds.get('Message'));
    expect(json).toBe((await messagesOf(session)).length);
    expect(indexed.statistics?.messageCount).toBe(BigInt(count));
    expect(indexed.attachmentIndexes).toHaveLength(2);
  });

  it('has nothing to complain about, and a cut one has', async () => {
    expect((await examineTrace(session)).lost).toEqual([]);
    const bytes = readFileSync(session);
    writeFileSync(file('cut.mcap'), bytes.subarray(0, bytes.length / 2));
    const { lost, messages } = await examineTrace(file('cut.mcap'));
    expect(lost).toHaveLength(1);
    expect(messages).toBeGreaterThan(2);
  });

  it('replaces no file', async () => {
    await expect(connect('emulator:ideal-8', { record: session })).rejects.toMatchObject({
      code: 'BAD_FILE',
    });
  });
});
