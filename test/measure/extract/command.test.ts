import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findProfile } from '../../../emulator/index.js';
import { parseProfile } from '../../../emulator/profiles/index.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { connect } from '../../../src/connect.js';
import { temporaryDirectory } from '../../cli/support/temporary-files.js';
import { integersFrom, programImage } from '../../support/analog-boards.js';
import { runCommand } from '../../support/command-line.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const QUICK = ['--samples', '1000'];
/** Two measurements, a comparison and six sessions may take minutes on a busy machine. */
const BUSY_MS = 300_000;

/** A program unlike those of the command: it uses the whole board, asymmetric couplings and noise. */
function program(cells: number, mode: ProgramImage['mode'], seed: number): ProgramImage {
  const next = integersFrom(seed);
  const couplings = Int16Array.from({ length: cells * cells }, () => next(-900, 900));
  if (mode === PROGRAM_MODE.dense) for (let i = 0; i < cells; i++) couplings[i * (cells + 1)] = 20_000;
  const codes = (limit: number) => Int16Array.from({ length: cells }, () => next(-limit, limit));
  const registers = { damping: 9000, noiseAmplitude: 20_000, noiseShift: 13 };
  return programImage({
    mode,
    cells,
    couplings,
    drive: codes(3000),
    initialState: codes(9000),
    ...registers,
  });
}

async function responses(uri: string, cells: number) {
  const device = await connect(uri);
  onTestFinished(() => device.close());
  const found = [];
  for (const mode of [PROGRAM_MODE.dense, PROGRAM_MODE.factored])
    for (const runSeed of [3, 4]) {
      const commit = await device.loadProgram(0, program(cells, mode, runSeed));
      const run = { bank: 0, runSeed, burnInTicks: 3, sampleCount: 300, ticksPerSample: 2 };
      const { codes, report } = await device.acquire({ ...run, onOverload: 'mark' });
      found.push({ commit, codes, report, digest: (await device.readStatus()).stateDigest });
    }
  const { bootEpoch: _, ...identity } = device.identity;
  return { identity, found };
}

describe('thermolink extract', () => {
  // With random seeds, less than one of 10,000 measurements would find an imperfection on an ideal board of 8
  // cells. The seeds are fixed.
  it('an ideal board of 8 cells is reproduced bit for bit', { tags: 'long', timeout: BUSY_MS }, () =>
    expectReproduced('ideal-8', 8, 1, '7'),
  );

  it.each([
    ['ideal-8', 8, 3, '0'],
    ['ideal-64', 64, 5, '1'],
  ])('%s is reproduced bit for bit (%i cells, die %i, seed %s)', { tags: 'long' }, expectReproduced);

  async function expectReproduced(name: string, cells: number, die: number, seed: string): Promise<void> {
    const uri = `emulator:${name}?die=${die}`;
    const out = file(`${name}-${die}.json`);
    const { stdout, stderr, exitCode } = await runCommand(
      ...['extract', '--device', uri, '--out', out, '--seed', seed, '--samples', '2000'],
    );
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^extract: [\s\S]*100 %, \d+:\d\d, done\n$/);
    expect(stdout).toContain('No imperfection was found');
    expect(stdout).toContain('bit for bit, on 8 random programs');
    const [, open] = /open it as (\S+)/.exec(stdout)!;
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(findProfile(name));
    const original = await responses(uri, cells);
    expect(await responses(open, cells)).toEqual(original);
    // This shows that the comparison can fail, because another die has other noise.
    const other = await responses(`emulator:${name}?die=${die + 1}`, cells);
    expect(other.found[0].codes).not.toEqual(original.found[0].codes);
  }

  it('captures a board with its own values, names the unknown values, and opens again', async () => {
    const out = file('own.json');
    const { stdout, exitCode } = await runCommand(
      ...['extract', '--device', 'emulator:prototype-8?die=3', '--out', out, ...QUICK],
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/couplingMismatch +every crosspoint +spreadPpm \d/);
    expect(stdout).toMatch(
      /not measured +rowGain, rowOffset, softSaturation, noiseColour, commonModeNoise, drift, flicker/,
    );
    expect(stdout).toMatch(/\n {2}dense +\d.*\n {2}factored +\d/);
    const parsed = parseProfile(JSON.parse(readFileSync(out, 'utf8')));
    expect(parsed).toMatchObject({
      profile: { name: 'prototype-8', cells: 8, measured: { source: expect.stringContaining('extract') } },
    });
    const open = ['--device', /open it as (\S+)/.exec(stdout)![1]];
    expect((await runCommand('info', ...open)).stdout).toContain('prototype-8');
    writeFileSync(file('A.csv'), '4,1\n1,3\n');
    writeFileSync(file('b.csv'), '1\n2\n');
    const system = ['--matrix', file('A.csv'), '--rhs', file('b.csv')];
    expect((await runCommand('solve', ...system, ...open)).exitCode).toBe(0);
  });

  async function expectJson(name: string, seed: string): Promise<string> {
    const { stdout, stderr } = await runCommand(
      ...['extract', '--device', 'emulator:prototype-8', '--out', file(name), '--json', '--seed', seed],
      ...[...QUICK, '--crosspoints', '2'],
    );
    expect(stderr).toBe('');
    const { captured, comparison, open } = JSON.parse(stdout);
    expect(captured).toContainEqual({ effect: 'couplingMismatch', how: 'spread' });
    expect(captured).toContainEqual({ effect: 'adc', how: 'each' });
    expect(comparison).toMatchObject({ programs: 8, identical: 0 });
    expect(open).toBe(`emulator:file=${file(name)}?die=2`);
    return readFileSync(file(name), 'utf8').replace(/ on \d{4}-\d\d-\d\d/g, '');
  }

  it('--json prints the same facts', { tags: 'long' }, () => expectJson('json.json', '1'));

  it('the same seed gives the same profile', { tags: 'long' }, async () => {
    const first = await expectJson('a.json', '1');
    expect(await expectJson('b.json', '1')).toBe(first);
    expect(await expectJson('c.json', '2')).not.toBe(first);
  });

  it('describes cells that do not follow their drive as dead cells', { tags: 'long' }, async () => {
    const out = file('broken.json');
    const faults = 'emulator:prototype-8?faults=deadCell:3@0,stuckAdcChannel:6@0';
    const { stdout } = await runCommand('extract', '--device', faults, '--out', out, ...QUICK);
    expect(stdout).toMatch(/deadCells +which ones/);
    const { measured } = JSON.parse(readFileSync(out, 'utf8'));
    expect(measured.deadCells).toEqual({ cells: [3, 6] });
    expect(measured.stuckAdcChannels.cells).toEqual([3, 6]);
  });

  it('a board without a dense array is captured without its couplings', { tags: 'long' }, async () => {
    const crossbar = file('crossbar.json');
    writeFileSync(
      crossbar,
      JSON.stringify({ ...findProfile('prototype-crossbar')!, cells: 16, rows: 4, name: 'crossbar %' }),
    );
    const out = file('a % and ?.json');
    const { stdout, exitCode } = await runCommand(
      ...['extract', '--device', `emulator:file=${crossbar}`, '--out', out, ...QUICK],
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/not measured +couplingMismatch, crosstalk, rowGain, rowOffset, softSaturation/);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ name: 'crossbar %', rows: 4, cells: 16 });
  });

  it('refuses what it cannot do before it looks for the board, and leaves files alone', async () => {
    const nowhere = ['--device', 'tcp://127.0.0.1:1'];
    const source = file('source.json');
    const content = JSON.stringify({ ...findProfile('ideal-8')!, name: 'source' });
    writeFileSync(source, content);
    const wrong: [string, number, ...string[]][] = [
      ['BAD_ARGUMENT', 2, ...nowhere, '--out', file('board.csv')],
      ['BAD_ARGUMENT', 2, ...nowhere, '--out', file('x.json'), '--samples', '999'],
      ['BAD_ARGUMENT', 2, ...nowhere, '--out', file('x.json'), '--crosspoints', '0'],
      ['BAD_ARGUMENT', 2, ...nowhere],
      ['BAD_ARGUMENT', 2, '--device', `emulator:file=${source}`, '--out', source],
      ['BAD_ARGUMENT', 2, ...nowhere, '--out', file('x.json'), '--log-file', file('x.json')],
      ['BAD_FILE', 1, ...nowhere, '--out', file('none/x.json')],
      ['CANNOT_CONNECT', 1, ...nowhere, '--out', file('x.json')],
    ];
    for (const [code, status, ...options] of wrong) {
      const { stderr, exitCode } = await runCommand('extract', ...options);
      expect(stderr).toContain(code);
      expect(exitCode).toBe(status);
    }
    expect(existsSync(file('x.json'))).toBe(false);
    expect(readFileSync(source, 'utf8')).toBe(content);
  });

  it('says how it is used', async () => {
    const { stdout, exitCode } = await runCommand('extract', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Example:');
  });
});
