import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBuilt } from '../support/child-process.js';
import { ROOT, readRepositoryFile, repositoryFiles } from './files.js';

const MANIFEST = JSON.parse(readRepositoryFile('package.json')) as {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const REPOSITORY = 'https://github.com/thermolink/thermolink/';
const PACKED_BYTES_MAX = 1_680_000;

interface Packed {
  readonly size: number;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the present build, without the scripts that would build again. */
function pack(...options: string[]): Packed {
  const printed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // npm 11 prints an object by package name; older versions print a list.
  return Object.values(JSON.parse(printed) as Record<string, Packed>)[0];
}

describe('the manifest', () => {
  it('begins with an empty dist, which prepare fills', () => {
    expect(MANIFEST.scripts['prepack']).toContain("rmSync('dist'");
    expect(MANIFEST.scripts['prepare']).toBe('node tools/prepare.mjs');
  });

  it.runIf(isBuilt)('names built programs and types in the folders that are packed', () => {
    const entries = Object.values(MANIFEST.exports).flatMap((entry) => [entry.default, entry.types]);
    const isPacked = (file: string): boolean =>
      MANIFEST.files.some((folder) => file.startsWith(`./${folder}/`)) && existsSync(path.join(ROOT, file));
    expect(entries.filter((file) => !isPacked(file))).toEqual([]);
  });
});

describe.runIf(isBuilt)('the tarball', { tags: 'long' }, () => {
  let packed: Packed;
  let files: string[];

  beforeAll(() => {
    packed = pack('--dry-run');
    const sources = new Set(repositoryFiles(/\.tsx?$/));
    // Outputs of sources that are gone lie in the dist of a checkout that was built before; packing begins
    // with an empty dist.
    const isLeftOver = (file: string): boolean =>
      file.startsWith('dist/') &&
      !/^dist\/(console|bundled)\//.test(file) &&
      !sources.has(file.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '.ts'));
    files = packed.files
      .map((file) => file.path)
      .filter((file) => !file.endsWith('.map') && !isLeftOver(file));
  });

  it('carries programs, types, documents, and nothing else', () => {
    const known = [
      /^(LICENSE|README\.md|package\.json)$/,
      /^bin\/thermolink\.js$/,
      /^dist\/(src|emulator|firmware-protocol)\/.*\.(js|d\.ts)$/,
      /^dist\/bundled\/(recording-thread\.cjs|licenses\.md)$/,
      /^dist\/console\/(index\.html|assets\/[\w-]+\.(js|css|svg))$/,
      /^firmware-protocol\/wireshark\/thermolink\.lua$/,
      /^docs\/.*\.md$/,
      /^docs\/how-to\/pictures\/[\w-]+\.svg$/,
      /^docs\/examples\/\w+\.ts$/,
      /^docs\/examples\/grafana\/\w+\.json$/,
      /^docs\/results\/[\w-]+\.json$/,
    ];
    expect(files.filter((file) => !known.some((place) => place.test(file)))).toEqual([]);
    expect(files.filter((file) => /tools\/|reference\/api\/|\.test\./.test(file))).toEqual([]);
    expect(
      files.filter((file) => file.endsWith('.js') && readRepositoryFile(file).includes('sourceMappingURL')),
    ).toEqual([]);
  });

  it('carries the program of the recording thread as one file', () => {
    expect(files).toContain('dist/bundled/recording-thread.cjs');
    expect(files).toContain('dist/bundled/licenses.md');
  });

  it('carries the program and the types of every entry', () => {
    const entries = Object.values(MANIFEST.exports).flatMap((entry) => [entry.default, entry.types]);
    expect(entries.filter((file) => !files.includes(file.replace('./', '')))).toEqual([]);
  });

  it('has no document with a link to a file that it does not contain', () => {
    const folders = new Set(
      files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
    );
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...readRepositoryFile(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
          .map(([, target]) => target)
          .filter((target) => {
            const ours = new RegExp(`^${REPOSITORY}(blob|tree)/main/(.*)$`).exec(target);
            if (ours) return !existsSync(path.join(ROOT, ours[2]));
            if (/^[a-z]+:/.test(target)) return false;
            const linked = path.posix.join(path.posix.dirname(file), target);
            return !files.includes(linked) && !folders.has(linked.replace(/\/$/, ''));
          })
          .map((target) => `${file} → ${target}`),
      );
    expect(broken).toEqual([]);
  });

  it('is small', () => {
    expect(packed.size).toBeLessThan(PACKED_BYTES_MAX);
  });
});

const CONSUMER = `
import { connect, ThermolinkError } from 'thermolink';
${Object.keys(MANIFEST.exports)
  .map((entry, i) => `import * as entry${i} from 'thermolink${entry.slice(1)}';`)
  .join('\n')}

export const entries: readonly object[] = [${Object.keys(MANIFEST.exports)
  .map((_, i) => `entry${i}`)
  .join(', ')}];
export async function firstReading(signal?: AbortSignal): Promise<number | undefined> {
  const device = await connect('emulator:ideal-8', signal ? { signal } : {});
  try {
    const { codes } = await device.acquire({ bank: 0, runSeed: 1, burnInTicks: 0, sampleCount: 1, ticksPerSample: 0 });
    return codes[0];
  } catch (error) {
    if (error instanceof ThermolinkError) return undefined;
    throw error;
  } finally {
    await device.close();
  }
}
`;

/**
 * A program elsewhere that has installed the tarball; its other packages are links to ours, so that nothing
 * is downloaded.
 */
describe.runIf(isBuilt)('a program that installs the tarball', { tags: 'long' }, () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'thermolink-consumer-'));
    const modules = path.join(directory, 'node_modules');
    mkdirSync(path.join(modules, 'thermolink'), { recursive: true });
    const { filename } = pack('--pack-destination', directory);
    execFileSync('tar', [
      'xzf',
      path.join(directory, filename),
      '-C',
      path.join(modules, 'thermolink'),
      '--strip-components=1',
    ]);
    const links = [
      ...Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.optionalDependencies }),
      '@types/node',
    ];
    for (const name of links) {
      mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
      symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
    }
    writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (program: string, ...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], { cwd: directory, encoding: 'utf8' });

  it('runs the program of README', () => {
    const [, program] = /```ts\n([\s\S]*?)```/.exec(readRepositoryFile('README.md')) ?? [];
    writeFileSync(path.join(directory, 'solve.mjs'), program);
    const { stdout, stderr, status } = run('solve.mjs');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('±');
  });

  // `thermolink/testing` needs a running vitest; test/testing imports it as users do.
  it.each(Object.keys(MANIFEST.exports).filter((entry) => entry !== './testing'))('imports %s', (entry) => {
    writeFileSync(
      path.join(directory, 'import.mjs'),
      `console.log(Object.keys(await import('thermolink${entry.slice(1)}')).length)`,
    );
    const { stdout, stderr } = run('import.mjs');
    expect(stderr).toBe('');
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('has the command thermolink', () => {
    const { stdout } = run('node_modules/thermolink/bin/thermolink.js', '--version');
    expect(stdout.trim()).toBe(MANIFEST.version);
  });

  it.each(['nodenext', 'bundler'])(
    'compiles under the strictest options, with the module resolution of %s',
    (resolution) => {
      writeFileSync(path.join(directory, 'consumer.ts'), CONSUMER);
      writeFileSync(
        path.join(directory, 'solve.ts'),
        readFileSync(path.join(ROOT, 'docs/examples/solve.ts')),
      );
      const options = {
        ...{
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable', 'esnext.iterator'],
          types: ['node'],
          noEmit: true,
        },
        ...{ module: resolution === 'bundler' ? 'preserve' : 'nodenext', moduleResolution: resolution },
        ...{
          strict: true,
          noUncheckedIndexedAccess: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: true,
        },
      };
      writeFileSync(
        path.join(directory, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['consumer.ts', 'solve.ts'] }),
      );
      const { stdout } = run(path.join(ROOT, 'node_modules/.bin/tsc'), '-p', '.');
      expect(stdout).toBe('');
    },
  );
});
