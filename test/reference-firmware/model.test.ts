import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { NO_ROW_ELEMENT } from '../../firmware-protocol/limits.js';
import { DEVICE_STEPS, type DeviceSteps } from '../support/device-steps.js';
import { hasClang, make, makeCore, missingTools, runOnLines, SANITIZED, SOURCES, symbols } from './build.js';
import { emulatedProblem } from './emulated-problem.js';
import { PROBLEMS } from './problems.js';

const missing = missingTools();

function orders({ board, program, dieSeed, runSeed, firstTick, ticks }: DeviceSteps): string[] {
  const { cells, rows, mode, couplingBits, rowAttenuation } = program;
  return [
    `die ${dieSeed}`,
    `board ${cells} ${rows} ${board.tickLog2} ${board.rail} ${board.driveRange} ${board.driveBits}`,
    `program 0 ${mode} ${cells} ${rows} ${couplingBits} ${rowAttenuation} ${program.linearRows ?? NO_ROW_ELEMENT}`,
    `couplings 0 ${program.couplings.join(' ')}`,
    `drive 0 ${program.drive.join(' ')}`,
    `initial 0 ${program.initialState.join(' ')}`,
    ...(program.rowTable ? [`row-table 0 ${program.rowTable.join(' ')}`] : []),
    ...(program.rowDrive ? [`row-drive 0 ${program.rowDrive.join(' ')}`] : []),
    `registers 0 ${program.damping} ${program.noiseAmplitude} ${program.noiseShift}`,
    'commit 0',
    `start 0 ${runSeed} ${firstTick} load`,
    `ticks ${ticks}`,
    'state',
    'adc',
    'digest',
  ];
}

/**
 * Runs the digest program of a build once with all problems. A start for each problem would take longer than
 * the problems themselves.
 */
function runProblems(program: string): Map<string, string[]> {
  const results = new Map<string, string[]>();
  let current: string[] = [];
  const lines = PROBLEMS.flatMap(({ orders: all }, i) => ['die 0', ...all, `mark ${i}`]);
  for (const line of runOnLines(program, lines)) {
    const mark = /^mark (\d+)$/.exec(line);
    if (mark) {
      results.set(PROBLEMS[Number(mark[1])].name, current);
      current = [];
    } else current.push(line);
  }
  return results;
}

describe.skipIf(missing !== undefined)(`the device model in C${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    // The sanitizers stop at undefined behaviour.
    program = make('thermolink-digest', ...SANITIZED);
  });

  test('its portable part needs no outside functions except memory copies', { tags: 'long' }, () => {
    const small = ['CELLS=64', 'ROWS=64', 'COUPLINGS=4096', 'FRAME_BYTES=512', 'WINDOW=4', 'BLOCKS_KEPT=2'];
    const flags = ['-Os', '-ffreestanding', ...small.map((one) => `-DCONFIG_${one}`)].join(' ');
    const folder = makeCore('build-small', [`CFLAGS=${flags}`]);
    const { defined, wanted } = symbols(folder);
    const outside = [...wanted].filter((name) => !defined.has(name) && !name.startsWith('_'));
    // The clock belongs to the port, not to the model.
    const allowed = ['memcpy', 'memmove', 'memset', 'memcmp', 'board_time_us'];
    expect(outside.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(defined).toContain('device_init');
    for (const file of readdirSync(SOURCES))
      expect(readFileSync(path.join(SOURCES, file), 'utf8'), file).not.toMatch(/\b(float|double|malloc)\b/);
  });

  test.each(DEVICE_STEPS)('equals the Python script: $name', (steps) => {
    const { v, c, r, q, cellFlags, rowFlags, adc16, digest } = steps.expected;
    const lines = runOnLines(program, orders(steps));
    expect(lines.slice(-3)).toEqual([
      `state ${[v, c, r, q, cellFlags, rowFlags].flat().join(' ')}`,
      `adc ${adc16.join(' ')}`,
      `digest ${digest}`,
    ]);
  });

  describe('has the same state digests as the emulator', () => {
    let results: Map<string, string[]>;

    beforeAll(() => {
      results = runProblems(program);
    });

    // The emulator needs half a second for each of these.
    const isLong = ({ name }: (typeof PROBLEMS)[number]): boolean => name.includes('all 8192 cells');
    test.each(PROBLEMS.filter((problem) => !isLong(problem)))('$name', expectSame);
    test.each(PROBLEMS.filter(isLong))('$name', { tags: 'long' }, expectSame);

    function expectSame({ name, orders: all }: (typeof PROBLEMS)[number]): void {
      const expected = emulatedProblem(all);
      expect(expected.some((line) => line.startsWith('digest'))).toBe(true);
      expect(results.get(name)).toEqual(expected);
    }

    test('a build without the sanitizers gives the same results', { tags: 'long' }, () => {
      expect(runProblems(make('thermolink-digest', 'build'))).toEqual(results);
    });

    test.skipIf(!hasClang)('the same when compiled by clang', { tags: 'long' }, () => {
      const clang = make('thermolink-digest', 'build-clang', ['CC=clang', 'CFLAGS=-O2']);
      expect(runProblems(clang)).toEqual(results);
    });
  });
});
