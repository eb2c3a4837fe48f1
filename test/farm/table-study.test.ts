import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TABLE_STUDIES } from '../../src/cli/commands/study/results-page.js';
import { runTable } from '../../src/cli/commands/study/table/run-table.js';
import { queueTable, runTableInFarm } from '../../src/cli/commands/study/table/table-farm.js';
import { runJob, runRequest } from '../../src/cli/commands/study/table/table-job.js';
import type { Measured, TableStudy } from '../../src/cli/commands/study/table/table-study.js';
import { VERSION } from '../../src/cli/version.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import { ThermolinkError } from '../../src/errors.js';
import {
  boardKey,
  connectFarm,
  type Farm,
  FarmClient,
  type JobKind,
  noJobs,
  workOnBoard,
} from '../../src/farm/index.js';
import { thrown } from '../cli/support/thrown.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { hasNats, NatsServer, serverOfFile } from './nats-server.js';

const BOARD = 'emulator:ideal-crossbar';
const RELEASE = 'test';
const never = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), 'thermolink-farm-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const serverFor = serverOfFile();
let counter = 0;
let out = '';
beforeEach(() => {
  out = join(root, String(counter++));
  mkdirSync(out);
});

let measured = 0;
/** A study with a search on seed 0, and with products seed · size. The product of 2 and 6 is too large. */
function products(changes: Partial<TableStudy> = {}): TableStudy {
  return {
    ...{ name: 'products', title: 'Products', about: [], settingsFrom: 'None.', modelled: 'Nothing.' },
    ...{ charts: () => [], claims: () => [], device: BOARD },
    parts: ['search', 'reported'].map((name) => ({ name, title: name, columns: [] })),
    runs: ({ seeds }) => [
      ...[2, 5].map((size) => ({ part: 'search', settings: { size }, seed: 0 })),
      ...seeds.flatMap((seed) => [2, 6].map((size) => ({ part: 'reported', settings: { size }, seed }))),
    ],
    sharing: {
      first: 'search',
      needs: () => ({ cells: 8, rows: 8 }),
      settingsOf: ({ settings }, _, quick) => ({ ...settings, quick, clip: Infinity }),
    },
    measure: async ({ part, settings, seed }, lab): Promise<Measured> => {
      measured++;
      const { cells } = (await lab.board()).identity;
      if (settings['size'] === 7) throw new ThermolinkError('BAD_DATASET', 'no digits');
      if (part === 'search') return { figures: { cells, found: Number(settings['size']) } };
      if (seed === 2 && settings['size'] === 6) throw new ThermolinkError('OVERLOAD', 'too large');
      const found = lab.done.map(({ figures }) => figures['found']);
      return { figures: { product: seed * Number(settings['size']), best: Math.max(...found), cells } };
    },
    ...changes,
  };
}

/** A study of three searches for each seed. */
const searches = (name: string, sizes: readonly number[]): TableStudy =>
  products({
    name,
    runs: ({ seeds }) =>
      seeds.flatMap((seed) => sizes.map((size) => ({ part: 'search', settings: { size }, seed }))),
  });
const FAILING = searches('failing', [7, 20, 30]);
const GOOD = searches('good', [2, 20, 30]);

let stopClient = (): void => undefined;
/** A study for each part: in the first run of this part the client is stopped. */
const STOPPED = ['search', 'reported'].map((part) =>
  products({
    name: `in the part ${part}`,
    measure: (run, lab, scale) => {
      if (run.part === part) stopClient();
      return products().measure(run, lab, scale);
    },
  }),
);

const requestOf = (study: TableStudy, seeds: readonly number[] = [1, 2]) => ({
  ...{ study, scale: { quick: true, seeds }, out, quiet: true },
});
const claim = () => ({ begin: () => undefined });
const storedRuns = (): string => readFileSync(join(out, 'runs.json'), 'utf8');

describe.runIf(hasNats)('a study of tables in a farm', () => {
  let url = '';
  let farm: Farm;
  let device: Device;
  const end = new AbortController();
  let working: Promise<void>;

  beforeAll(async () => {
    url = (await serverFor()).url;
    farm = await connectFarm({ url });
    device = await connect(BOARD);
    working = workOnBoard(
      {
        ...{ farm, device, uri: BOARD, worker: 'worker', release: RELEASE, calibratedAt: null },
        key: boardKey(BOARD, device.identity, 'worker', 0),
        ...{
          kinds: [runJob([products(), FAILING, GOOD, ...STOPPED]) as JobKind],
          counters: noJobs(),
          tell: () => undefined,
        },
      },
      end.signal,
    );
  });
  afterAll(async () => {
    end.abort();
    await working;
    await device?.close();
    await farm?.close();
  });

  const inFarm = (study = products(), seeds?: readonly number[]) =>
    runTableInFarm(requestOf(study, seeds), { url }, RELEASE, never, claim);

  it('stores the same files as on this machine, does each run once, and uses existing results', async () => {
    const near = await runTable({ ...requestOf(products()), uris: [BOARD] }, never);
    const expected = storedRuns();
    expect(near.at(-1)).toMatchObject({ failure: { code: 'OVERLOAD' } });
    out = `${out} far`;
    mkdirSync(out);
    measured = 0;
    const queued = await queueTable(requestOf(products()), { url }, RELEASE, never);
    expect(queued.jobs.map(({ run }) => run)).toEqual(['search: size 2, seed 0', 'search: size 5, seed 0']);
    const far = await inFarm();
    expect(far.runs).toEqual(near);
    expect(far.board).toBe(BOARD);
    expect(storedRuns()).toBe(expected);
    expect(measured).toBe(6);
    rmSync(join(out, 'runs.json'));
    expect((await inFarm()).runs).toEqual(near);
    expect(measured).toBe(6);
  });

  it.each(STOPPED)('goes on where its client was stopped: $name', async (study) => {
    await runTable({ ...requestOf(products()), uris: [BOARD] }, never);
    const expected = storedRuns();
    out = `${out} far`;
    mkdirSync(out);
    const client = new AbortController();
    stopClient = () => client.abort();
    measured = 0;
    const stopped = await thrown(() =>
      runTableInFarm(requestOf(study), { url }, RELEASE, client.signal, claim),
    );
    expect(stopped.code).toBe('ABORTED');
    expect(existsSync(join(out, 'runs.json')) ? storedRuns() : '').not.toBe(expected);
    await inFarm(study);
    expect(storedRuns()).toBe(expected);
    expect(measured).toBe(6);
  });

  it('has jobs that do not depend on times, and that differ if the settings differ', () => {
    const study = products();
    const [first, , third] = study.runs({ quick: true, seeds: [1] });
    const done = { ...first, figures: { found: 2 } };
    const requestAt = (changes: object, quick = true) =>
      runRequest(study, quick, third, [{ ...done, ...changes }]);
    expect(requestAt({ timing: { hostSeconds: 3 } })).toEqual(requestAt({ timing: { hostSeconds: 4 } }));
    expect(requestAt({ figures: { found: 3 } })).not.toEqual(requestAt({}));
    expect(requestAt({}, false)).not.toEqual(requestAt({}));
  });

  it('ends with the code of the worker’s error if the worker understands the study differently', async () => {
    const sharing = { ...products().sharing!, settingsOf: () => ({ epochs: 2 }) };
    const error = await thrown(() => inFarm(products({ sharing })));
    expect([error.code, error.message]).toEqual(['BAD_ARGUMENT', expect.stringContaining('something else')]);
    expect(existsSync(join(out, 'runs.json'))).toBe(false);
  });

  it('ends with the error of a failed run, and leaves nothing in the queue', async () => {
    const client = new FarmClient(farm, RELEASE);
    for (const seed of [1, 2, 3]) {
      const error = await thrown(() => inFarm(FAILING, [seed]));
      expect(error.code).toBe('BAD_DATASET');
      expect((await client.status()).queue.filter(({ jobs }) => jobs > 0)).toEqual([]);
      // The board takes the next jobs.
      expect((await inFarm(GOOD, [seed])).runs).toHaveLength(3);
      rmSync(join(out, 'runs.json'));
    }
  });

  it('refuses boards that are too small before a run is queued', async () => {
    const sharing = { ...products().sharing!, needs: () => ({ cells: 1e6, rows: 1 }) };
    expect((await thrown(() => inFarm(products({ sharing })))).code).toBe('UNSUPPORTED');
  });
});

describe('a study that takes one board', () => {
  const alone = TABLE_STUDIES.filter(({ sharing }) => sharing === undefined);

  it.each(alone.map(({ name }) => name))('%s is refused with the reason, without a server', async (name) => {
    const nowhere = 'nats://127.0.0.1:9';
    for (const args of [
      ['study', name, '--farm', nowhere, '--out', out],
      ['farm', 'submit', 'study', name, '--nats', nowhere, '--out', out],
    ]) {
      const { exitCode, stderr } = await runCommand(...args);
      expect(exitCode, stderr).toBe(2);
      expect(stderr).toContain(`A farm does not do the study ${name}. Its runs `);
    }
  });
});

const TIMEOUT_MS = 300_000;
const INTERRUPTED = 130;

describe.runIf(isBuilt && hasNats)('thermolink study noise --farm', { tags: 'long' }, () => {
  it('stores the files of this machine although client and worker are stopped', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const [near, far] = [join(out, 'near'), join(out, 'far')];
    const study = (to: string, ...more: string[]): JsonProcess => {
      const args = ['study', 'noise', '--quick', '--seeds', '1', '--out', to, '--json', ...more];
      return new JsonProcess([BUILT_CLI, ...args]);
    };
    expect(await study(near).ended()).toBe(0);
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const args = ['farm', 'worker', '--nats', server.url, '--device', BOARD, '--json'];
    const offered = async (): Promise<JsonProcess> => {
      const worker = new JsonProcess([BUILT_CLI, ...args]);
      await worker.next('offered', TIMEOUT_MS);
      return worker;
    };
    const first = await offered();
    const interrupted = study(far, '--farm', server.url);
    await first.next('ended', TIMEOUT_MS);
    expect(await interrupted.end('SIGINT')).toBe(INTERRUPTED);
    expect(await first.end('SIGINT')).toBe(0);
    const workers = [await offered(), await offered()];
    const resumed = (): JsonProcess => study(far, '--farm', server.url, '--resume');
    const killed = resumed();
    const { key } = await workers[0].next<{ key: string }>('began', TIMEOUT_MS);
    await killed.end('SIGKILL');
    await workers[0].end('SIGKILL');
    const last = resumed();
    expect(await last.ended(), last.stderr).toBe(0);
    const untimed = (file: string): unknown =>
      JSON.parse(readFileSync(file, 'utf8'), (name, value: unknown) =>
        name === 'timing' ? undefined : value,
      );
    for (const file of ['runs.json', 'results.json'])
      expect(untimed(join(far, file))).toEqual(untimed(join(near, file)));
    expect(readFileSync(join(far, 'noise.svg'), 'utf8')).toBe(readFileSync(join(near, 'noise.svg'), 'utf8'));
    expect(readdirSync(far).sort()).toEqual(readdirSync(near).sort());
    const farm = await connectFarm({ url: server.url });
    onTestFinished(() => farm.close());
    expect((await new FarmClient(farm, VERSION).result(key))?.deliveries).toBe(2);
  });
});
