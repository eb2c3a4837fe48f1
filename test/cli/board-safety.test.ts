import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { ROOT } from '../repository/files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const hasPty = process.platform === 'linux' || process.platform === 'darwin';
const WATCHDOG_MS = 700;

/** A host that starts an endless run, prints a line, does the action of its last argument, and stays. */
const HOST = `
const { connect, stopBoardsOnExit } = await import(${JSON.stringify(path.join(ROOT, 'dist/src/index.js'))});
const [uri, act] = process.argv.slice(1);
stopBoardsOnExit({ report: () => undefined });
const device = await connect(uri);
const cells = 8, zeros = () => new Int16Array(cells);
const couplings = new Int16Array(cells * cells);
for (let i = 0; i < cells; i++) couplings[i * cells + i] = 32767;
await device.loadProgram(0, { mode: 0, cells, rows: cells, couplingBits: 16, rowAttenuation: 0, couplings,
  drive: zeros(), initialState: zeros(), damping: 0, noiseAmplitude: 0, noiseShift: 8 });
const { runId } = await device.run({ bank: 0, runSeed: 1, burnInTicks: 2 ** 50, sampleCount: 0, ticksPerSample: 0,
  watchdogMs: act === 'block' ? undefined : ${WATCHDOG_MS} });
const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }));
say('running', { runId });
if (act === 'throw') setTimeout(() => { throw new Error('a mistake in the host'); }, 50);
if (act === 'reject') setTimeout(() => void Promise.reject(new Error('a mistake in the host')), 50);
if (act === 'block') setTimeout(async () => {
  for (const untilMs = performance.now() + 600; performance.now() < untilMs; );
  const { state } = await device.readStatus();
  const { watchdogTrips } = await device.readCounters();
  say('blocked', { state, watchdogTrips });
}, 50);
setInterval(() => undefined, 1000);
`;

const host = (uri: string, act: string) => new JsonProcess(['--input-type=module', '-e', HOST, uri, act]);

/** How often the watchdog has stopped the board so far, as the board tells the next host. */
async function watchdogTrips(uri: string): Promise<number> {
  const device = await connect(uri, { reconnect: false });
  const counters = await device.readCounters();
  await device.close();
  return counters.watchdogTrips;
}

const LONG = { tags: 'long' } as const;
/**
 * The quick tests end the host by one signal and by a kill, on one kind of line. The long tests have every
 * kind of end on both kinds of line.
 */
const quickOnOne = (kind: string) => (kind === 'pty' || !hasPty ? {} : LONG);

describe.runIf(isBuilt).each(hasPty ? ['tcp', 'pty'] : ['tcp'])('a board on %s', (kind) => {
  let server: JsonProcess;
  let endServer = (): void => undefined;
  let uri: string;
  /** Number of watchdog trips before the test. All tests use the same board, one after the other. */
  let tripsBefore = 0;

  beforeAll(async () => {
    const args = kind === 'tcp' ? [] : ['--pty', path.join(directory, 'board')];
    server = new JsonProcess([BUILT_CLI, 'emulate', '--json', '--profile', 'ideal-8', ...args], (end) => {
      endServer = end;
    });
    ({
      uris: [uri],
    } = await server.next<{ uris: string[] }>('listening'));
  });

  afterAll(() => endServer());

  const start = async (act: string): Promise<{ client: JsonProcess; runId: number }> => {
    tripsBefore = await watchdogTrips(uri);
    const client = host(uri, act);
    const { runId } = await client.next<{ runId: number }>('running');
    return { client, runId };
  };
  const tripsSince = async (): Promise<number> => (await watchdogTrips(uri)) - tripsBefore;

  const expectStopped = async (act: string): Promise<void> => {
    const { client } = await start(act);
    expect(await client.ended()).toBe(1);
    expect(await tripsSince()).toBe(0);
  };

  it('is stopped before its host dies of an exception that nobody catches', LONG, () =>
    expectStopped('throw'),
  );

  it('is stopped before its host dies of a rejection that nobody handles', LONG, () =>
    expectStopped('reject'),
  );

  const expectStoppedBy = async (signal: NodeJS.Signals, exitCode: number): Promise<void> => {
    const { client } = await start('stay');
    expect(await client.end(signal)).toBe(exitCode);
    expect(await tripsSince()).toBe(0);
  };

  it('is stopped when its host gets SIGTERM', LONG, () => expectStoppedBy('SIGTERM', 143));

  it('is stopped when its host gets SIGINT', quickOnOne(kind), () => expectStoppedBy('SIGINT', 130));

  it('is safe within the watchdog time after its host is killed', quickOnOne(kind), async () => {
    const { client, runId } = await start('stay');
    const startMs = performance.now();
    await client.end('SIGKILL');
    const [event, name] =
      kind === 'tcp' ? (['left', 'stoppedRunId'] as const) : (['watchdog', 'runId'] as const);
    // The output also has this event for earlier hosts.
    let said: Record<string, unknown>;
    do said = await server.next(event);
    while (said[name] !== runId);
    expect(said['state']).toBe('safe');
    // Half a second for the process to die and the event to be printed, on a busy machine.
    expect(performance.now() - startMs).toBeLessThan(WATCHDOG_MS + 1500);
    expect(await tripsSince()).toBe(kind === 'tcp' ? 0 : 1);
  });

  it('continues its run while a host computes for half a second', LONG, async () => {
    const { client } = await start('block');
    expect(await client.next('blocked')).toMatchObject({ state: 'running', watchdogTrips: tripsBefore });
    await client.end('SIGTERM');
  });
});
