import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CellArray } from '../../../emulator/analog/cell-array.js';
import type { Die } from '../../../emulator/analog/die.js';
import type { FaultKind } from '../../../emulator/analog/dynamic-fault.js';
import { commitProgram, type EffectiveProgram } from '../../../emulator/analog/effective-program.js';
import { OracleTicks } from '../../../emulator/analog/oracle-ticks.js';
import { kernelWarning } from '../../../emulator/kernel/kernel-module.js';
import { newKernelTicks } from '../../../emulator/kernel/kernel-ticks.js';
import type { DieEffects } from '../../../emulator/profiles/die-effects.js';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { stateBytes } from '../../../emulator/state-digest.js';
import { RAIL_MAX } from '../../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom } from '../../support/analog-boards.js';

/** Products of a random problem at most: the oracle has to keep up, and an imperfect die's crosspoints are drawn. */
const PRODUCTS_MAX = 150_000;
const IMPERFECT_PRODUCTS_MAX = 30_000;
/** Coloured noise is fed with up to 1,280 ticks of every cell before the first. */
const IMPERFECT_CELLS_MAX = 300;

const STYLES = ['faint', 'gentle', 'mixed', 'random', 'extreme'] as const;

/** Sizes of every magnitude, and those around the kernel's panels (8, 32) and noise blocks (16, 32). */
const size = (max: number) =>
  fc.oneof(
    fc.integer({ min: 1, max: Math.min(max, 80) }),
    fc.integer({ min: 0, max: Math.log2(max) * 8 }).map((step) => Math.min(max, Math.round(2 ** (step / 8)))),
    fc.constantFrom(
      ...[7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 96, 256].map((n) => Math.min(max, n)),
    ),
  );

const HARSH = findProfile('harsh-64')!.effects!;

/** Any choice of the harsh effects, and what breaks at the first ticks. */
const imperfections = fc.record({
  effects: fc.subarray(Object.keys(HARSH) as (keyof DieEffects)[]),
  faults: fc.array(
    fc.record({
      kind: fc.constantFrom<FaultKind>('deadCell', 'saturatingCell', 'stuckAdcChannel', 'thermalDrift'),
      atTick: fc.nat(4),
    }),
    { maxLength: 3 },
  ),
});

const problem = fc.record({
  mode: fc.constantFrom(PROGRAM_MODE.dense, PROGRAM_MODE.factored),
  cells: size(8192),
  rows: size(4096),
  spareCells: fc.nat(40),
  spareRows: fc.nat(40),
  couplingBits: fc.integer({ min: 4, max: 16 }),
  rowAttenuation: fc.nat(12),
  damping: fc.oneof(fc.constant(0), fc.nat(65536), fc.constantFrom(4294967295, 2147483648)),
  noise: fc.oneof(fc.constant(0), fc.integer({ min: 12288, max: 24575 })),
  noiseShift: fc.integer({ min: 8, max: 24 }),
  style: fc.constantFrom(...STYLES),
  twoArrays: fc.boolean(),
  symmetric: fc.boolean(),
  unevenCells: fc.boolean(),
  codeSeed: fc.nat(0xffffffff),
  tickLog2: fc.integer({ min: 2, max: 8 }),
  rail: fc.oneof(
    fc.constant(RAIL_MAX),
    fc.integer({ min: 1, max: 20480 }).map((steps) => steps * 1024),
  ),
  dieSeed: fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff)),
  runSeed: fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 0xffffffff)),
  firstTick: fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 32 - 2, 2 ** 40 + 7, 2 ** 53 - 9)),
  ticks: fc.integer({ min: 0, max: 5 }),
  halts: fc.boolean(),
  die: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, imperfections),
});
type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never;

function shapeOf(p: Problem): { cells: number; rows: number } {
  const most = p.die ? IMPERFECT_PRODUCTS_MAX : PRODUCTS_MAX;
  if (p.mode === PROGRAM_MODE.dense) {
    const cells = Math.min(p.cells, Math.floor(Math.sqrt(most)));
    return { cells, rows: cells };
  }
  const cells = p.die ? Math.min(p.cells, IMPERFECT_CELLS_MAX) : p.cells;
  return { cells, rows: Math.max(1, Math.min(p.rows, Math.floor(most / cells))) };
}

/** A code of the style: `mixed` has a few columns of large ones, so that sums are widened at uneven places. */
function drawCode(
  style: Problem['style'],
  pick: (low: number, high: number) => number,
  largest: number,
  column: number,
): number {
  if (style === 'extreme') return [largest, -largest, -largest - 1, 0][pick(0, 3)];
  const part = { faint: 256, gentle: 16, mixed: column % 29 < 3 ? 1 : 64, random: 1 }[style];
  const most = Math.ceil(largest / part);
  return pick(-most, most);
}

function imageOf(p: Problem): ProgramImage {
  const { cells, rows } = shapeOf(p);
  const dense = p.mode === PROGRAM_MODE.dense;
  const pick = integersFrom(p.codeSeed);
  const largest = 2 ** (p.couplingBits - 1) - 1;
  const couplings = p.couplingBits <= 8 ? new Int8Array(rows * cells) : new Int16Array(rows * cells);
  for (let i = 0; i < couplings.length; i++) couplings[i] = drawCode(p.style, pick, largest, i % cells);
  if (dense && p.symmetric)
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < i; j++) couplings[i * cells + j] = couplings[j * cells + i];
  const codes = () => Int16Array.from({ length: cells }, (_, i) => drawCode(p.style, pick, 32767, i));
  return {
    mode: p.mode,
    cells,
    rows,
    couplingBits: p.couplingBits,
    rowAttenuation: dense ? 0 : Math.min(p.rowAttenuation, Math.floor(Math.log2(8192 / rows))),
    couplings,
    drive: codes(),
    initialState: codes(),
    damping: p.damping,
    noiseAmplitude: p.noise,
    noiseShift: p.noiseShift,
  };
}

/** As an imperfect die will have it: another second array, and numbers that differ from cell to cell. */
function programOf(p: Problem, die: Die, image: ProgramImage): EffectiveProgram {
  const program = commitProgram(die, image);
  const pick = integersFrom(p.codeSeed + 1);
  return {
    ...program,
    transposed: p.twoArrays
      ? program.transposed.map((code) => Math.max(-32767, Math.min(32767, code + pick(-9, 9))))
      : program.transposed,
    damping: p.unevenCells
      ? program.damping.map((value) => Math.min(4294967295, value + pick(0, 99)))
      : program.damping,
    noiseAmplitude:
      p.unevenCells && p.noise > 0
        ? program.noiseAmplitude.map(() => pick(0, 32767))
        : program.noiseAmplitude,
  };
}

function boardOf(p: Problem): Die {
  const { cells, rows } = shapeOf(p);
  const size = { cells: cells + p.spareCells, rows: rows + p.spareRows };
  const sound = idealBoard({ ...size, tickLog2: p.tickLog2, rail: p.rail }, p.dieSeed);
  return p.die ? imperfect(sound, p.die) : sound;
}

function imperfect(die: Die, { effects, faults }: NonNullable<Problem['die']>): Die {
  const off = Object.fromEntries(Object.keys(HARSH).map((name) => [name, null]));
  const on = Object.fromEntries(effects.map((name) => [name, HARSH[name]]));
  const all = { ...off, ...on } as unknown as DieEffects;
  return { ...die, profile: { ...die.profile, effects: all }, faults };
}

/** Boards by the oracle, by the kernel, and by the kernel with each coupling read once wherever it can. */
function boardsOf(die: Die) {
  const arrays = [
    new CellArray(die, new OracleTicks(die)),
    new CellArray(die),
    new CellArray(die, newKernelTicks(die, 0)),
  ];
  return {
    all: <T>(act: (array: CellArray) => T): T[] => arrays.map(act),
    expectEqual(tick = 0) {
      const [oracle, ...others] = arrays.map((array) => Buffer.from(stateBytes(array, tick)));
      const differences = others.map((bytes) =>
        bytes.equals(oracle) ? 'none' : `from byte ${bytes.findIndex((byte, i) => byte !== oracle[i])}`,
      );
      expect(differences).toEqual(['none', 'none']);
    },
  };
}

test('these tests run the kernel', () => {
  expect(kernelWarning()).toBeUndefined();
});

describe('the kernel equals the oracle in every bit, on ideal and imperfect dies', () => {
  let overloads = 0;
  let quiet = 0;
  const styles = new Set<string>();

  test('random problems of both modes', () => {
    fc.assert(
      fc.property(problem, (p) => {
        const die = boardOf(p);
        const image = imageOf(p);
        const program = programOf(p, die, image);
        const { all, expectEqual } = boardsOf(die);
        all((array) => array.loadInitialState(image.initialState));
        const done = all((array) => array.advance(program, p.ticks, p.firstTick, p.runSeed, p.halts));
        expect(new Set(done).size).toBe(1);
        expectEqual();
        const readings = all((array) => {
          const codes = new Int16Array(image.cells);
          return [array.readAdc(codes), ...codes].join();
        });
        expect(new Set(readings).size).toBe(1);
        const [overloaded] = all((array) => array.overloaded);
        if (overloaded) overloads++;
        else if (p.ticks > 0) {
          quiet++;
          styles.add(`${p.mode} ${p.style}`);
        }
      }),
      { seed: 20240601, numRuns: Number(process.env['KERNEL_PROBLEMS'] ?? 300) },
    );
  });

  test('and those reached limits, and did not, in both modes', () => {
    expect(Math.min(overloads, quiet)).toBeGreaterThan(80);
    expect(styles.size).toBeGreaterThan(5);
  });

  test('one board after the other program, in pieces, without a fresh state', () => {
    fc.assert(
      fc.property(fc.array(problem, { minLength: 3, maxLength: 6 }), fc.nat(0xffff), (parts, seed) => {
        const cells = Math.max(...parts.map((p) => shapeOf(p).cells));
        const rows = Math.max(...parts.map((p) => shapeOf(p).rows));
        const sound = idealBoard({ cells, rows, tickLog2: parts[0].tickLog2 }, seed);
        const die = parts[1].die ? imperfect(sound, parts[1].die) : sound;
        const programs = parts.map((p) => programOf(p, die, imageOf(p)));
        const { all, expectEqual } = boardsOf(die);
        all((array) => array.loadInitialState(imageOf(parts[0]).initialState));
        const pick = integersFrom(seed);
        let tick = Math.max(0, parts[0].firstTick - 100);
        for (let turn = 0; turn < 10; turn++) {
          const program = programs[pick(0, programs.length - 1)];
          const ticks = pick(0, 3);
          const runSeed = pick(0, 1);
          all((array) => array.advance(program, ticks, tick, runSeed, false));
          expectEqual(tick);
          tick += pick(0, 3) === 0 ? ticks + 1 : ticks;
        }
      }),
      { seed: 20240602, numRuns: 60 },
    );
  });

  test('only drive and registers change: the couplings that are there are used', () => {
    const die = idealBoard({ cells: 40, rows: 40 });
    const pick = integersFrom(5);
    const draw = (count: number, largest: number) =>
      Int16Array.from({ length: count }, () => pick(-largest, largest));
    const image: ProgramImage = {
      mode: PROGRAM_MODE.factored,
      cells: 40,
      rows: 12,
      couplingBits: 16,
      rowAttenuation: 1,
      couplings: draw(480, 3000),
      drive: draw(40, 5000),
      initialState: draw(40, 5000),
      damping: 500,
      noiseAmplitude: 15000,
      noiseShift: 14,
    };
    const first = commitProgram(die, image);
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.advance(first, 5, 0, 1, false));
    const second = commitProgram(die, { ...image, drive: draw(40, 9000), damping: 9, noiseShift: 9 }, first);
    all((array) => array.advance(second, 5, 5, 1, false));
    expectEqual();
    all((array) => array.advance(first, 5, 10, 1, false));
    expectEqual();
  });

  const large = (parts: Partial<ProgramImage> & Pick<ProgramImage, 'cells' | 'rows'>, seed: number) => {
    const { cells, rows } = parts;
    const pick = integersFrom(seed);
    const pattern = Int16Array.from({ length: 65521 }, () => pick(-600, 600));
    const couplings = new Int16Array(rows * cells);
    for (let at = 0; at < couplings.length; at += pattern.length)
      couplings.set(pattern.subarray(0, couplings.length - at), at);
    return {
      mode: PROGRAM_MODE.factored,
      couplingBits: 16,
      rowAttenuation: 0,
      couplings,
      drive: Int16Array.from({ length: cells }, () => pick(-2000, 2000)),
      initialState: Int16Array.from({ length: cells }, () => pick(-9000, 9000)),
      damping: 3000,
      noiseAmplitude: 20000,
      noiseShift: 17,
      ...parts,
    };
  };

  const symmetric = (cells: number) => {
    const image = large({ cells, rows: cells, mode: PROGRAM_MODE.dense }, 6);
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < i; j++) image.couplings[i * cells + j] = image.couplings[j * cells + i];
    return image;
  };

  test.each([
    ['8192 cells, 640 rows', large({ cells: 8192, rows: 640 }, 1), 3],
    ['8191 cells, 1023 rows, attenuated', large({ cells: 8191, rows: 1023, rowAttenuation: 3 }, 2), 2],
    ['2048 cells, dense', large({ cells: 2048, rows: 2048, mode: PROGRAM_MODE.dense }, 3), 3],
    ['2000 cells, dense and symmetric', symmetric(2000), 3],
    ['8192 cells, dense', large({ cells: 8192, rows: 8192, mode: PROGRAM_MODE.dense }, 4), 1],
    [
      '8192 cells, dense, all codes largest and of one sign',
      {
        ...large({ cells: 8192, rows: 8192, mode: PROGRAM_MODE.dense }, 5),
        couplings: new Int16Array(8192 * 8192).fill(-32768),
        initialState: new Int16Array(8192).fill(32767),
        drive: new Int16Array(8192).fill(-32768),
        damping: 4294967295,
        noiseShift: 8,
      },
      1,
    ],
  ])('%s', (_, image, ticks) => {
    const die = idealBoard({ cells: 8192, rows: image.rows, tickLog2: 5, banks: 1 }, 77);
    const program = commitProgram(die, image);
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.loadInitialState(image.initialState));
    all((array) => array.advance(program, ticks, 2 ** 32 - 2, 78, false));
    expectEqual();
  });
});

test('the embedded module is what the sources compile to (npm run build)', () => {
  execFileSync(process.execPath, ['emulator/kernel/scripts/build-kernel.mjs', '--check']);
});

describe('a host that can not run the kernel', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test.each([
    ['no WebAssembly', undefined, /no WebAssembly:/],
    ['no SIMD', { validate: () => false }, /no WebAssembly SIMD/],
  ])('%s: says so, and the oracle computes', async (_, api, message) => {
    vi.stubGlobal('WebAssembly', api);
    vi.resetModules();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const ticks = await import('../../../emulator/kernel/kernel-ticks.js');
    expect(ticks.newKernelTicks(idealBoard({ cells: 2, rows: 2 }))).toBeUndefined();
    const cellArray = await import('../../../emulator/analog/cell-array.js');
    expect(new cellArray.CellArray(idealBoard({ cells: 2, rows: 2 })).v).toHaveLength(2);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(message)]]);
    const fresh = await import('../../../emulator/kernel/kernel-module.js');
    expect(fresh.kernelWarning()).toMatch(message);
  });
});
