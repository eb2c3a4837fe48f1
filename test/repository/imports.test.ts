import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './files.js';

/** The entry `errors` of the table below. */
const ERRORS = ['src/errors.ts', 'src/argument-checks.ts', 'src/number-text.ts', 'src/platform.ts'];

/**
 * The table of docs/explanation/architecture.md: a folder, and the others that it may import.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'firmware-protocol': [],
  'firmware-protocol/messages': [
    'firmware-protocol/message-table.ts',
    'firmware-protocol/device-status.ts',
    'firmware-protocol/program-image.ts',
    'firmware-protocol/limits.ts',
  ],
  'firmware-protocol/frame-kernel': ['firmware-protocol/embedded-module.ts'],
  'firmware-protocol/link': [
    'firmware-protocol/frame-kernel',
    'firmware-protocol/framing.ts',
    'firmware-protocol/limits.ts',
  ],
  emulator: ['firmware-protocol'],
  'emulator/imperfections': ['firmware-protocol'],
  'emulator/profiles': ['firmware-protocol', 'emulator/imperfections'],
  'emulator/analog': ['firmware-protocol', 'emulator/imperfections', 'emulator/profiles'],
  'emulator/kernel': ['firmware-protocol', 'emulator/imperfections', 'emulator/profiles', 'emulator/analog'],
  'emulator/firmware': [
    'firmware-protocol',
    'emulator/analog',
    'emulator/kernel',
    'emulator/state-digest.ts',
  ],
  'src/error-codes.ts': [],
  'src/errors.ts': ['src/error-codes.ts'],
  'src/number-text.ts': [],
  'src/platform.ts': [],
  'src/argument-checks.ts': ['src/errors.ts', 'firmware-protocol/limits.ts'],
  'src/linalg': [...ERRORS, 'firmware-protocol/philox.ts', 'firmware-protocol/embedded-module.ts'],
  'src/files': [...ERRORS, 'src/linalg'],
  'src/plot': [...ERRORS],
  'src/transport': [...ERRORS, 'firmware-protocol/port.ts', 'firmware-protocol/clock.ts'],
  'src/driver': [...ERRORS, 'firmware-protocol'],
  'src/board': [...ERRORS, 'firmware-protocol', 'src/linalg', 'src/driver'],
  'src/algorithms': [...ERRORS, 'firmware-protocol', 'src/linalg', 'src/board', 'src/driver'],
  'src/lucidac': [
    ...ERRORS,
    'firmware-protocol/port.ts',
    'firmware-protocol/clock.ts',
    'src/linalg',
    'src/transport',
    'src/driver/system-clock.ts',
    'src/driver/logger.ts',
    'src/board',
    'src/algorithms',
  ],
  'src/farm': [
    ...ERRORS,
    'src/linalg',
    'src/driver/device.ts',
    'src/driver/device-api.ts',
    'src/driver/logger.ts',
    'src/board/checked-system.ts',
    'src/algorithms',
  ],
  'src/measure': [
    ...ERRORS,
    'firmware-protocol',
    'src/linalg',
    'src/board',
    'src/driver',
    'emulator/index.ts',
    'emulator/profiles/index.ts',
    'emulator/profiles/fields.ts',
  ],
  'src/learning/data': [
    ...ERRORS,
    'src/linalg/random.ts',
    'src/files/read-data-table.ts',
    'src/files/text-cells.ts',
  ],
  'src/learning/network': [...ERRORS, 'src/linalg'],
  'src/learning/curvature': [...ERRORS, 'src/linalg', 'src/learning/network', 'src/learning/problem'],
  'src/learning/problem': ['src/linalg'],
  'src/learning/quantum': [
    ...ERRORS,
    'src/linalg',
    'src/learning/problem',
    'src/learning/optimizers/registry.ts',
  ],
  'src/learning/pinn': [
    ...ERRORS,
    'src/linalg',
    'src/learning/problem',
    'src/learning/optimizers/registry.ts',
  ],
  'src/learning/regression': [
    ...ERRORS,
    'src/linalg',
    'src/learning/problem',
    'src/learning/network',
    'src/learning/data/dataset.ts',
    'src/learning/optimizers/registry.ts',
  ],
  'src/learning': [
    ...ERRORS,
    'src/linalg',
    'src/files/replace-file.ts',
    'src/files/read-data-table.ts',
    'src/files/text-cells.ts',
    'src/files/safetensors.ts',
    'src/files/write-npz.ts',
    'firmware-protocol/crc.ts',
    'src/board/cost.ts',
    'src/algorithms/contract.ts',
  ],
  'src/learning/optimizers': [
    ...ERRORS,
    'src/linalg',
    'src/board/cost.ts',
    'src/algorithms/contract.ts',
    'src/learning/problem',
    'src/learning/diverged.ts',
  ],
  'src/serve': [
    ...ERRORS,
    'firmware-protocol',
    'src/transport',
    'src/driver',
    'emulator/index.ts',
    'emulator/profiles/index.ts',
  ],
  'src/traces': [
    ...ERRORS,
    'firmware-protocol',
    'src/files/replace-file.ts',
    'src/linalg',
    'src/transport',
    'src/driver',
    'src/serve',
    'src/board/board-range.ts',
    'src/plot',
    'emulator/index.ts',
  ],
  'src/testing': [
    ...ERRORS,
    'firmware-protocol',
    'src/transport',
    'src/driver',
    'src/board',
    'src/traces',
    'src/connect.ts',
  ],
  'src/hub/client': [...ERRORS, 'src/hub/api.ts', 'src/transport/hub-port.ts', 'src/connect.ts'],
  'src/hub': [
    ...ERRORS,
    'firmware-protocol',
    'src/linalg',
    'src/transport',
    'src/driver',
    'src/board',
    'src/serve',
    'src/traces',
    'src/connect.ts',
  ],
  'src/web': [
    ...ERRORS,
    'firmware-protocol/port.ts',
    'src/linalg',
    'src/transport',
    'src/driver',
    'src/board',
    'src/algorithms',
    'src/serve/serve-device.ts',
    'emulator/index.ts',
  ],
  'src/console': ['src/hub/api.ts', 'src/number-text.ts'],
  'src/connect.ts': [
    ...ERRORS,
    'firmware-protocol/clock.ts',
    'firmware-protocol/port.ts',
    'src/transport',
    'src/driver',
    'src/serve',
    'src/traces',
    'src/lucidac/lucidac-uri.ts',
  ],
};

/** A file with fewer lines belongs into its importing file, if there is only one. */
const LINES_MIN = 8;

/** Folders that may use files, ports, sockets and threads. All others only compute. */
const MAY_USE_NODE_IO = [
  /^src\/(transport|serve|traces|hub|testing|files|cli)\//,
  /^src\/learning\/data\//,
  /^src\/learning\/(checkpoint|training-files|tensorboard|gradient-thread)/,
];
const IO_MODULES = /^(node:)?(fs|net|child_process|worker_threads|http|https|dgram|tty|readline)(\/|$)/;

/** Files that may name globals of Node. They test for them first, or a page never calls these functions. */
const PLATFORM_FILES = ['src/platform.ts', 'src/driver/fast-bytes.ts', 'src/driver/stop-on-exit.ts'];

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

/** An import or re-export that loads its module with the file: neither `import type` nor `import()`. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[\w*{][^'";=()]*from\s+)?'([^']+)';/gm;

const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

function importsOf(file: string): string[] {
  return [...readRepositoryFile(file).matchAll(/(?:from\s+|import\s+|import\()\s*'([^']+)'/g)].map(
    (match) => match[1],
  );
}

/** The files and packages that a file loads when it is loaded itself. */
function loadedBy(entry: string): string[] {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    if (!file.endsWith('.ts')) return;
    for (const [, name] of readRepositoryFile(file).matchAll(STATIC_IMPORT))
      visit(
        name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts') : name,
      );
  };
  visit(entry);
  return [...reached];
}

/** The files of this repository that a file imports. */
function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts'))
    .map((target) => (JSX_FILES.has(`${target}x`) ? `${target}x` : target));
}

const JSX_FILES = new Set(repositoryFiles(/^src\/.*\.tsx$/));

describe('imports flow one way', () => {
  const files = repositoryFiles(/^(src|emulator|firmware-protocol)\/.*\.tsx?$/);

  it('finds the sources', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports only what the table allows', (place, allowed) => {
    const offences = files
      .filter((file) => within(file, place))
      .flatMap((file) =>
        ownImportsOf(file)
          .filter((target) => !within(target, place) && !allowed.some((other) => within(target, other)))
          .map((target) => `${file} → ${target}`),
      );
    expect(offences).toEqual([]);
  });

  it('every source folder is in the table', () => {
    const known = [...Object.keys(MAY_IMPORT), 'src/cli', 'src/index.ts'];
    expect(files.filter((file) => !known.some((place) => within(file, place)))).toEqual([]);
  });

  it('no file of a few lines has only one importing file', () => {
    const importers = new Map<string, number>();
    for (const target of files.flatMap(ownImportsOf)) importers.set(target, (importers.get(target) ?? 0) + 1);
    const crumbs = files.filter(
      (file) =>
        importers.get(file) === 1 &&
        !file.endsWith('.generated.ts') &&
        readRepositoryFile(file).trimEnd().split('\n').length < LINES_MIN,
    );
    expect(crumbs).toEqual([]);
  });

  it('connecting loads the code of a transport only when a board is opened over it', () => {
    const reached = loadedBy('src/connect.ts');
    expect(reached).toContain('src/transport/serial-port.ts');
    expect(reached.filter((name) => /serialport|koffi|worker_threads|board-thread/.test(name))).toEqual([]);
  });

  it('no file imports itself through other files, not even for a type', () => {
    const known = new Set(files);
    const imports = new Map(
      files.map((file) => [file, ownImportsOf(file).filter((target) => known.has(target))]),
    );
    const done = new Set<string>();
    /**
     * A circle of imports that begins at or behind this file, as a path; undefined when there is no such
     * circle.
     */
    const circleFrom = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const target of imports.get(file) ?? []) {
        const circle = circleFrom(target, [...path, file]);
        if (circle !== undefined) return circle;
      }
      done.add(file);
      return undefined;
    };
    const circles = files.map((file) => circleFrom(file, [])).filter((circle) => circle !== undefined);
    expect(circles.map((circle) => circle.join(' → '))).toEqual([]);
  });

  it('the contract and the device use nothing of Node', () => {
    const offences = files
      .filter((file) => /^(emulator|firmware-protocol)\//.test(file))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => !name.startsWith('.'))
          .map((name) => `${file} → ${name}`),
      )
      .filter(
        (use) => !/^firmware-protocol\/.* → @msgpack\/msgpack$|^emulator\/profiles\/.* → zod$/.test(use),
      );
    expect(offences).toEqual([]);
  });

  /** Everything that a page and its worker can reach, also by `import()`. Imports of types do not count. */
  const reachedByPages = (): string[] => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      if (!file.endsWith('.ts')) return;
      const text = readRepositoryFile(file);
      const dynamic = [...text.matchAll(/(?<!typeof )\bimport\(\s*'([^']+)'/g)];
      for (const [, name] of [...text.matchAll(STATIC_IMPORT), ...dynamic])
        visit(
          name.startsWith('.')
            ? path.posix.join(path.posix.dirname(file), name).replace(/\.js$/, '.ts')
            : name,
        );
    };
    for (const file of files) if (within(file, 'src/web')) visit(file);
    return [...reached];
  };

  it('a web page loads the driver, the algorithms and the emulator, and nothing of Node', () => {
    const reached = reachedByPages();
    for (const file of ['driver/device', 'algorithms/solve/solve', 'linalg/lanczos'])
      expect(reached).toContain(`src/${file}.ts`);
    expect(reached).toContain('emulator/device.ts');
    expect(reached.filter((file) => !file.endsWith('.ts'))).toEqual(['@msgpack/msgpack']);
    const NODE_NAMES = /\b(Buffer\.|setImmediate\(|process\.(?!getBuiltinModule)|createRequire)/;
    const uses = reached
      .filter((file) => file.endsWith('.ts') && !PLATFORM_FILES.includes(file))
      .filter((file) => NODE_NAMES.test(withoutComments(readRepositoryFile(file))));
    expect(uses).toEqual([]);
  });

  it('the protocol loads one package, and not the package for schemas', () => {
    expect(loadedBy('firmware-protocol/index.ts').filter((file) => !file.endsWith('.ts'))).toEqual([
      '@msgpack/msgpack',
    ]);
  });

  it('only the outer folders use files and sockets', () => {
    const offences = files
      .filter((file) => !MAY_USE_NODE_IO.some((place) => place.test(file)))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => IO_MODULES.test(name))
          .map((name) => `${file} → ${name}`),
      );
    expect(offences).toEqual([]);
  });
});
