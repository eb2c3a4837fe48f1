import { describe, expect, test } from 'vitest';
import type { Die } from '../../../emulator/analog/die.js';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { narrowInputMax } from '../../../emulator/kernel/kernel-program.js';
import { NOISE_AMPLITUDE_MAX, RAIL_MAX } from '../../../firmware-protocol/limits.js';
import { PROGRAM_MODE } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom, programImage } from '../../support/analog-boards.js';
import { imperfectBoard } from '../../support/imperfect-boards.js';
import { boardsOf } from '../../support/kernel-boards.js';

/** A dense program whose sums need more than 32 bits at the rails, and at most 32 bits at small voltages. */
function wideProgram(die: Die, cells: number, damping: number) {
  const pick = integersFrom(cells);
  const couplings = Int16Array.from({ length: cells * cells }, () => pick(-4000, 4000));
  for (let i = 0; i < cells; i++) couplings[i * cells + i] = 32767;
  const image = programImage({
    cells,
    couplings,
    drive: Int16Array.from({ length: cells }, () => pick(-20000, 20000)),
    damping,
    noiseAmplitude: NOISE_AMPLITUDE_MAX,
    noiseShift: 12,
  });
  const program = commitProgram(die, image);
  let norm = 0;
  for (let i = 0; i < cells; i++) {
    let sum = 0;
    for (const g of program.forward.subarray(i * cells, (i + 1) * cells)) sum += Math.abs(g);
    norm = Math.max(norm, sum);
  }
  const carryMax = 2 ** (5 + die.profile.tickLog2);
  return { image, program, narrow: narrowInputMax(program, norm, carryMax) };
}

describe('sums of 32 bits in ticks with small enough voltages', () => {
  // Programs of 100 and 41 cells have padding. One form writes this padding, and the other form reads it.
  test.each([
    [256, 0],
    [100, 3000],
    [41, 900_000],
  ])('%i cells, damping %i: small voltages, larger ones, small ones again', (cells, damping) => {
    const die = idealBoard({ cells: cells + 3, rows: cells + 3, tickLog2: 5 }, 3);
    const { program, narrow } = wideProgram(die, cells, damping);
    const { all, expectEqual } = boardsOf(die);
    let tick = 0;
    for (const initial of [0, narrow - 40, narrow - 1, narrow, narrow + 1, 20479, 0]) {
      // Neighbouring cells start at opposite voltages.
      const codes = new Int16Array(cells).map((_, i) => (i % 2 ? initial : -initial));
      all((array) => array.loadInitialState(codes));
      for (let turn = 0; turn < 5; turn++) {
        all((array) => array.advance(program, 1, tick, 9, false));
        expectEqual(++tick);
      }
    }
    expect(narrow).toBeGreaterThan(100);
    expect(narrow).toBeLessThan(RAIL_MAX / 1024);
  });

  test('a row with the largest possible sum, at the largest voltage for 32 bits and beyond it', () => {
    const cells = 32;
    const die = idealBoard({ cells, rows: cells, tickLog2: 5 });
    for (const sign of [1, -1]) {
      const image = programImage({
        cells,
        couplings: new Int16Array(cells * cells).fill(32767 * sign),
        drive: new Int16Array(cells).fill(-16000),
      });
      const program = commitProgram(die, image);
      const narrow = narrowInputMax(program, 32 * 32767, 1024);
      expect(narrow).toBeGreaterThan(0);
      const { all, expectEqual } = boardsOf(die);
      for (const code of [narrow, narrow + 1, -narrow, -narrow - 1]) {
        all((array) => array.loadInitialState(new Int16Array(cells).fill(code)));
        all((array) => array.advance(program, 3, 0, 1, false));
        expectEqual();
      }
    }
  });
});

describe('an array that is read once, alternately from its start and from its end', () => {
  test.each([
    ['dense', PROGRAM_MODE.dense],
    ['factored', PROGRAM_MODE.factored],
  ])(
    '%s: couplings of one sign and voltages at the rails, so that every flush of the column sums is needed',
    (_, mode) => {
      const cells = 520;
      const die = idealBoard({ cells, rows: cells, tickLog2: 2 });
      const image = programImage({
        mode,
        cells,
        couplings: new Int16Array(cells * cells).fill(600),
        initialState: new Int16Array(cells).fill(32767),
      });
      const program = commitProgram(die, image);
      const { all, expectEqual } = boardsOf(die);
      all((array) => array.loadInitialState(image.initialState));
      for (const ticks of [1, 2, 3]) {
        all((array) => array.advance(program, ticks, 0, 1, false));
        expectEqual();
      }
      // Each tick takes every cell from one rail to the other, so all end at a rail.
      const [atRails] = all((array) => array.v.every((v) => Math.abs(v) === RAIL_MAX));
      expect(atRails).toBe(true);
    },
  );
});

describe('the kernel adds common-mode noise if it is the only imperfection', () => {
  test.each([
    ['a small share', 5000, 24575, 12, 2 ** 32 - 5],
    ['as much as the noise that each cell has by itself', 1_000_000, 24575, 8, 7],
    ['the faintest noise', 300_000, 12288, 24, 2 ** 53 - 40],
    ['kicks of ζ/2, of which every second one is rounded', 500_000, 16384, 14, 0],
  ])('%s', (_, sharePpm, noiseAmplitude, noiseShift, firstTick) => {
    const die = imperfectBoard(
      { commonModeNoise: { sharePpm, source: 'test' } },
      { cells: 70, rows: 70, tickLog2: 4 },
      0xfffffff1,
    );
    const { image } = wideProgram(die, 57, 400);
    const program = commitProgram(die, { ...image, noiseAmplitude, noiseShift });
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.loadInitialState(new Int16Array(57).fill(9000)));
    for (let turn = 0; turn < 6; turn++) {
      all((array) => array.advance(program, 5, firstTick + 5 * turn, 0xffffff00, false));
      expectEqual();
    }
  });

  test('a kick beyond the rails sets a flag, and halts the run after that tick', () => {
    const effects = { commonModeNoise: { sharePpm: 1_000_000, source: 'test' } };
    const die = imperfectBoard(effects, { cells: 40, rows: 40, rail: RAIL_MAX / 2, tickLog2: 4 });
    const image = programImage({
      cells: 33,
      couplings: new Int16Array(33 * 33),
      noiseAmplitude: NOISE_AMPLITUDE_MAX,
      noiseShift: 8,
    });
    const program = commitProgram(die, image);
    const { all, expectEqual } = boardsOf(die);
    const done = all((array) => array.advance(program, 4000, 0, 5, true));
    expect(new Set(done).size).toBe(1);
    expect(done[0]).toBeLessThan(4000);
    const [overloaded] = all((array) => array.overloaded);
    expect(overloaded).toBe(true);
    expectEqual();
  });
});

describe('couplings of at most 8 bits, which one of the compared boards stores as int8', () => {
  /** Couplings in random stretches. About one stretch in three has codes, and the others are zero. */
  function stretches(
    rows: number,
    cells: number,
    code: () => number,
    pick: (a: number, b: number) => number,
  ) {
    const couplings = new Int8Array(rows * cells);
    for (let at = 0; at < couplings.length; ) {
      const end = Math.min(couplings.length, at + pick(1, 90));
      if (pick(0, 2) === 0) for (; at < end; at++) couplings[at] = code();
      at = end;
    }
    return couplings;
  }

  test.each([
    ['few rows of many cells', 21, 1500, 8, 0],
    ['rows that are zero, and odd sizes', 37, 101, 6, 2],
    ['one cell', 5, 1, 4, 0],
    // 2 · 8 · 128 · 20480 · 51 is about 2³¹, so the sums of columns must be flushed.
    ['so many rows at their limits that sums of columns are flushed', 1900, 40, 8, 0],
  ])('%s, prepared or not', (_, rows, cells, couplingBits, rowAttenuation) => {
    const pick = integersFrom(rows);
    const die = idealBoard({ cells: cells + 5, rows: rows + 3, tickLog2: 4 });
    const most = 2 ** (couplingBits - 1) - 1;
    const atLimits = rows > 1000;
    const couplings = atLimits
      ? new Int8Array(rows * cells).fill(most)
      : stretches(rows, cells, () => pick(-most, most), pick);
    const image = programImage({
      mode: PROGRAM_MODE.factored,
      cells,
      rows,
      couplingBits,
      rowAttenuation,
      couplings,
      initialState: Int16Array.from({ length: cells }, () => (atLimits ? 20000 : pick(-9000, 9000))),
    });
    const program = commitProgram(die, image);
    expect(program.forward).toBeInstanceOf(Int8Array);
    const other = commitProgram(die, { ...image, couplings: couplings.map((code) => -code) });
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.loadInitialState(image.initialState));
    for (const [turn, next] of [program, program, other, program].entries()) {
      if (turn % 2 === 0) all((array) => array.prepare(next));
      all((array) => array.advance(next, 2, 2 * turn, 1, false));
      expectEqual();
    }
  });

  test.each([
    // Sums over up to 255 pairs of rows fit 32 bits, and so do sums over up to 127 blocks of 16 columns.
    [
      'so many rows that sums of columns are widened on the way',
      1900,
      40,
      (_: number, cell: number) => cell < 16,
    ],
    ['so many cells that sums of rows are widened on the way', 8, 4200, (row: number) => row < 3],
  ] as const)(
    'an array with less than half of its couplings used, at its limits: %s',
    (_, rows, cells, isUsed) => {
      const die = idealBoard({ cells, rows, tickLog2: 4 });
      for (const code of [127, -127]) {
        const couplings = new Int8Array(rows * cells).map((_, at) =>
          isUsed(Math.floor(at / cells), at % cells) ? code : 0,
        );
        const initialState = new Int16Array(cells).fill(20000);
        const { factored: mode } = PROGRAM_MODE;
        const program = commitProgram(
          die,
          programImage({ mode, cells, rows, couplingBits: 8, couplings, initialState }),
        );
        const { all, expectEqual } = boardsOf(die);
        all((array) => array.loadInitialState(initialState));
        for (let tick = 0; tick < 3; tick++) {
          all((array) => array.advance(program, 1, tick, 1, false));
          expectEqual();
        }
      }
    },
  );

  test('one code that is clamped makes all codes int16', () => {
    const image = programImage({ cells: 2, couplingBits: 8, couplings: Int8Array.of(1, -128, 3, 127) });
    const { forward, couplingShift } = commitProgram(idealBoard({ cells: 2, rows: 2 }), image);
    expect(forward).toEqual(Int16Array.of(256, -32767, 768, 32512));
    expect(couplingShift).toBe(0);
  });
});
