import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/version.js';
import { connectFarm, FarmClient, SOLVE_JOB, solveJobRequest } from '../../src/farm/index.js';
import { matrix } from '../../src/linalg/matrix.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { DelayProxy } from './delay-proxy.js';
import { makeNamespaces, type ProcessPlace } from './namespaces.js';
import { hasNats, NatsServer } from './nats-server.js';
import { PacedDevice } from './paced-device.js';

const WORKERS = 4;
/** The delay of each direction between a worker and the server. */
const DELAY_MS = 20;
const TIMEOUT_MS = 600_000;

const root = mkdtempSync(join(tmpdir(), 'thermolink-farm-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** Returns a copy of the data without the fields `timing`, because they depend on the clock. */
function untimed(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data, (name, value: unknown) => (name === 'timing' ? undefined : value)));
}

/**
 * Reads the files of a study, without measured times. Three files are left out. The report shows measured
 * times, the checkpoints hold sums of them, and the mark names the boards.
 */
function filesOf(directory: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const content = (): Buffer => readFileSync(join(directory, file));
    if (/\.(safetensors|npz|svg)$/.test(file)) found[file] = content().toString('base64');
    else if (/(results|summary)\.json$/.test(file)) found[file] = untimed(JSON.parse(content().toString()));
    else if (file.endsWith('.jsonl'))
      found[file] = content()
        .toString()
        .split('\n')
        .map((line) => (line === '' ? line : untimed(JSON.parse(line))));
  }
  return found;
}

/** Starts a worker in its own process. A proxy delays its connection to the server. */
async function startWorker(server: NatsServer, { host, wrapper }: ProcessPlace, device: string) {
  const proxy = await DelayProxy.open(host, server.port, DELAY_MS);
  releases.push(() => proxy.close());
  const args = ['farm', 'worker', '--nats', proxy.url, '--device', device, '--json'];
  const worker = new JsonProcess([BUILT_CLI, ...args], (end) => releases.push(end), wrapper);
  return worker;
}

async function startServer(): Promise<NatsServer> {
  const server = await NatsServer.start();
  releases.push(() => server.remove());
  return server;
}

/** Returns how often the server gave each job to a worker. */
async function deliveriesOf(server: NatsServer): Promise<number[]> {
  const farm = await connectFarm({ url: server.url });
  try {
    const client = new FarmClient(farm, VERSION);
    const deliveries: number[] = [];
    for await (const key of await farm.results.keys())
      deliveries.push((await client.result(key))!.deliveries);
    return deliveries;
  } finally {
    await farm.close();
  }
}

/** Starts `thermolink study` in its own process. */
function startStudy(out: string, ...more: string[]): JsonProcess {
  const args = ['study', 'quantum', '--quick', '--seeds', '2', '--out', out, ...more];
  // With --json, the study prints its results as one line of JSON. That line has no field `event`.
  return new JsonProcess([BUILT_CLI, ...args, '--json'], (end) => releases.push(end));
}

describe.runIf(isBuilt && hasNats)('a farm of four workers, 20 ms away', { tags: 'long' }, () => {
  it('gives the same bits of a study although client, worker and server are killed', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const [near, far] = [join(root, 'near'), join(root, 'far')];
    expect(await startStudy(near).ended()).toBe(0);
    const namespaces = makeNamespaces(WORKERS);
    releases.push(namespaces.remove);
    const where = namespaces.isSeparate ? 'network namespaces of their own' : 'this network namespace';
    console.log(`workers are in ${where}; a proxy delays every byte by ${DELAY_MS} ms each way`);
    const server = await startServer();
    const workers = await Promise.all(
      namespaces.places.map((place) => startWorker(server, place, 'emulator:ideal-crossbar')),
    );
    await Promise.all(workers.map((worker) => worker.next('offered', TIMEOUT_MS)));
    const first = startStudy(far, '--farm', server.url);
    await Promise.all(workers.map((worker) => worker.next('began', TIMEOUT_MS)));
    // All boards work: now the client, a worker and the server are killed, one after another.
    await first.end('SIGKILL');
    await workers[0].end('SIGKILL');
    const second = startStudy(far, '--farm', server.url, '--resume');
    await workers[1].next('ended', TIMEOUT_MS);
    await server.kill();
    await second.said('is away', TIMEOUT_MS);
    await server.start();
    expect(await second.ended(), second.stderr).toBe(0);
    const expected = filesOf(near);
    expect(Object.keys(expected).length).toBeGreaterThan(12 * 4);
    expect(filesOf(far)).toEqual(expected);
    expect(await deliveriesOf(server), 'no job was given out again').toContain(2);
  });

  /** Returns the seconds that a farm takes for `jobs` solves. Each board has a worker of its own. */
  async function secondsFor(devices: readonly string[], jobs: number, size: number): Promise<number> {
    const server = await startServer();
    const here: ProcessPlace = { host: '127.0.0.1', wrapper: [] };
    const workers = await Promise.all(devices.map((device) => startWorker(server, here, device)));
    await Promise.all(workers.map((worker) => worker.next('offered', TIMEOUT_MS)));
    const farm = await connectFarm({ url: server.url });
    try {
      const client = new FarmClient(farm, VERSION);
      const { signal } = new AbortController();
      while ((await client.boards()).length < devices.length) await new Promise(setImmediate);
      const [{ identity }] = await client.boards();
      const a = matrix(size, size);
      for (let i = 0; i < size; i++) a.data[i * size + i] = 1 + (i % 7) / 7;
      const drive = Float64Array.from({ length: size }, (_, i) => Math.sin(1 + i));
      const startMs = performance.now();
      const submitted = await Promise.all(
        Array.from({ length: jobs }, async (_, seed) => {
          const request = await solveJobRequest(client.parts, { matrix: a, drive, tolerance: 1e-2, seed });
          return client.submit({ kind: SOLVE_JOB.name, model: identity.model, request });
        }),
      );
      const results = await Promise.all(submitted.map((job) => client.wait(job, { signal })));
      const seconds = (performance.now() - startMs) / 1000;
      expect(results.map(({ outcome }) => outcome.is)).toEqual(results.map(() => 'done'));
      return seconds;
    } finally {
      await farm.close();
      for (const release of releases.splice(0).reverse()) await release();
    }
  }

  it('four paced boards do the same jobs at least 3.5 times as fast as one board', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const paced = async (count: number): Promise<number> => {
      const uris: string[] = [];
      const close: (() => Promise<void>)[] = [];
      for (let i = 0; i < count; i++) {
        const board = new BoardServer(new PacedDevice('ideal-8', TICKS_PER_MS));
        const listener = await listenTcp(board, { host: '127.0.0.1', port: 0 });
        close.push(listener.close, () => board.close());
        uris.push(listener.uri);
      }
      const seconds = await secondsFor(uris, JOBS, 2);
      for (const end of close) await end();
      return seconds;
    };
    const [one, four] = [await paced(1), await paced(WORKERS)];
    console.log(
      `${JOBS} solves on boards of ${TICKS_PER_MS} ticks a ms: ${one.toFixed(1)} s by one, ${four.toFixed(1)} s by ${WORKERS}: × ${(one / four).toFixed(2)}`,
    );
    expect(one / four).toBeGreaterThanOrEqual(3.5);
  });

  it('emulators that share processors: the throughput is printed', { timeout: TIMEOUT_MS }, async () => {
    const emulated = (count: number) =>
      secondsFor(
        Array.from({ length: count }, () => 'emulator:ideal-256'),
        8,
        200,
      );
    const [one, four] = [await emulated(1), await emulated(WORKERS)];
    console.log(
      `8 solves of 200 unknowns by emulators: ${one.toFixed(1)} s by one, ${four.toFixed(1)} s by ${WORKERS}: × ${(one / four).toFixed(2)}`,
    );
    expect(four).toBeGreaterThan(0);
  });
});

const JOBS = 16;
/**
 * The boards are slow. A job therefore takes some seconds, and the work of the host is small in comparison.
 */
const TICKS_PER_MS = 0.02;
