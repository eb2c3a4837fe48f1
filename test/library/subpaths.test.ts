import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { isBuilt } from '../support/child-process.js';
import { loadedByEach, loadedModules } from '../support/loaded-modules.js';

const { exports } = JSON.parse(readRepositoryFile('package.json')) as {
  readonly exports: Readonly<Record<string, { readonly default: string; readonly types: string }>>;
};
const MESSAGES = '@msgpack/msgpack';
const SCHEMAS = 'zod';
/** This subpath needs a running vitest, so no other program loads it. */
const IN_TESTS = './testing';

/** The packages that the import of an entry loads. Every other dependency is loaded at its first use. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '.': [MESSAGES],
  './measure': [MESSAGES, SCHEMAS],
  './train': ['@jax-js/jax'],
  './board': [],
  './files': [],
  './transport': [],
  './lucidac': ['@bufbuild/protobuf'],
  './farm': ['@nats-io/jetstream', '@nats-io/kv', '@nats-io/transport-node', SCHEMAS],
  './hub': [MESSAGES, SCHEMAS],
  './serve': [MESSAGES],
  './traces': ['@foxglove/crc', '@mcap/core', MESSAGES, 'heap-js'],
  './web': [MESSAGES],
  './protocol': [MESSAGES],
  './emulator': [MESSAGES],
  './emulator/profiles': [SCHEMAS],
};

/** Packages and folders of `src` among loaded modules. */
function placesOf(modules: readonly string[]): {
  readonly packages: readonly string[];
  readonly rooms: readonly string[];
} {
  const found = (pattern: RegExp) =>
    [
      ...new Set(modules.map((module) => pattern.exec(module)?.[1]).filter((name) => name !== undefined)),
    ].sort();
  return {
    packages: found(/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    rooms: found(/^dist\/src\/(\w+)\//),
  };
}

describe.runIf(isBuilt)('a program loads only its imports', () => {
  const scriptOf = (entry: string) => path.posix.normalize(exports[entry].default);
  let loaded: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    loaded = loadedByEach(Object.keys(PACKAGES).map(scriptOf));
  });

  it('every entry is in this table', () => {
    expect(Object.keys(exports).sort()).toEqual([...Object.keys(PACKAGES), IN_TESTS].sort());
  });

  it('every entry is in the table of docs/reference/library.md, with the same packages', () => {
    const rows = readRepositoryFile('docs/reference/library.md').matchAll(
      /^\| `thermolink([^`]*)` \|[^|]*\| ([^|]*) \|$/gm,
    );
    const documented = Array.from(rows, ([, entry, packages]) => [
      `.${entry}`,
      [...packages.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    ]);
    const { [IN_TESTS]: loadedInTests, ...others } = Object.fromEntries(documented);
    expect(loadedInTests).toContain('vitest');
    expect(others).toEqual(PACKAGES);
  });

  it.each(Object.entries(PACKAGES))('%s', (entry, packages) => {
    expect(placesOf(loaded.get(scriptOf(entry))!).packages).toEqual(packages);
  });

  it('thermolink loads no measuring, no training, no command line, no file formats', () => {
    const { rooms } = placesOf(loaded.get(scriptOf('.'))!);
    expect(rooms).toEqual(expect.arrayContaining(['algorithms', 'board', 'driver']));
    for (const room of ['cli', 'files', 'learning', 'measure', 'plot']) expect(rooms).not.toContain(room);
  });

  it('thermolink/hub loads the client and the messages of a server, and nothing that shares boards', () => {
    const modules = loaded.get(scriptOf('./hub'))!.filter((module) => module.startsWith('dist/src/hub/'));
    const others = modules.filter((module) => !/^dist\/src\/hub\/(client\/[\w-]+|api)\.js$/.test(module));
    expect(modules.length).toBeGreaterThan(1);
    expect(others).toEqual([]);
  });

  it('docs/examples/serve.ts reads the volts that it has loaded, and their decay', { tags: 'long' }, () => {
    const { stdout } = spawnSync(process.execPath, [path.join(ROOT, 'dist/docs/examples/serve.js')], {
      encoding: 'utf8',
    });
    const [start, ...later] = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(': ')[1].split(' ').slice(0, -1).map(Number));
    expect(start).toEqual([0, 0.25, 0, 0.25, 0, 0.25, 0, 0.25]);
    for (const [i, reading] of later.entries()) expect(reading[1]).toBeCloseTo(0.25 * Math.exp(-i - 1), 2);
  });

  it('connecting to an emulated board and solving on it load nothing more', { tags: 'long' }, () => {
    const modules = loadedModules(path.join(ROOT, 'dist/docs/examples/solve.js'));
    expect(placesOf(modules).packages).toEqual([MESSAGES]);
  });
});
