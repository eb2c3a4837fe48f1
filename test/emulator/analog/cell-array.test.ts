import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { RAIL_MAX } from '../../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import {
  arrayState,
  idealBoard,
  integersFrom,
  loadedArray,
  programImage,
} from '../../support/analog-boards.js';
import { referenceState, referenceTick, referenceZeta } from '../../support/analog-reference.js';
import { law } from '../../support/law.js';

const edges = (low: number, high: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: low, max: high }) },
    fc.constantFrom(low, high, 0, high - 1),
  );

/**
 * fast-check draws sizes, registers and `codeSeed`. Couplings, drives and states follow from `codeSeed`, so
 * fast-check does not make them smaller in a failing example.
 */
const problem = fc.record({
  mode: fc.constantFrom(PROGRAM_MODE.dense, PROGRAM_MODE.factored),
  cells: fc.integer({ min: 1, max: 19 }),
  rows: fc.integer({ min: 1, max: 11 }),
  couplingBits: fc.integer({ min: 4, max: 16 }),
  rowAttenuation: fc.oneof(fc.nat(1), fc.nat(12)),
  damping: fc.oneof({ weight: 4, arbitrary: fc.nat(65536) }, edges(0, 4294967295)),
  noise: fc.oneof(fc.constant(0), edges(12288, 24575)),
  noiseShift: fc.integer({ min: 8, max: 24 }),
  style: fc.constantFrom<Style>('gentle', 'random', 'extreme'),
  codeSeed: fc.nat(0xffffffff),
  tickLog2: fc.integer({ min: 2, max: 8 }),
  rail: fc.oneof(
    { weight: 3, arbitrary: fc.constant(RAIL_MAX) },
    edges(1, 20480).map((steps) => Math.max(1, steps) * 1024),
  ),
  spareCells: fc.nat(20),
  dieSeed: edges(0, 0xffffffff),
  runSeed: edges(0, 0xffffffff),
  firstTick: fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 32 - 2, 2 ** 40 + 7, 2 ** 53 - 9)),
  ticks: fc.integer({ min: 0, max: 6 }),
});
type Style = 'gentle' | 'random' | 'extreme';
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never;

/** Draws codes of the given style: of all magnitudes up to `largest`, only ± `largest`, or small codes. */
function codes(style: Style, pick: (low: number, high: number) => number, largest: number): number {
  if (style === 'extreme') return [largest, -largest, -largest - 1, 0][pick(0, 3)];
  const size = style === 'gentle' ? Math.ceil(largest / 16) : largest;
  return pick(-size, size);
}

function imageOf(p: Problem): ProgramImage {
  const dense = p.mode === PROGRAM_MODE.dense;
  const rows = dense ? p.cells : p.rows;
  const attenuation = dense ? 0 : Math.min(p.rowAttenuation, Math.floor(Math.log2(8192 / rows)));
  const pick = integersFrom(p.codeSeed);
  const fill = <T extends Int8Array | Int16Array>(array: T, largest: number) =>
    array.map(() => codes(p.style, pick, largest)) as T;
  const couplings = p.couplingBits <= 8 ? new Int8Array(rows * p.cells) : new Int16Array(rows * p.cells);
  return {
    mode: p.mode,
    cells: p.cells,
    rows,
    couplingBits: p.couplingBits,
    rowAttenuation: attenuation,
    couplings: fill(couplings, 2 ** (p.couplingBits - 1) - 1),
    drive: fill(new Int16Array(p.cells), 32767),
    initialState: fill(new Int16Array(p.cells), 32767),
    damping: p.damping,
    noiseAmplitude: p.noise,
    noiseShift: p.noiseShift,
  };
}

/**
 * Compares random problems. More than `least` of them must reach rails. As many must reach row limits, and as
 * many must reach neither.
 */
function equalsTheReference(problems: number, least: number): void {
  test('every state variable and flag, in problems that reach rails, row limits or neither', () => {
    let cellOverloads = 0;
    let rowOverloads = 0;
    let quiet = 0;
    fc.assert(
      fc.property(problem, (p) => {
        const image = imageOf(p);
        const spare = p.spareCells;
        const profile = {
          cells: p.cells + spare,
          rows: image.rows + spare,
          tickLog2: p.tickLog2,
          rail: p.rail,
        };
        const die = idealBoard(profile, p.dieSeed);
        const array = loadedArray(die, image);
        const done = array.advance(commitProgram(die, image), p.ticks, p.firstTick, p.runSeed, false);
        const reference = referenceState(image, p);
        for (let tick = p.firstTick; tick < p.firstTick + p.ticks; tick++)
          referenceTick(image, p, reference, referenceZeta(p.dieSeed, p.runSeed, tick, p.cells));
        expect(done).toBe(p.ticks);
        expect(arrayState(array, p.cells, image.rows)).toEqual({
          ...reference,
          v: reference.v.map(Number),
          c: reference.c.map(Number),
          r: reference.r.map(Number),
          q: reference.q.map(Number),
        });
        if (reference.cellFlags.includes(1)) cellOverloads++;
        if (reference.rowFlags.includes(1)) rowOverloads++;
        if (!array.overloaded && p.ticks > 0) quiet++;
      }),
      { seed: 20240504, numRuns: problems },
    );
    expect(Math.min(cellOverloads, rowOverloads, quiet)).toBeGreaterThan(least);
  });
}

describe('many problems against the BigInt reference', { tags: 'long' }, () => {
  equalsTheReference(1500, 50);
});

describe('against the BigInt reference', () => {
  equalsTheReference(120, 4);

  test('at the bounds of the device model: 8192 cells, and all codes at a largest value', {
    tags: 'long',
  }, () => {
    const cells = 8192;
    const image = programImage({
      mode: PROGRAM_MODE.factored,
      cells,
      rows: 2,
      rowAttenuation: 12,
      couplings: new Int16Array(2 * cells).fill(-32768),
      drive: new Int16Array(cells).fill(-32768),
      initialState: new Int16Array(cells).fill(32767),
      damping: 4294967295,
      noiseAmplitude: 24575,
      noiseShift: 8,
    });
    const die = idealBoard({ cells, rows: 2, tickLog2: 2 }, 9);
    const array = loadedArray(die, image);
    array.advance(commitProgram(die, image), 3, 5, 6, false);
    const reference = referenceState(image, die.profile);
    for (let tick = 5; tick < 8; tick++)
      referenceTick(image, die.profile, reference, referenceZeta(9, 6, tick, cells));
    const state = arrayState(array, cells, 2);
    expect(state.v).toEqual(reference.v.map(Number));
    expect(state.r).toEqual(reference.r.map(Number));
    expect(state.q).toEqual(reference.q.map(Number));
  });
});

describe('a run', () => {
  law('gives the same states in pieces', { seed: 20240505, numRuns: 300 }, (runs) => {
    fc.assert(
      fc.property(problem, fc.nat(6), (p, cut) => {
        const image = imageOf(p);
        const first = Math.min(cut, p.ticks);
        const die = idealBoard(
          { cells: p.cells, rows: image.rows, tickLog2: p.tickLog2, rail: p.rail },
          p.dieSeed,
        );
        const program = commitProgram(die, image);
        const whole = loadedArray(die, image);
        const split = loadedArray(die, image);
        whole.advance(program, p.ticks, p.firstTick, p.runSeed, false);
        split.advance(program, first, p.firstTick, p.runSeed, false);
        split.advance(program, p.ticks - first, p.firstTick + first, p.runSeed, false);
        expect(arrayState(split, p.cells, image.rows)).toEqual(arrayState(whole, p.cells, image.rows));
      }),
      runs,
    );
  });

  law('does not depend on earlier programs of the board', { seed: 20240506, numRuns: 300 }, (runs) => {
    fc.assert(
      fc.property(problem, problem, (before, p) => {
        const image = imageOf(p);
        const earlier = imageOf(before);
        const die = idealBoard({ cells: 40, rows: 40, tickLog2: p.tickLog2, rail: p.rail }, p.dieSeed);
        const fresh = loadedArray(die, image);
        const used = loadedArray(die, earlier);
        used.advance(commitProgram(die, earlier), before.ticks, before.firstTick, before.runSeed, false);
        used.loadInitialState(image.initialState);
        used.clearFlags();
        for (const array of [fresh, used])
          array.advance(commitProgram(die, image), p.ticks, p.firstTick, p.runSeed, false);
        expect(arrayState(used, 40, 40)).toEqual(arrayState(fresh, 40, 40));
      }),
      runs,
    );
  });

  test('does not change cells and rows beyond the program', () => {
    const die = idealBoard({ cells: 4, rows: 4 });
    const large = programImage({ cells: 4, couplings: new Int16Array(16), drive: Int16Array.of(1, 2, 3, 4) });
    const small = programImage({ cells: 2, couplings: new Int16Array(4), drive: Int16Array.of(9, 9) });
    const array = loadedArray(die, large);
    array.advance(commitProgram(die, large), 5, 0, 0, false);
    const before = arrayState(array, 4, 4);
    array.advance(commitProgram(die, small), 5, 0, 0, false);
    expect(arrayState(array, 4, 4).v.slice(2)).toEqual(before.v.slice(2));
    expect(arrayState(array, 2, 2).v).not.toEqual(before.v.slice(0, 2));
  });
});

describe('overload', () => {
  /** The drive of one cell without couplings. Its v rises by 32·e/2^(5+k) = e/2ᵏ per tick. */
  const drive = 16384;
  const risePerTick = (drive * 2048) / 2 ** 5;
  const image = programImage({ cells: 1, couplings: new Int16Array(1), drive: Int16Array.of(drive) });
  const die = idealBoard({ cells: 1, rows: 1, tickLog2: 5 });
  const program = commitProgram(die, image);
  // 20 ticks, each with a rise of 2²⁰, reach the default rail of 20·2²⁰ exactly. This is no overload. The
  // next tick overloads.
  const ticksToRail = RAIL_MAX / risePerTick;

  test('halts after exactly the tick in which the first flag is set, for any slices of the run', () => {
    expect(ticksToRail).toBe(20);
    for (let slice = 1; slice <= 30; slice++) {
      const array = loadedArray(die, image);
      let ticks = 0;
      for (;;) {
        const done = array.advance(program, slice, ticks, 0, true);
        ticks += done;
        if (done < slice || array.overloaded) break;
      }
      expect(ticks).toBe(21);
      expect(array.v[0]).toBe(RAIL_MAX);
    }
  });

  test('a voltage at the rail is no overload; one LSB beyond is an overload', () => {
    const array = loadedArray(die, image);
    expect(array.advance(program, 20, 0, 0, true)).toBe(20);
    expect([array.v[0], array.overloaded]).toEqual([RAIL_MAX, false]);
    const nudge = commitProgram(die, { ...image, drive: Int16Array.of(1) });
    expect(array.advance(nudge, 5, 20, 0, true)).toBe(1);
    expect([array.v[0], array.cellFlags[0]]).toEqual([RAIL_MAX, 1]);
  });

  test('flags stay until they are cleared, and a run without halt goes on', () => {
    const array = loadedArray(die, image);
    expect(array.advance(program, 25, 0, 0, false)).toBe(25);
    const back = commitProgram(die, { ...image, drive: Int16Array.of(-drive) });
    array.advance(back, 5, 25, 0, true);
    expect([array.overloaded, array.v[0]]).toEqual([true, RAIL_MAX - 5 * risePerTick]);
    array.clearFlags();
    expect(array.overloaded).toBe(false);
  });

  // Both cells are at v = ± 20480, and the row adds up U = (32767 + second)·v. The row's y = U >> 15 is near
  // ± 20480, and its exact value changes by 5/8 with each unit of `second`.
  test.each([
    [1, 20480, 0],
    [1, -20480, 0],
    [2, 20480, 0],
    [2, -20480, 1],
    [3, 20480, 1],
    [3, -20480, 1],
  ])(
    'a row sets its flag above 20480 and, because y is rounded down, just below −20480 (%i, %i)',
    (second, v, flag) => {
      const factored = programImage({
        mode: PROGRAM_MODE.factored,
        cells: 2,
        rows: 1,
        couplings: Int16Array.of(32767, second),
        initialState: Int16Array.of(v, v),
      });
      const board = idealBoard({ cells: 2, rows: 1 });
      const array = loadedArray(board, factored);
      array.advance(commitProgram(board, factored), 1, 0, 0, false);
      expect(array.rowFlags[0]).toBe(flag);
      if (flag) expect(array.q[0]).toBe(0);
    },
  );
});

test('loading a state clamps to the rail, discharges the rest and clears every carry', () => {
  const die = idealBoard({ cells: 3, rows: 2, rail: 5 * 1024 });
  const image = programImage({
    mode: PROGRAM_MODE.factored,
    cells: 3,
    rows: 2,
    couplings: Int16Array.of(3, 5, 7, 11, 13, 17),
    drive: Int16Array.of(1, 2, 3),
    initialState: Int16Array.of(1, -2, 3),
    damping: 12345,
  });
  const array = loadedArray(die, image);
  array.advance(commitProgram(die, image), 3, 0, 0, false);
  expect(Math.max(...array.c, ...array.r, ...array.q)).toBeGreaterThan(0);
  array.loadInitialState(Int16Array.of(32767, -32768));
  const { v, c, r, q } = arrayState(array, 3, 2);
  expect(v).toEqual([5 * 1024, -5 * 1024, 0]);
  expect([...c, ...r, ...q].every((carry) => carry === 0)).toBe(true);
});
