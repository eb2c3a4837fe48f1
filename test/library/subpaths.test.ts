import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { isBuilt } from '../support/child-process.js';
import { loadedModules } from '../support/loaded-modules.js';

const { exports } = JSON.parse(readRepositoryFile('package.json')) as {
  readonly exports: Readonly<Record<string, { readonly default: string; readonly types: string }>>;
};
const MESSAGES = '@msgpack/msgpack';
const SCHEMAS = 'zod';
/** It needs a running vitest, so no other program loads it. */
const IN_TESTS = './testing';

/** The packages that importing an entry loads. Every other dependency waits until it is used. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '.': [MESSAGES],
  './measure': [MESSAGES, SCHEMAS],
  './train': ['@jax-js/jax'],
  './board': [],
  './files': [],
  './transport': [],
  './serve': [MESSAGES],
  './traces': ['@foxglove/crc', '@mcap/core', MESSAGES, 'heap-js'],
  './protocol': [MESSAGES],
  './emulator': [MESSAGES],
  './emulator/profiles': [SCHEMAS],
};

/** Packages and folders of `src` that a process has loaded. */
function loadedBy(script: string): {
  readonly packages: readonly string[];
  readonly rooms: readonly string[];
} {
  const modules = loadedModules(path.join(ROOT, script));
  const found = (pattern: RegExp) =>
    [
      ...new Set(modules.map((module) => pattern.exec(module)?.[1]).filter((name) => name !== undefined)),
    ].sort();
  return {
    packages: found(/node_modules\/((?:@[^/]+\/)?[^/]+)\//),
    rooms: found(/^dist\/src\/(\w+)\//),
  };
}

describe.runIf(isBuilt)('a program loads what it imports', () => {
  it('every entry is in this table', () => {
    expect(Object.keys(exports).sort()).toEqual([...Object.keys(PACKAGES), IN_TESTS].sort());
  });

  it('and in the one of docs/reference/library.md, with the same packages', () => {
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
    expect(loadedBy(exports[entry].default).packages).toEqual(packages);
  });

  it('thermolink loads no measuring, no training, no command line, no file formats', () => {
    const { rooms } = loadedBy(exports['.'].default);
    for (const room of ['cli', 'files', 'learning', 'measure', 'plot']) expect(rooms).not.toContain(room);
  });

  it('docs/examples/serve.ts reads the volts that it has loaded, and their decay', () => {
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

  it('connecting to an emulated board and solving on it load nothing more', () => {
    expect(loadedBy('dist/docs/examples/solve.js').packages).toEqual([MESSAGES]);
  });
});
