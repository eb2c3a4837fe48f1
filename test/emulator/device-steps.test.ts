import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import { stateDigest } from '../../emulator/state-digest.js';
import type { ProgramMode } from '../../firmware-protocol/program-image.js';
import { arrayState, idealBoard, loadedArray, programImage } from '../support/analog-boards.js';

/** One case of vectors/device-steps.json, written by an independent implementation in Python. */
interface DeviceSteps {
  name: string;
  board: { tickLog2: number; rail: number; driveRange: number; driveBits: number };
  program: {
    mode: ProgramMode;
    cells: number;
    rows: number;
    couplingBits: number;
    rowAttenuation: number;
    couplings: number[];
    drive: number[];
    initialState: number[];
    damping: number;
    noiseAmplitude: number;
    noiseShift: number;
  };
  dieSeed: number;
  runSeed: number;
  firstTick: number;
  ticks: number;
  expected: {
    v: number[];
    c: number[];
    r: number[];
    q: number[];
    cellFlags: number[];
    rowFlags: number[];
    adc16: number[];
    digest: number;
  };
}

const FILE = 'firmware-protocol/vectors/device-steps.json';
const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as { cases: DeviceSteps[] };

test.each(cases)('$name', ({ board, program, dieSeed, runSeed, firstTick, ticks, expected }) => {
  const { cells, rows, couplingBits } = program;
  const image = programImage({
    ...program,
    couplings: couplingBits <= 8 ? Int8Array.from(program.couplings) : Int16Array.from(program.couplings),
    drive: Int16Array.from(program.drive),
    initialState: Int16Array.from(program.initialState),
  });
  const die = idealBoard({ ...board, cells, rows }, dieSeed);
  const array = loadedArray(die, image);
  array.advance(commitProgram(die, image), ticks, firstTick, runSeed, false);
  const adc = new Int16Array(cells);
  array.readAdc(adc);
  const digest = stateDigest(array, firstTick + ticks);
  expect({ ...arrayState(array, cells, rows), adc16: Array.from(adc), digest }).toEqual(expected);
});

test('the Python script still writes this file', { tags: 'long' }, (context) => {
  let made: string;
  try {
    made = execFileSync('python3', ['firmware-protocol/tools/scripts/device-model-vectors.py', '-'], {
      encoding: 'utf8',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('no python3 here');
    throw error;
  }
  expect(made).toBe(readFileSync(FILE, 'utf8'));
});
