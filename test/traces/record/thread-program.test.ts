import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { threadProgram } from '../../../src/traces/record/thread-program.js';
import { ROOT } from '../../repository/files.js';

/** The project of the traces and all that it may import. */
const TRACES = path.join(ROOT, 'src/traces/tsconfig.json');
const projects = [TRACES, ...referencesOf(TRACES)];
const BUNDLE = path.join(ROOT, 'dist/bundled/recording-thread.cjs');

function projectOf(file: string) {
  return JSON.parse(readFileSync(file, 'utf8')) as {
    readonly compilerOptions: { readonly tsBuildInfoFile: string };
    readonly references: readonly { readonly path: string }[];
  };
}

function referencesOf(file: string): string[] {
  return projectOf(file)
    .references.map((reference) => path.resolve(path.dirname(file), reference.path))
    .map((place) => (place.endsWith('.json') ? place : path.join(place, 'tsconfig.json')));
}

function buildInformationOf(file: string): string {
  return path.resolve(path.dirname(file), projectOf(file).compilerOptions.tsBuildInfoFile);
}

describe('the program of the recording thread', () => {
  let built: string;
  const write = (file: string, writtenSeconds: number): void => {
    const place = path.join(built, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, '');
    utimesSync(place, writtenSeconds, writtenSeconds);
  };
  const program = (): string => path.basename(threadProgram(pathToFileURL(`${built}/`)).pathname);

  beforeEach(() => (built = mkdtempSync(path.join(tmpdir(), 'thermolink-program-'))));
  afterEach(() => rmSync(built, { recursive: true }));

  it('is the module if nothing is bundled', () => {
    expect(program()).toBe('recording-thread-main.js');
  });

  it('is the bundle in a package, which has no build information, whatever the times of its files', () => {
    write('src/traces/record/recording-thread-main.js', 2000);
    write('bundled/recording-thread.cjs', 1000);
    expect(program()).toBe('recording-thread.cjs');
  });

  it.each([...projects])('is the bundle until the build information of %s is newer', (project) => {
    write('bundled/recording-thread.cjs', 1000);
    const information = path.relative(path.join(ROOT, 'dist'), buildInformationOf(project));
    write(information, 1000);
    expect(program()).toBe('recording-thread.cjs');
    write(information, 1001);
    expect(program()).toBe('recording-thread-main.js');
  });

  it.runIf(threadProgram().pathname.endsWith('.cjs'))('loads only modules of Node as a bundle', () => {
    const loaded = [...readFileSync(BUNDLE, 'utf8').matchAll(/\brequire\(["`]([^"`]+)["`]\)/g)].map(
      ([, name]) => name,
    );
    expect(loaded.length).toBeGreaterThan(0);
    expect(loaded.filter((name) => !builtinModules.includes(name.replace('node:', '')))).toEqual([]);
  });
});
