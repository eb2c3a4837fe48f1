import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeLucidac, startFake, USUAL } from '../lucidac/fake-lucidac.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { loadedModules } from '../support/loaded-modules.js';

let directory: string;
let fake: FakeLucidac;
let device: string;
const file = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  writeFileSync(file('A.csv'), '4,1\n1,3\n');
  writeFileSync(file('b.csv'), '1\n2\n');
  fake = await startFake({ seed: 3, errors: USUAL });
  device = `lucidac://127.0.0.1:${fake.port}`;
});

afterAll(async () => {
  await fake.close();
  rmSync(directory, { recursive: true });
});

afterEach(() => void vi.unstubAllEnvs());

const solving = (): string[] => ['solve', '--matrix', file('A.csv'), '--rhs', file('b.csv')];

describe('with a LUCIDAC', () => {
  it('solve prints a certified answer', async () => {
    const { stdout, exitCode } = await runCommand(...solving(), '--tolerance', '1e-3', '--device', device);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/x\[0\] +0\.09\d+ +± [\d.e-]+\n +x\[1\] +0\.63\d+/);
    expect(stdout).toMatch(/board time \(as asked for\) +\d/);
  });

  it('solve --json has the same fields as for every board', async () => {
    const { stdout } = await runCommand(...solving(), '--json', '--device', device);
    const report = JSON.parse(stdout);
    expect(report.solution[0]).toBeCloseTo(1 / 11, 3);
    expect(report.solution[1]).toBeCloseTo(7 / 11, 3);
    expect(report).toMatchObject({ device, repeats: 0, clampedCodes: 0 });
    expect(report.boardSeconds).toBeGreaterThan(0);
  });

  it('info shows its identity and the largest system', async () => {
    const { stdout } = await runCommand('info', '--device', device);
    expect(stdout).toMatch(/address of the carrier +04-E9-E5-16-09-92\n/);
    expect(stdout).toMatch(/lanes with a coefficient +32\n/);
    const { stdout: json } = await runCommand('info', '--device', device, '--json');
    expect(JSON.parse(json)).toMatchObject({ device, limits: { integrators: 8, lanes: 32 } });
  });

  it('ping measures round trips', async () => {
    const { stdout } = await runCommand('ping', '--device', device, '-c', '3', '--json');
    expect(JSON.parse(stdout).timing).toMatchObject({ device, count: 3 });
  });

  it.each([
    [['sample', '--matrix', 'A.csv', '--count', '10', '--out', 's.npy']],
    [['invert', '--matrix', 'A.csv']],
    [['calibrate', '--out', 'c.json']],
    [['characterize']],
    [['monitor']],
  ])('%j is UNSUPPORTED, and says what works', async (words) => {
    const args = words.map((word) => (/\.\w+$/.test(word) ? file(word) : word));
    const { stderr, exitCode } = await runCommand(...args, '--device', device);
    expect(stderr).toMatch(/UNSUPPORTED.*LUCIDAC.*another board.*solve.*emulator:ideal-64/);
    expect(exitCode).not.toBe(0);
  });

  it('a refused command leaves no recording', async () => {
    const recording = file('refused.mcap');
    const words = ['sample', '--matrix', file('A.csv'), '--count', '10', '--out', file('s.npy')];
    // A board that cannot be reached is the same case.
    for (const uri of [device, 'tcp://127.0.0.1:1']) {
      const { exitCode } = await runCommand(...words, '--record', recording, '--device', uri);
      expect(exitCode).not.toBe(0);
      expect(existsSync(recording), uri).toBe(false);
    }
    const { stderr } = await runCommand(...solving(), '--record', recording, '--device', device);
    expect(stderr).toMatch(/UNSUPPORTED: --record/);
    expect(existsSync(recording)).toBe(false);
  });

  it.each([
    ['--record', 's.mcap'],
    ['--calibration', 'c.json'],
  ])('%s is UNSUPPORTED', async (flag, name) => {
    writeFileSync(file('c.json'), '{}');
    const { stderr } = await runCommand(...solving(), flag, file(name), '--device', device);
    expect(stderr).toMatch(new RegExp(`UNSUPPORTED: ${flag}`));
  });

  it('the environment may name the LUCIDAC, and the error says so', async () => {
    vi.stubEnv('THERMOLINK_DEVICE', 'lucidac://127.0.0.1:1');
    const { stderr } = await runCommand(...solving());
    expect(stderr).toMatch(/CANNOT_CONNECT.*LUCIDAC is on.*THERMOLINK_DEVICE/);
  });

  it('--log-file keeps the commands', async () => {
    const log = ['--log-level', 'debug', '--log-file', file('x.log')];
    const { exitCode } = await runCommand('info', '--device', device, ...log);
    expect(exitCode).toBe(0);
  });
});

it.runIf(isBuilt)('no other board loads protobuf, nor does --help', { tags: 'long' }, () => {
  for (const args of [
    ['solve', '--help'],
    ['info', '--device', 'emulator:ideal-8'],
  ]) {
    const loaded = loadedModules(BUILT_CLI, ...args);
    expect(loaded.filter((module) => /@bufbuild|src\/lucidac\/(?!lucidac-uri)/.test(module))).toEqual([]);
  }
});
