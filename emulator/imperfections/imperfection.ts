/**
 * The type of an imperfection, which this folder also calls an effect. One file holds all of one effect: the
 * magnitudes that a profile gives, the draws from the die seed, its action at commit or between ticks, and
 * its row of device-model.md, "Imperfections". `table.ts` lists the effects.
 */

import { MILLION } from './gain.js';

/** The range of one integer of a profile. */
export interface IntegerRule {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

/**
 * A list of integers: one for each cell, one for each crosspoint of the forward array, or (`named`) one for
 * each cell that the list `cells` of the same effect holds.
 */
export interface ListRule extends IntegerRule {
  readonly each: 'cell' | 'crosspoint' | 'named';
}

export type IntegerRules = Readonly<Record<string, IntegerRule>>;
export type ListRules = Readonly<Record<string, ListRule>>;
/** An effect that cannot be measured has no lists. */
export type NoLists = Readonly<Record<string, never>>;

/** The magnitudes of an effect that is on, and their source ("assumed" if nothing supports them). */
export type Magnitudes<M> = { readonly [F in keyof M]: number } & { readonly source: string };

/** Values that were measured on one board. They replace the draws. */
export type Lists<L> = { readonly [F in keyof L]: readonly number[] };

/**
 * The sizes of a board type and the seed of one die. Draws and rules depend on them and on the magnitudes.
 */
export interface DieInfo {
  /** u32. */
  readonly dieSeed: number;
  /** Number of cells of the board, including cells that the program does not use. */
  readonly cells: number;
  /** Number of rows of the board, including rows that the program does not use. */
  readonly rows: number;
  readonly driveBits: number;
  readonly driveRange: number;
  readonly adcBits: number;
}

/**
 * The numbers of the cells of a die, one entry per cell of the board (device-model.md, "Draws and
 * roundings").
 */
export interface CellParts {
  /** γ_i in 2⁻²⁰: the cell integrates at the rate γ_i/τ. */
  readonly rate: Int32Array;
  /** Factor on the noise amplitude, in 2⁻²⁰. */
  readonly noiseGain: Int32Array;
  /** Added to the drive before γ_i, in 2⁻²⁴ V_fs·G_fs. */
  readonly inputOffset: Int32Array;
  /** Added to the damping before γ_i, in 2⁻¹⁵ G_fs; never negative. */
  readonly leakage: Int32Array;
  /** Shares x⁺ and x⁻ of the neighbours' lines that the cell's line picks up, in 2⁻²⁰. */
  readonly fromNext: Int32Array;
  readonly fromBefore: Int32Array;
}

/** The numbers of the row amplifiers of a die, one entry per row of the board. */
export interface RowParts {
  /** Factor on the output of the row, in 2⁻²⁰. */
  readonly gain: Int32Array;
  /** Added to the output of the row, in 2⁻¹⁴ V_fs. */
  readonly offset: Int32Array;
}

/** Writes the gains 1 + ε of the first `gains.length` crosspoints of a row into `gains`, in 2⁻²⁰. */
export type CrosspointGains = (array: 'forward' | 'transposed', row: number, gains: Int32Array) => void;

/** The drive in 2⁻²⁴ V_fs·G_fs that the converter of a cell makes of a code. */
export type ConvertDrive = (code: number, cell: number) => number;

/**
 * Writes the codes of the first `out.length` cells of `v` (2⁻²⁴ V_fs) into `out`. Returns whether any code
 * was clamped to the range of the ADC.
 */
export type ReadAdc = (v: Int32Array, out: Int16Array) => boolean;

/** The noise registers of a program on a die. */
export interface NoiseRegisters {
  readonly cells: number;
  /** a_i. */
  readonly noiseAmplitude: Int32Array;
  /** s. */
  readonly noiseShift: number;
}

/** Writes z_i of one tick for the first `cells` cells (device-model.md, "Noise"). */
export type Gaussians = (runSeed: number, tick: number, cells: number, out: Int32Array) => void;

/** What happens to the voltages after each tick, before they are clamped to the rails once more. */
export interface AfterTick {
  /** True: it also happens to a program without noise. */
  readonly actsWithoutNoise?: true;
  /**
   * Writes other values of ζ_i (device-model.md, "One tick") into `out`. The tick itself then runs without
   * noise, and the kicks of these ζ_i are added after the tick.
   */
  neighbourSums?(runSeed: number, tick: number, cells: number, out: Int32Array): void;
  /** Changes v in place, in 2⁻²⁴ V_fs. */
  change?(v: Float64Array, program: NoiseRegisters, tick: number, runSeed: number): void;
  /** The share of common-mode noise in 2⁻¹⁶, for a kernel that can add it itself. */
  readonly commonShare?: number;
}

/** The change of the drives in one segment of 1024 ticks: the drive is e_i·gain + offset_i. */
export interface Wandering {
  /** In 2⁻²⁰. */
  gain: number;
  /** In 2⁻²⁴ V_fs·G_fs, one per cell of the program. */
  readonly offsets: Float64Array;
}

export const CELL_STATE = { sound: 0, dead: 1, atUpperRail: 2, atLowerRail: 3 } as const;

/** What is broken on a board. */
export interface Damage {
  /** Ticks that the board has run since it was made. */
  readonly ticks: number;
  /** CELL_STATE of every cell. */
  readonly cellStates: Uint8Array;
  /** The code of a stuck ADC channel, by its cell. */
  readonly stuckCodes: Map<number, number>;
  /** The value of `ticks` at which a thermal drift began; undefined without a thermal drift. */
  warmingSince: number | undefined;
}

/** An effect. It changes only the parts of a board for which it has a hook. */
export interface Imperfection<M extends IntegerRules = IntegerRules, L extends ListRules = NoLists> {
  /**
   * `commit`: it does not change with time, and a commit applies it to a program's numbers (only `adc` acts
   * at each reading). `time`: it acts between ticks.
   */
  readonly acts: 'commit' | 'time';
  /** The rule of the effect, as a cell of the table of device-model.md. */
  readonly rule: string;
  /** The magnitudes of the effect, as that table shows them. */
  size(magnitudes: Magnitudes<M>): string;
  /** The rules of the magnitudes that a profile's `effects` holds for it. */
  readonly magnitudes: M;
  /** The rules of the lists that a profile's `measured` may hold for it, in place of draws. */
  readonly measured?: L;
  /**
   * Numbers of the draws. The meaning of a die seed depends on them: no number may change or be used twice.
   */
  readonly draws?: Readonly<Record<string, number>>;
  /**
   * Numbers per cell that a commit applies. If several effects give the same number, gains are multiplied,
   * and all other numbers are added.
   */
  cells?(magnitudes: Magnitudes<M>, die: DieInfo, measured?: Lists<L>): Partial<CellParts>;
  /** Gains of the crosspoints. Only one effect may have this hook. */
  crosspoints?(magnitudes: Magnitudes<M>, die: DieInfo, measured?: Lists<L>): CrosspointGains;
  /**
   * Gains and offsets of the row amplifiers, which a commit applies. At most one effect may give gains, and
   * at most one may give offsets.
   */
  rows?(magnitudes: Magnitudes<M>, die: DieInfo): Partial<RowParts>;
  /** Replaces the ideal drive DAC. Only one effect may have this hook. */
  convertDrive?(magnitudes: Magnitudes<M>, die: DieInfo, measured?: Lists<L>): ConvertDrive;
  /** Replaces the ideal ADC. Only one effect may have this hook. */
  readAdc?(magnitudes: Magnitudes<M>, die: DieInfo, measured?: Lists<L>): ReadAdc;
  /** Marks the parts that are broken from the start. */
  breaks?(magnitudes: Magnitudes<M>, die: DieInfo, damage: Damage, measured?: Lists<L>): void;
  /** Acts after every tick, in the order of the table. Undefined: the magnitudes are too small to act. */
  afterTick?(magnitudes: Magnitudes<M>, die: DieInfo, gaussians: Gaussians): AfterTick | undefined;
  /** Changes the drives from one segment of 1024 ticks of a board run to the next. */
  wanders?(
    magnitudes: Magnitudes<M>,
    die: DieInfo,
  ): (wandering: Wandering, runSeed: number, segment: number) => void;
}

/** Lets the compiler find the magnitudes and lists of an effect from its rules. */
export function imperfection<M extends IntegerRules, L extends ListRules = NoLists>(
  effect: Imperfection<M, L>,
): Imperfection<M, L> {
  return effect;
}

/** Something that breaks at a set tick (device-model.md, "Faults on demand"). */
export interface Fault {
  /** What it does, for people who choose one. */
  readonly words: string;
  /** The rule of the effect, as a cell of the table of device-model.md. */
  readonly rule: string;
  /** Whether it happens to one cell. */
  readonly isOfCell: boolean;
  /** The board restarts right after its tick. */
  readonly restarts?: true;
  /** `word` is drawn from the die seed. */
  happens?(damage: Damage, die: DieInfo, cell: number, word: number): void;
}

const SPREAD_PPM_MAX = 200000;

export function integer(min: number, max: number, unit: string): IntegerRule {
  return { min, max, unit };
}

export function list(each: ListRule['each'], min: number, max: number, unit: string): ListRule {
  return { each, min, max, unit };
}

/**
 * The rule of a standard deviation that is not 0. It is at most 0.2 (200,000 ppm): with a larger deviation
 * too many drawn gains would be outside 0…2.
 */
export const spreadPpm = (unit = 'ppm') => integer(1, SPREAD_PPM_MAX, `${unit}, a standard deviation`);
/** The rule of a standard deviation that may be 0. */
export const anySpreadPpm = (unit = 'ppm') => integer(0, SPREAD_PPM_MAX, `${unit}, a standard deviation`);
export const sharePpm = (unit: string) => integer(1, MILLION, unit);

/** The rule of a list of gains of 0…2 in 2⁻²⁰, one per cell or crosspoint. */
export const gains = (each: 'cell' | 'crosspoint') => list(each, 0, 2097152, '2⁻²⁰');

/** 5000 → `0.5 %`. */
export function percent(ppm: number): string {
  return `${ppm / 10000} %`;
}
