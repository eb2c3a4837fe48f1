import { describe, expect, test } from 'vitest';
import { makeAdc } from '../../emulator/analog/adc.js';
import { BoardFaults } from '../../emulator/analog/board-faults.js';
import { dieInfo } from '../../emulator/analog/die.js';
import { diePartsOf } from '../../emulator/analog/die-parts.js';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import { ADC_DRAWS } from '../../emulator/imperfections/adc.js';
import { makeConverters } from '../../emulator/imperfections/converter.js';
import { couplingMismatch as mismatch } from '../../emulator/imperfections/coupling-mismatch.js';
import { drawGaussians } from '../../emulator/imperfections/die-draws.js';
import { DRIVE_DRAWS } from '../../emulator/imperfections/drive-converter.js';
import { gainOf } from '../../emulator/imperfections/gain.js';
import { noiseMismatch as noise } from '../../emulator/imperfections/noise-mismatch.js';
import type { MeasuredParts } from '../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { parseProfile } from '../../emulator/profiles/index.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { integersFrom, programImage } from '../support/analog-boards.js';

const CELLS = 8;
const DIE_SEED = 5;
const CODE_PERIOD = 256;
const prototype = findProfile('prototype-8')!;
const withLeakage: BoardProfile = {
  ...prototype,
  effects: { ...prototype.effects!, leakage: { meanPpm: 3000, spreadPpm: 500, source: 'test' } },
};

/** The draws of the die seed, in the form of exact measurements. */
function exactlyMeasured(profile: BoardProfile, dieSeed: number): MeasuredParts {
  const effects = profile.effects!;
  const drawn = (draw: number, line = 0) => drawGaussians(dieSeed, draw, line, CELLS);
  const info = dieInfo({ profile, dieSeed });
  const parts = diePartsOf({ profile, dieSeed }).cells!;
  const converter = (kind: 'adc' | 'driveConverter', draws: typeof ADC_DRAWS) => {
    const { gain, offset, bow, code } = makeConverters(effects[kind]!, info, draws, undefined);
    // A measurement cannot tell the mean of the code deviations from an offset.
    const mean = (i: number) =>
      Math.floor(
        code.subarray(i * CODE_PERIOD, (i + 1) * CODE_PERIOD).reduce((sum, d) => sum + d, 0) / CODE_PERIOD +
          0.5,
      );
    return { gain: [...gain], offset: Array.from(offset, (value, i) => value + mean(i)), bow: [...bow] };
  };
  const { couplingMismatch, noiseMismatch } = effects;
  return {
    source: 'test',
    couplingMismatch: {
      gain: Array.from({ length: CELLS }, (_, row) =>
        Array.from(drawn(mismatch.draws!['forwardArray'], row), (z) =>
          gainOf(couplingMismatch!.spreadPpm, z),
        ),
      ).flat(),
    },
    timeConstantMismatch: { rate: [...parts.rate] },
    noiseMismatch: {
      gain: Array.from(drawn(noise.draws!['noiseAmplitude']), (z) => gainOf(noiseMismatch!.spreadPpm, z)),
    },
    inputOffset: { offset: [...parts.inputOffset] },
    leakage: { conductance: [...parts.leakage] },
    driveConverter: converter('driveConverter', DRIVE_DRAWS),
    adc: converter('adc', ADC_DRAWS),
    crosstalk: { fromNext: [...parts.fromNext], fromBefore: [...parts.fromBefore] },
  };
}

const next = integersFrom(11);
const image = (mode: (typeof PROGRAM_MODE)[keyof typeof PROGRAM_MODE]) =>
  programImage({
    mode,
    cells: CELLS,
    couplingBits: 12,
    couplings: Int16Array.from({ length: CELLS * CELLS }, () => next(-2047, 2047)),
    drive: Int16Array.from({ length: CELLS }, () => next(-32768, 32767)),
    damping: 3000,
    noiseAmplitude: 20_000,
  });

function readings(profile: BoardProfile, dieSeed: number): number[] {
  const read = makeAdc({ profile, dieSeed });
  const out = new Int16Array(CELLS);
  return Array.from({ length: 500 }, (_, k) => {
    read(
      Int32Array.from({ length: CELLS }, (_, i) => 38_000 * (k - 250) + 1000 * i),
      out,
    );
    return [...out];
  }).flat();
}

describe('measured parts replace draws', () => {
  const measured = exactlyMeasured(withLeakage, DIE_SEED);
  const copy: BoardProfile = { ...withLeakage, measured };

  test('the parts of a die give exactly its effective program and readings', () => {
    for (const mode of [PROGRAM_MODE.dense, PROGRAM_MODE.factored]) {
      const program = image(mode);
      expect(commitProgram({ profile: copy, dieSeed: DIE_SEED }, program)).toEqual(
        commitProgram({ profile: withLeakage, dieSeed: DIE_SEED }, program),
      );
    }
    expect(readings(copy, DIE_SEED)).toEqual(readings(withLeakage, DIE_SEED));
  });

  test('a die seed draws only the numbers that were not measured', () => {
    const program = image(PROGRAM_MODE.dense);
    const own = commitProgram({ profile: copy, dieSeed: DIE_SEED }, program);
    const other = commitProgram({ profile: copy, dieSeed: 6 }, program);
    expect({ ...other, drive: 0 }).toEqual({ ...own, drive: 0 });
    // The errors of single drive codes, with a spread of ½ step, are not measured but drawn.
    expect(other.drive).not.toEqual(own.drive);
    for (const [i, drive] of other.drive.entries())
      expect(Math.abs(drive - own.drive[i])).toBeLessThan(8 * 2048);
    expect(readings(copy, 6)).not.toEqual(readings(copy, DIE_SEED));
    const factored = image(PROGRAM_MODE.factored);
    const [mine, its] = [DIE_SEED, 6].map((dieSeed) => commitProgram({ profile: copy, dieSeed }, factored));
    expect(its.forward).toEqual(mine.forward);
    expect(its.transposed).not.toEqual(mine.transposed);
  });

  test('every measured part changes the program or the readings', () => {
    const program = image(PROGRAM_MODE.dense);
    const base = { ...withLeakage, measured: exactlyMeasured(withLeakage, 7) };
    const seen = (profile: BoardProfile) => ({
      program: commitProgram({ profile, dieSeed: 7 }, program),
      readings: readings(profile, 7),
    });
    const before = seen(base);
    const { source: _, ...parts } = measured;
    for (const [name, part] of Object.entries(parts))
      expect(seen({ ...base, measured: { ...base.measured, [name]: part } }), name).not.toEqual(before);
  });

  test('exactly the named cells and channels are broken', () => {
    const effects = {
      ...prototype.effects!,
      deadCells: { sharePpm: 900_000, source: 'test' },
      stuckAdcChannels: { sharePpm: 900_000, source: 'test' },
    };
    const broken = {
      source: 'test',
      deadCells: { cells: [3] },
      stuckAdcChannels: { cells: [6], codes: [-5] },
    };
    const { cellStates, stuckCodes } = new BoardFaults({
      profile: { ...prototype, effects, measured: broken },
      dieSeed: 1,
    });
    expect([...cellStates]).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
    expect([...stuckCodes]).toEqual([[6, -5]]);
  });
});

describe('measured parts of a file', () => {
  const good = JSON.parse(JSON.stringify({ ...withLeakage, measured: exactlyMeasured(withLeakage, 1) }));

  test('are kept as they are, and may be left out in part or all', () => {
    expect(parseProfile(good)).toEqual({ profile: good });
    const { adc, source } = good.measured;
    expect(parseProfile({ ...good, measured: { source, adc } })).toMatchObject({
      profile: { measured: { adc } },
    });
    const { measured: _, ...rest } = good;
    expect(parseProfile(rest)).toEqual({ profile: withLeakage });
  });

  const changed = (parts: object) => ({ ...good, measured: { ...good.measured, ...parts } });
  const eight = (value: unknown) => [0, 0, 0, value, 0, 0, 0, 0];
  test.each([
    ['measured', { ...good, measured: null }, /is null; it takes an object/],
    ['measured.source', changed({ source: undefined }), /is missing/],
    ['measured.colour', changed({ colour: [] }), /is no field; there are source, couplingMismatch/],
    ['measured.adc.spread', changed({ adc: { ...good.measured.adc, spread: [] } }), /is no field/],
    [
      'measured.adc.bow',
      changed({ adc: { ...good.measured.adc, bow: undefined } }),
      /is missing; it takes a list/,
    ],
    ['measured.adc.bow', changed({ adc: { ...good.measured.adc, bow: 3 } }), /is 3; it takes a list/],
    [
      'measured.adc.bow[3]',
      changed({ adc: { ...good.measured.adc, bow: eight(65_537) } }),
      /is 65537; it takes a whole number from -65536 to 65536 \(1\/256 LSB\)/,
    ],
    ['measured.inputOffset.offset[3]', changed({ inputOffset: { offset: eight(0.5) } }), /is 0.5/],
    ['measured.leakage.conductance[3]', changed({ leakage: { conductance: eight(-1) } }), /from 0 to 131072/],
    [
      'measured.inputOffset.offset',
      changed({ inputOffset: { offset: [0] } }),
      /has 1 entries; it takes one per cell, 8/,
    ],
    [
      'measured.couplingMismatch.gain',
      changed({ couplingMismatch: { gain: eight(0) } }),
      /one per crosspoint, 64/,
    ],
    [
      'measured.deadCells',
      changed({ deadCells: { cells: [1] } }),
      /is given; effects.deadCells, whose draws it replaces, is off/,
    ],
  ])('%s', (field, data, problem) => {
    expect(parseProfile(data)).toEqual({ field, problem: expect.stringMatching(problem) });
  });

  const share = { sharePpm: 1, source: 'test' };
  const effects = { ...good.effects, deadCells: share, stuckAdcChannels: share };
  test.each([
    ['deadCells.cells[1]', { deadCells: { cells: [2, 2] } }, /is 2; it takes cells 0 to 7, ascending/],
    ['deadCells.cells[0]', { deadCells: { cells: [8] } }, /cells 0 to 7/],
    ['stuckAdcChannels.codes', { stuckAdcChannels: { cells: [1], codes: [] } }, /has 0 entries/],
    [
      'stuckAdcChannels.codes[0]',
      { stuckAdcChannels: { cells: [1], codes: [2048] } },
      /is 2048; the ADC gives codes from -2048 to 2047/,
    ],
  ])('%s', (field, parts, problem) => {
    expect(parseProfile({ ...good, adcBits: 12, effects, measured: { source: 'test', ...parts } })).toEqual({
      field: `measured.${field}`,
      problem: expect.stringMatching(problem),
    });
  });
});
