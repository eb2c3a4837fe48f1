import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { solve } from '../../src/algorithms/solve/solve.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import { ThermolinkError } from '../../src/errors.js';
import { consumerName, jobSubject } from '../../src/farm/farm-names.js';
import { giveBack } from '../../src/farm/given-back.js';
import {
  type BoardWorkEvent,
  boardKey,
  connectFarm,
  type Farm,
  FarmClient,
  type JobCounters,
  type JobKind,
  type JobResult,
  jobValue,
  noJobs,
  SOLVE_JOB,
  type SolveJobValue,
  solveJobRequest,
  solveJobResult,
  workOnBoard,
} from '../../src/farm/index.js';
import { packJob, sha256Of } from '../../src/farm/messages.js';
import { matrix } from '../../src/linalg/matrix.js';
import { hasNats, type NatsServer, serverOfFile } from './nats-server.js';

const RELEASE = 'test';
const BOARD = 'emulator:ideal-8';
const MODEL = 'ideal-8';
const never = new AbortController().signal;
const serverFor = serverOfFile();

/** A kind of job whose text tells how the job ends. */
const ECHO: JobKind<{ readonly text: string }> = {
  name: 'echo',
  request: z.strictObject({ text: z.string() }),
  run: async (_, { text }, { signal }) => {
    if (text === 'board') throw new ThermolinkError('DEVICE_FAULT', 'the board is too hot');
    if (text === 'break') throw new Error('this kind of job is broken');
    if (text === 'wait') await new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    return { text };
  },
};

/** A worker of this process with one board. */
class Worker {
  readonly counters: JobCounters = noJobs();
  readonly events: BoardWorkEvent[] = [];
  /** Resolves when a job begins. */
  readonly began: Promise<void>;
  readonly #end = new AbortController();
  readonly #work: Promise<void>;

  constructor(farm: Farm, device: Device, name = 'worker', key?: string) {
    let begins = (): void => undefined;
    this.began = new Promise((resolve) => (begins = resolve));
    const tell = (event: BoardWorkEvent): void => {
      this.events.push(event);
      if (event.event === 'began') begins();
    };
    this.#work = workOnBoard(
      {
        ...{ farm, device, uri: BOARD, worker: name, release: RELEASE, calibratedAt: null },
        key: key ?? boardKey(BOARD, device.identity, name, 0),
        ...{ kinds: [SOLVE_JOB as JobKind, ECHO as JobKind], counters: this.counters, tell },
      },
      this.#end.signal,
    );
  }

  /** Rejects if the worker ended by itself. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.#work;
  }

  get ended(): Promise<void> {
    return this.#work;
  }
}

describe.runIf(hasNats)('a farm', () => {
  let server: NatsServer;
  let farm: Farm;
  let client: FarmClient;
  let device: Device;
  let worker: Worker;

  beforeAll(async () => {
    server = await serverFor();
    farm = await connectFarm({ url: server.url });
    client = new FarmClient(farm, RELEASE);
    device = await connect(BOARD);
    worker = new Worker(farm, device);
  });
  afterAll(async () => {
    await worker?.end();
    await device?.close();
    await farm?.close();
  });

  const echo = (text: string) => ({ kind: 'echo', model: MODEL, request: { text } });
  const done = async (text: string) => client.wait(await client.submit(echo(text)), { signal: never });

  it('solves with the bits of this machine', async () => {
    const a = matrix(2, 2, Float64Array.of(4, 1, 1, 3));
    const drive = Float64Array.of(1, 2);
    const request = await solveJobRequest(client.parts, { matrix: a, drive, tolerance: 1e-3, seed: 7 });
    const job = await client.submit({ kind: 'solve', model: MODEL, request });
    const { outcome, board } = await client.wait(job, { signal: never });
    expect(board).toEqual({ uri: BOARD, model: MODEL, serialNumber: device.identity.serialNumber });
    expect(outcome.is).toBe('done');
    const far = await solveJobResult(client.parts, outcome.is === 'done' ? outcome.value : undefined);
    const other = await connect(BOARD, { ownThread: true });
    const near = await solve(other, {
      ...{ system: { kind: 'dense', matrix: a }, drive, tolerance: 1e-3 },
      address: { seed: 7, step: 0, block: 0 },
    });
    await other.close();
    expect(far.x).toEqual(near.x);
    expect(far.standardError).toEqual(near.standardError);
    expect(far.cost.ticks).toBe(near.cost.ticks);
  });

  it('does equal jobs once, and gives the result to later clients', async () => {
    const before = worker.counters.done;
    const [one, two] = await Promise.all([done('once'), done('once')]);
    expect(await done('once')).toEqual(one);
    expect(two).toEqual(one);
    expect(one.outcome).toEqual({ is: 'done', value: { text: 'once' } });
    expect(worker.counters.done).toBe(before + 1);
  });

  it('does not do a job again if its result is known', async () => {
    const job = { ...echo('twice'), release: RELEASE };
    const { key, text } = packJob(job);
    const subject = jobSubject(job, key);
    await done('twice');
    // A late client puts the job into the queue again.
    const { known, done: before } = worker.counters;
    await farm.jetstream.publish(subject, text);
    await done('after');
    expect(worker.counters.known).toBe(known + 1);
    expect(worker.counters.done).toBe(before + 1);
  });

  it('counts messages that are no jobs, stores why, and goes on', async () => {
    const put = async (text: string, key = sha256Of(text)) => {
      await farm.jetstream.publish(jobSubject({ model: MODEL, release: RELEASE }, key), text);
      return key;
    };
    const before = worker.counters.malformed;
    const packed = (changes: object): string => packJob({ ...echo('x'), release: RELEASE, ...changes }).text;
    const keys = [
      await put('rubbish'),
      await put(''),
      await put('{"version":1}'),
      await put(packed({ kind: 'unknown' })),
      await put(packed({ request: { text: 3 } })),
      await put(packed({ request: null })),
      await put(packed({}), sha256Of('another')),
      await put('x'.repeat(200_000)),
    ];
    await put('no key at all', 'nokey');
    await done('after rubbish');
    expect(worker.counters.malformed).toBe(before + keys.length + 1);
    for (const key of keys)
      expect((await client.result(key))?.outcome).toMatchObject({ is: 'failed', code: 'BAD_ARGUMENT' });
  });

  it('treats an error of the job as its result', async () => {
    const { outcome } = await done('break');
    expect(outcome).toEqual({ is: 'failed', code: 'BUG', message: 'this kind of job is broken' });
    expect((await done('after break')).outcome.is).toBe('done');
  });

  it('stores bytes of any length by their digest, and refuses missing, damaged or too long ones', async () => {
    const bytes = Uint8Array.from({ length: 1_200_000 }, (_, i) => (i * i) >> 3);
    const stored = await client.parts.put(bytes);
    expect(stored).toEqual({ bytes: bytes.length, sha256: sha256Of(bytes) });
    expect(sha256Of(await client.parts.get(stored))).toBe(stored.sha256);
    expect(await client.parts.get(await client.parts.put(new Uint8Array(0)))).toEqual(new Uint8Array(0));
    const refused = expect.objectContaining({ code: 'BAD_FILE' });
    await expect(client.parts.get({ ...stored, sha256: sha256Of('gone') })).rejects.toEqual(refused);
    await expect(client.parts.get({ ...stored, bytes: stored.bytes - 1 })).rejects.toEqual(refused);
    await farm.parts.put(`${stored.sha256}.1`, bytes.slice(0, 512 * 1024).fill(7));
    await expect(client.parts.get(stored)).rejects.toEqual(refused);
    const long = new Uint8Array(64 * 1024 * 1024 + 1);
    await expect(client.parts.put(long)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    const request = { text: 'x'.repeat(300_000) };
    await expect(client.submit({ kind: 'echo', model: MODEL, request })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });

  it('shows boards and the queue; a job for absent boards waits until it is withdrawn', async () => {
    const job = await client.submit({ ...echo('elsewhere'), model: 'other board' });
    const status = await client.status();
    expect(status.boards).toMatchObject([{ uri: BOARD, release: RELEASE, identity: device.identity }]);
    expect(status.queue).toEqual([{ boards: 'test/other board', jobs: 1, isOffered: false }]);
    await client.withdraw([job]);
    expect((await client.status()).queue).toEqual([]);
  });

  it('offers a board once', async () => {
    const key = boardKey(BOARD, device.identity, 'worker', 0);
    const second = new Worker(farm, device, 'another', key);
    await expect(second.ended).rejects.toMatchObject({ code: 'BUSY' });
  });

  const withModel = (model: string): Device =>
    new Proxy(device, {
      get: (target, name) =>
        name === 'identity' ? { ...target.identity, model } : Reflect.get(target, name, target),
    });
  const consumerOf = async (model: string) => {
    await farm.offerClass({ model, release: RELEASE }, never);
    return farm.jetstream.consumers.get('THERMOLINK_JOBS', consumerName({ model, release: RELEASE }));
  };

  it('tries a job again any number of times if workers give it back at their end', async () => {
    const consumer = await consumerOf('polite');
    const job = await client.submit({ ...echo('polite'), model: 'polite' });
    for (let i = 0; i < 7; i++) await giveBack(farm, (await consumer.next({ expires: 5000 }))!);
    const last = new Worker(farm, withModel('polite'), 'polite');
    const { outcome, deliveries } = await client.wait(job, { signal: never });
    await last.end();
    expect(outcome.is).toBe('done');
    expect(deliveries).toBe(8);
  });

  it('reports that a worker ended during a job, and another worker begins the job', async () => {
    const model = 'leaving';
    const leaving = new Worker(farm, withModel(model), 'leaving');
    const job = await client.submit({ ...echo('wait'), model });
    await leaving.began;
    await leaving.end();
    expect(leaving.counters).toEqual({ ...noJobs(), returned: 1 });
    expect(leaving.events).toMatchObject([
      { event: 'offered', uri: BOARD, model },
      { event: 'began', key: job.key },
      { event: 'ended', key: job.key, how: 'returned' },
    ]);
    const next = new Worker(farm, withModel(model), 'next');
    await next.began;
    await client.withdraw([job]);
    await next.end();
  });

  it('reports the last error of a board when it gives a job up', async () => {
    const consumer = await consumerOf('hot');
    const job = await client.submit({ ...echo('board'), model: 'hot' });
    for (let i = 0; i < 4; i++) (await consumer.next({ expires: 5000 }))!.nak();
    const hot = new Worker(farm, withModel('hot'), 'hot');
    await expect(hot.ended).rejects.toMatchObject({ code: 'DEVICE_FAULT' });
    const last = new Worker(farm, withModel('hot'), 'last hot');
    const { outcome } = await client.wait(job, { signal: never });
    await last.end();
    expect(outcome).toMatchObject({
      code: 'JOB_ABANDONED',
      message: expect.stringContaining('DEVICE_FAULT: the board is too hot'),
    });
  });

  it('does a job again if parts of its result are lost', async () => {
    const request = await solveJobRequest(client.parts, {
      ...{ matrix: matrix(1, 1, Float64Array.of(2)), drive: Float64Array.of(1), tolerance: 1e-2, seed: 3 },
    });
    const job = await client.submit({ kind: 'solve', model: MODEL, request });
    const read = (result: JobResult) => solveJobResult(client.parts, jobValue(result));
    const first = await client.collect(job, read, { signal: never });
    const { solution } = jobValue((await client.result(job.key))!) as SolveJobValue;
    await farm.parts.delete(`${solution.sha256}.0`);
    const before = worker.counters.done;
    expect((await client.collect(job, read, { signal: never })).x).toEqual(first.x);
    expect(worker.counters.done).toBe(before + 1);
  });

  it('gives a job up after five workers have ended during it, and reports this', async () => {
    const model = 'unlucky';
    await farm.offerClass({ model, release: RELEASE }, never);
    const job = await client.submit({ ...echo('poison'), model });
    const consumer = await farm.jetstream.consumers.get(
      'THERMOLINK_JOBS',
      consumerName({ model, release: RELEASE }),
    );
    for (let i = 0; i < 5; i++) (await consumer.next({ expires: 5000 }))!.nak();
    const unlucky = new Proxy(device, {
      get: (target, name) =>
        name === 'identity' ? { ...target.identity, model } : Reflect.get(target, name, target),
    });
    const last = new Worker(farm, unlucky, 'last');
    const { outcome, deliveries } = await client.wait(job, { signal: never });
    await last.end();
    expect(outcome).toMatchObject({ is: 'failed', code: 'JOB_ABANDONED' });
    expect(deliveries).toBe(6);
    expect(last.counters).toMatchObject({ abandoned: 1, failed: 1, done: 1 });
    // The job is tried anew when somebody submits it again.
    await client.submit({ ...echo('poison'), model });
    expect(await client.result(job.key)).toBeUndefined();
    await client.withdraw([job]);
  });
});

it('an address without a server ends in CANNOT_CONNECT', async () => {
  await expect(connectFarm({ url: 'nats://127.0.0.1:9' })).rejects.toMatchObject({ code: 'CANNOT_CONNECT' });
});
