import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingInComments, type Reflection } from './comment-rules.js';
import { ROOT } from './files.js';

const TYPEDOC = path.join(ROOT, 'node_modules/typedoc/bin/typedoc');
const COMMITTED = path.join(ROOT, 'docs/reference/api');

/** typedoc takes about seven seconds of computing. */
describe('the API reference', { tags: 'long' }, () => {
  let directory: string;
  let printed: string;
  let exitCode: number | null;

  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'thermolink-api-'));
    const options = ['--out', path.join(directory, 'api'), '--json', path.join(directory, 'api.json')];
    const run = spawnSync(process.execPath, [TYPEDOC, ...options], { cwd: ROOT, encoding: 'utf8' });
    printed = run.stdout + run.stderr;
    exitCode = run.status;
  }, 300_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is generated without a warning', () => {
    expect(printed).not.toMatch(/warning|error/);
    expect(exitCode).toBe(0);
  });

  it('is up to date in docs/reference/api (npm run docs:api)', () => {
    const pages = (folder: string): Record<string, string> =>
      Object.fromEntries(
        readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.md'))
          .map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]),
      );
    const committed = pages(COMMITTED);
    const generated = pages(path.join(directory, 'api'));
    expect(Object.keys(committed).sort()).toEqual(Object.keys(generated).sort());
    const stale = Object.keys(generated).filter((file) => committed[file] !== generated[file]);
    expect(stale).toEqual([]);
  });

  it('has no path of the machine that made it', () => {
    const text = readFileSync(path.join(directory, 'api.json'), 'utf8');
    expect(text).not.toContain(ROOT);
  });

  it('describes every public symbol, with its shapes, units and errors', () => {
    const reference = JSON.parse(readFileSync(path.join(directory, 'api.json'), 'utf8')) as Reflection;
    expect(missingInComments(reference)).toEqual([]);
  });
});
