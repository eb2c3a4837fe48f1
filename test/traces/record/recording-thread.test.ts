import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { McapStreamReader } from '@mcap/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../../firmware-protocol/clock.js';
import type { Port } from '../../../firmware-protocol/port.js';
import { examineTrace } from '../../../src/traces/doctor.js';
import { openTrace } from '../../../src/traces/open-trace.js';
import type { ThreadLimits } from '../../../src/traces/record/recording-thread.js';
import { Recorder } from '../../../src/traces/recorder.js';
import type { LinkChunk } from '../../../src/traces/trace-message.js';
import { ROOT } from '../../repository/files.js';
import { isBuilt, JsonProcess } from '../../support/child-process.js';

/** A small ring, which is full most of the time. */
const SMALL: ThreadLimits = { ringBytes: 512 * 1024, startWaitMs: 60_000 };
/** Longer than the small ring. */
const LONG_BYTES = 3 * 1024 * 1024;

let directory: string;
const file = (name: string): string => path.join(directory, name);

beforeAll(() => (directory = mkdtempSync(path.join(tmpdir(), 'thermolink-thread-'))));
afterAll(() => rmSync(directory, { recursive: true }));

/** A port whose other end the test controls. */
class PlayedPort implements Port {
  readonly name = 'played';
  readonly frameBytesMax = 65_536;
  readonly closed = false;
  toHost: (bytes: Uint8Array) => void = () => undefined;
  #closes: () => void = () => undefined;

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.toHost = receiver;
  }

  onClose(receiver: () => void): void {
    this.#closes = receiver;
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closes();
    return Promise.resolve();
  }
}

/** Records these chunks `times` times, one in each virtual ms, without a pause. */
async function record(
  chunks: readonly LinkChunk[],
  times: number,
  name: string,
  inThread: boolean | ThreadLimits,
): Promise<void> {
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, schedule: () => () => undefined, defer: setImmediate };
  const recorder = new Recorder(
    { file: file(name), clock, onWarning: (error) => expect(error).toBeUndefined() },
    { inThread },
  );
  recorder.addMetadata('device', { uri: 'played' });
  for (let time = 0; time < times; time++) {
    const played = new PlayedPort();
    const port = recorder.tap(played);
    port.onData(() => undefined);
    port.onClose(() => undefined);
    for (const { direction, bytes } of chunks) {
      nowMs++;
      if (direction === 'toDevice') await port.write(bytes);
      else played.toHost(bytes);
    }
    await port.close();
  }
  if (times > 1) recorder.attach('long.bin', 'application/octet-stream', new Uint8Array(LONG_BYTES).fill(7));
  await recorder.close();
}

/** The content of a file: messages with times and channels, attachments and metadata, but not its chunks. */
function contentOf(name: string): unknown[] {
  const reader = new McapStreamReader({ validateCrcs: true, includeChunks: false });
  reader.append(readFileSync(file(name)));
  const topics = new Map<number, string>();
  const messages: unknown[] = [];
  const others: unknown[] = [];
  for (let record = reader.nextRecord(); record; record = reader.nextRecord()) {
    if (record.type === 'Channel')
      topics.set(record.id, JSON.stringify([record.topic, [...record.metadata]]));
    else if (record.type === 'Message')
      messages.push([topics.get(record.channelId), record.sequence, record.logTime, crc32(record.data)]);
    else if (record.type === 'Attachment')
      others.push([record.name, record.mediaType, record.logTime, crc32(record.data)]);
    else if (record.type === 'Metadata') others.push([record.name, [...record.metadata]]);
  }
  return [...messages, ...others];
}

async function chunksOf(name: string): Promise<LinkChunk[]> {
  const trace = await openTrace(path.join(ROOT, 'test/traces/recorded', name));
  const chunks = [...trace.chunks()].map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
  trace.close();
  return chunks;
}

describe.runIf(isBuilt)('a recording that a thread writes', () => {
  // The first recording is written when it is closed, before a thread has started. The other one is longer
  // than the ring.
  it.each([['overload.mcap', 1]])(
    'has the same content as one of the same thread: %s, %i times',
    expectSameContent,
  );
  it.each([['lost-blocks.mcap', 6]])(
    'has the same content as one of the same thread: %s, %i times',
    { tags: 'long' },
    expectSameContent,
  );

  async function expectSameContent(name: string, times: number): Promise<void> {
    const chunks = await chunksOf(name);
    await record(chunks, times, `here-${name}`, false);
    await record(chunks, times, `thread-${name}`, times > 1 ? SMALL : true);
    const [here, there] = [contentOf(`here-${name}`), contentOf(`thread-${name}`)];
    expect(here.length).toBeGreaterThan(chunks.length * times);
    expect(there.length).toBe(here.length);
    const differs = (what: unknown, i: number) =>
      JSON.stringify(what, text) !== JSON.stringify(here[i], text);
    expect(there.findIndex(differs)).toBe(-1);
    expect((await examineTrace(file(`thread-${name}`))).lost).toEqual([]);
  }

  const connecting = `
    import { statSync, writeSync } from 'node:fs';
    const { connect } = await import(${JSON.stringify(new URL('../../../dist/src/index.js', import.meta.url).href)});
    const say = (event, facts) => writeSync(1, JSON.stringify({ event, ...facts }) + '\\n');
    let warned = false;
    const onWarning = ({ message }) => {
      warned = true;
      say('warning', { message });
    };
    const url = (file) => new URL(file, ${JSON.stringify(new URL('../../../dist/src/', import.meta.url).href)});
    const { Recorder } = await import(url('traces/recorder.js'));
    const { Device } = await import(url('driver/device.js'));
    const { openPort } = await import(url('connect.js'));
    /** The same as connect({ record }), but the thread is waited for, however busy the machine is. */
    const connectPatiently = async () => {
      const recorder = new Recorder({ file: process.argv[1] }, { inThread: { startWaitMs: 60_000 } });
      return Device.open(recorder.tap(await openPort('emulator:ideal-64')));
    };
    const device = process.argv[2] === 'patient'
      ? await connectPatiently()
      : await connect('emulator:ideal-64', { record: { file: process.argv[1], onWarning } });
    const compute = (ms) => { for (const untilMs = performance.now() + ms; performance.now() < untilMs; ); };
    const pings = async (ms) => { for (const untilMs = performance.now() + ms; performance.now() < untilMs; ) await device.ping(); };`;
  const nodeArgs = (script: string, name: string): string[] => [
    '--input-type=module',
    '-e',
    connecting + script,
    file(name),
  ];

  it('is whole when the process exits without closing it', () =>
    expectWhole('a short session', 'process.exit(3)'));

  it('is whole after an exception', { tags: 'long' }, () =>
    expectWhole(
      'an exception',
      "await pings(600); process.on('exit', () => (process.exitCode = 3)); throw new Error('x')",
    ),
  );

  it('is whole after a longer session that it did not close', { tags: 'long' }, () =>
    expectWhole('a longer session', 'await pings(600); process.exit(3)'),
  );

  async function expectWhole(what: string, script: string): Promise<void> {
    const name = `${what}.mcap`;
    const { status } = spawnSync(process.execPath, nodeArgs(script, name), { encoding: 'utf8' });
    expect(status).toBe(3);
    const { lost, messages } = await examineTrace(file(name));
    expect(lost).toEqual([]);
    expect(messages).toBeGreaterThanOrEqual(2);
  }

  it('is written while the program computes without a pause', { tags: 'long' }, async () => {
    const script = `
      while (statSync(process.argv[1]).size < 20_000) await pings(10);
      say('last'); compute(2000); say('computed'); compute(60_000);`;
    const child = new JsonProcess([...nodeArgs(script, 'computing.mcap'), 'patient']);
    await child.next('last');
    await child.next('computed');
    await child.end('SIGKILL');
    const trace = await openTrace(file('computing.mcap'));
    const messages = [...trace.messages()];
    trace.close();
    // All requests were answered: nothing is missing at the end.
    expect(messages.at(-1)).toMatchObject({ name: 'ping', kind: 'answer' });
    expect(messages.filter(({ name, kind }) => name === 'ping' && kind === 'command').length).toBe(
      messages.filter(({ name, kind }) => name === 'ping' && kind === 'answer').length,
    );
  });

  it('is written by the program itself if it may not start a thread', { tags: 'long' }, async () => {
    const args = ['--experimental-permission', '--allow-fs-read=*', '--allow-fs-write=*'];
    const script = "await pings(600); await device.close(); say('closed')";
    const { stdout } = spawnSync(process.execPath, [...args, ...nodeArgs(script, 'alone.mcap')], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('{"event":"closed"}\n');
    expect((await examineTrace(file('alone.mcap'))).lost).toEqual([]);
  });

  it('ends with a warning when its disk is full, and the experiment continues', {
    tags: 'long',
  }, async () => {
    const script = `
      while (!warned) await pings(10);
      await pings(10); await device.close(); say('closed');`;
    // A limit on the file size of the process stands for the size of a disk.
    const { stdout } = spawnSync(
      'sh',
      [
        '-c',
        'trap "" XFSZ; ulimit -f 256; exec "$@"',
        'sh',
        process.execPath,
        ...nodeArgs(script, 'full.mcap'),
      ],
      { encoding: 'utf8' },
    );
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toEqual([
      { event: 'warning', message: expect.stringMatching(/full.mcap ends here: .*EFBIG/) },
      { event: 'closed' },
    ]);
    expect((await examineTrace(file('full.mcap'))).lost).toEqual(['the recording was not closed']);
  });
});

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
