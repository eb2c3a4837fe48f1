import fc from 'fast-check';
import type { Die } from '../../emulator/analog/die.js';
import { commitProgram, type EffectiveProgram } from '../../emulator/analog/effective-program.js';
import type { FaultKind } from '../../emulator/imperfections/faults.js';
import type { DieEffects } from '../../emulator/imperfections/table.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { RAIL_MAX, ROW_TABLE_NODES } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom } from './analog-boards.js';

/**
 * Largest number of products of a random problem. It is small, because the oracle is slow and the crosspoints
 * of an imperfect die are drawn.
 */
const PRODUCTS_MAX = 150_000;
const IMPERFECT_PRODUCTS_MAX = 30_000;
/** Coloured noise needs up to 1,280 ticks of every cell before the first tick. */
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

/** Any choice of the harsh effects, and faults in the first ticks. */
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

/** A random program on a random die. */
export const problem = fc.record({
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
export type Problem = typeof problem extends fc.Arbitrary<infer T> ? T : never;

/** Cells and rows of the problem's program: as many as the slow oracle allows. */
export function shapeOf(p: Problem): { cells: number; rows: number } {
  const most = p.die ? IMPERFECT_PRODUCTS_MAX : PRODUCTS_MAX;
  if (p.mode === PROGRAM_MODE.dense) {
    const cells = Math.min(p.cells, Math.floor(Math.sqrt(most)));
    return { cells, rows: cells };
  }
  const cells = p.die ? Math.min(p.cells, IMPERFECT_CELLS_MAX) : p.cells;
  return { cells, rows: Math.max(1, Math.min(p.rows, Math.floor(most / cells))) };
}

/**
 * A code of the style. The style `mixed` has a few columns of large codes, so that sums are widened at uneven
 * places.
 */
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

export function imageOf(p: Problem): ProgramImage {
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
    rowElement: dense ? undefined : rowElementOf(p, rows, pick),
  };
}

/**
 * Every third problem has a row element with a random table and random row drives. Any number of its rows may
 * stay linear.
 */
function rowElementOf(p: Problem, rows: number, pick: (low: number, high: number) => number) {
  if (p.codeSeed % 3 !== 0) return undefined;
  const largest = [300, 20000, 32767][pick(0, 2)];
  const drawn = (length: number) => Int16Array.from({ length }, () => pick(-largest - 1, largest));
  return { linearRows: pick(0, rows), table: drawn(ROW_TABLE_NODES), drive: drawn(rows) };
}

/**
 * A program as an imperfect die has it: with another second array, and with numbers that differ from cell to
 * cell.
 */
export function programOf(p: Problem, die: Die, image: ProgramImage): EffectiveProgram {
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

export function boardOf(p: Problem): Die {
  const { cells, rows } = shapeOf(p);
  const size = { cells: cells + p.spareCells, rows: rows + p.spareRows };
  const sound = idealBoard({ ...size, tickLog2: p.tickLog2, rail: p.rail }, p.dieSeed);
  return p.die ? imperfect(sound, p.die) : sound;
}

/** The die with these effects of the harsh profile, all others off, and with these broken parts. */
export function imperfect(die: Die, { effects, faults }: NonNullable<Problem['die']>): Die {
  const off = Object.fromEntries(Object.keys(HARSH).map((name) => [name, null]));
  const on = Object.fromEntries(effects.map((name) => [name, HARSH[name]]));
  const all = { ...off, ...on } as unknown as DieEffects;
  return { ...die, profile: { ...die.profile, effects: all }, faults };
}
