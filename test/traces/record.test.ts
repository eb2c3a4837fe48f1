import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { McapIndexedReader, McapStreamReader } from '@mcap/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import type { ThermolinkError } from '../../src/errors.js';
import type { WritePart } from '../../src/files/replace-file.js';
import { examineTrace } from '../../src/traces/doctor.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { Recorder } from '../../src/traces/recorder.js';
import { recoverTrace } from '../../src/traces/recover.js';
import type { TraceMessage } from '../../src/traces/trace-message.js';
import { isBuilt } from '../support/child-process.js';
import { PYTHON } from '../support/python.js';
import { diagonalProgram, openTestBoard } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const PYTHON_READER = new URL('read_mcap.py', import.meta.url).pathname;
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

  it('describes its content', async () => {
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

  it('can be read wholly by the readers of the MCAP project, with and without the index', async () => {
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

  it('gets no complaints from the reader, but a cut recording gets some', async () => {
    expect((await examineTrace(session)).lost).toEqual([]);
    const bytes = readFileSync(session);
    writeFileSync(file('cut.mcap'), bytes.subarray(0, bytes.length * 0.75));
    const { lost, messages } = await examineTrace(file('cut.mcap'));
    expect(lost).toHaveLength(1);
    expect(messages).toBeGreaterThan(1);
    await expect(recoverTrace(file('cut.mcap'), file('mended.mcap'))).resolves.toMatchObject({ messages });
    expect(await examineTrace(file('mended.mcap'))).toMatchObject({ messages, lost: [] });
  });

  it('does not replace a file', async () => {
    await expect(connect('emulator:ideal-8', { record: session })).rejects.toMatchObject({
      code: 'BAD_FILE',
    });
  });

  it('ends with a warning when the disk is full, and the experiment continues', async () => {
    const warnings: ThermolinkError[] = [];
    const roomBytes = 400_000;
    let written = 0;
    const write: WritePart = (descriptor, bytes, offset) => {
      if (written >= roomBytes) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      const part = Math.min(bytes.length - offset, roomBytes - written);
      written += part;
      return writeSync(descriptor, bytes, offset, part);
    };
    const clock = new VirtualClock();
    const options = {
      file: file('full.mcap'),
      clock,
      onWarning: (error: ThermolinkError) => warnings.push(error),
    };
    const recorder = new Recorder(options, { write });
    const { device } = await openTestBoard('ideal-8', { clock, wrap: (port) => recorder.tap(port) });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const samples = await clock.run(device.acquire({ ...RUN, sampleCount: 40_000 }));
    expect(samples.codes).toHaveLength(320_000);
    await clock.run(device.close());
    await recorder.close();
    expect(warnings).toMatchObject([
      { code: 'BAD_FILE', message: expect.stringMatching(/ends here: no space/) },
    ]);
    // The part before the end is whole, and no record is cut.
    const { lost } = await examineTrace(file('full.mcap'));
    expect(lost).toEqual(['the recording was not closed']);
  });

  it.runIf(isBuilt)(
    'of a killed process has everything except less than the last second',
    { tags: 'long' },
    async () => {
      const script = `
      const { connect } = await import(${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)});
      const device = await connect('emulator:ideal-8', { record: process.argv[1] });
      for (;;) {
        await device.ping();
        process.stdout.write('.');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }`;
      const args = ['--input-type=module', '-e', script, file('killed.mcap')];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let pings = 0;
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (dots: Buffer) => {
          pings += dots.length;
          if (pings >= 105) resolve();
        });
      });
      const killedMs = Date.now();
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      const messages = await messagesOf(file('killed.mcap'));
      const lastMs = Number(messages.at(-1)!.hostTimeNs / 1_000_000n);
      expect(killedMs - lastMs).toBeLessThan(1000);
      expect((await examineTrace(file('killed.mcap'))).lost).toEqual(['the recording was not closed']);
    },
  );

  it.runIf(PYTHON !== undefined)(
    'gives the same content to a reader in Python, written from the specification',
    async () => {
      const { stdout, stderr, status } = spawnSync(PYTHON!, [PYTHON_READER, session], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const told = JSON.parse(stdout);
      const messages = await messagesOf(session);
      expect(told.json).toEqual(
        messages.map(({ name, kind, requestId }) => [`/messages/${name}/${kind}`, requestId]),
      );
      const trace = await openTrace(session);
      const chunks = [...trace.chunks()].map(({ direction, bytes }) => [direction, bytes.length] as const);
      const sum = (which: string) => chunks.reduce((bytes, [way, n]) => bytes + (way === which ? n : 0), 0);
      expect(told.linkBytes).toEqual({ toDevice: sum('toDevice'), toHost: sum('toHost') });
      expect(told.attachments).toEqual(trace.attachments.map(({ name, size }) => [name, size]));
      expect(told.metadata).toEqual(['thermolink', 'device']);
      expect(told.indexed).toBe(told.counted);
      trace.close();
    },
  );
});
