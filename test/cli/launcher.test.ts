import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { isBuilt } from '../support/child-process.js';
import { temporaryDirectory } from './support/temporary-files.js';

const { bin, scripts, version } = JSON.parse(readRepositoryFile('package.json'));
const run = (file: string, env = {}) =>
  spawnSync(process.execPath, [file, '--version'], { env: { ...process.env, ...env }, encoding: 'utf8' });

describe('the launcher', () => {
  it.runIf(isBuilt)('runs the built command', () => {
    const { status, stdout, stderr } = run(path.join(ROOT, bin.thermolink));
    expect([status, stdout, stderr]).toEqual([0, `${version}\n`, '']);
  });

  it('tells in one sentence what to do if nothing is built', () => {
    const checkout = temporaryDirectory();
    mkdirSync(path.join(checkout, 'bin'));
    writeFileSync(path.join(checkout, 'package.json'), '{ "type": "module" }');
    copyFileSync(path.join(ROOT, bin.thermolink), path.join(checkout, bin.thermolink));
    const { status, stdout, stderr } = run(path.join(checkout, bin.thermolink));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^thermolink is not built yet: run `npm run build` in .*\n$/);
  });
});

it('npx builds nothing; the program runs if it was built before, or says that it was not built', () => {
  expect(scripts.prepare).toBe('node tools/prepare.mjs');
  const { status, stdout, stderr } = run(path.join(ROOT, 'tools/prepare.mjs'), { npm_command: 'exec' });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});
