import { COUPLING_UNIT_LOG2, ROW_RAIL, ROW_TABLE_STEP } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { columnSums, rowSums } from './array-product.js';
import { ARRAY_STEP, type ArrayState, type ArrayTicks } from './array-ticks.js';
import type { Die } from './die.js';
import type { EffectiveProgram } from './effective-program.js';
import { addThermalNoise, NoiseSource } from './noise-source.js';

/** Drives are in 2⁻²⁴ V_fs·G_fs, products in 2⁻²⁹: T = 32·e − … and Δ = T >> (5 + k). */
const DRIVE_SCALE = 32;
const DRIVE_SCALE_LOG2 = 5;

/**
 * The array's tick in integers, exactly as device-model.md, "One tick", says. It is the definition: every
 * faster implementation must give the same bits. It is written to be read, not to be quick.
 */
export class OracleTicks implements ArrayTicks {
  readonly state: ArrayState;
  readonly addsCommonMode = false;
  readonly #die: Die;
  readonly #noise: NoiseSource;
  /** w_i, y_r, S_i and ζ_i of the current tick; `next` is v_i before its clamp. */
  readonly #w: Float64Array;
  readonly #y: Float64Array;
  readonly #s: Float64Array;
  readonly #next: Float64Array;
  readonly #zeta: Int32Array;

  constructor(die: Die) {
    const { cells, rows } = die.profile;
    this.#die = die;
    this.state = {
      v: new Int32Array(cells),
      c: new Int32Array(cells),
      r: new Int32Array(cells),
      q: new Int32Array(rows),
      cellFlags: new Uint8Array(cells),
      rowFlags: new Uint8Array(rows),
    };
    this.#noise = new NoiseSource(die.dieSeed, cells);
    this.#w = new Float64Array(cells);
    this.#y = new Float64Array(rows);
    this.#s = new Float64Array(cells);
    this.#next = new Float64Array(cells);
    this.#zeta = new Int32Array(cells);
  }

  advance(
    program: EffectiveProgram,
    ticks: number,
    firstTick: number,
    runSeed: number,
    haltOnOverload: boolean,
  ): number {
    for (let done = 0; done < ticks; done++) {
      const overload = this.#step(program, firstTick + done, runSeed);
      if (overload && haltOnOverload) return done + 1;
    }
    return ticks;
  }

  /** Computes one tick. Returns whether a cell or a row went over its limit in this tick. */
  #step(program: EffectiveProgram, tick: number, runSeed: number): boolean {
    const { cells, rows } = program;
    const { rail, tickLog2 } = this.#die.profile;
    const { v, c, r, q, cellFlags, rowFlags } = this.state;
    let rowOverload = false;
    arrayInput(v, c, cells, this.#w);
    if (program.mode === PROGRAM_MODE.dense) {
      rowSums(program.forward, this.#w, rows, cells, this.#s);
      scale(this.#s, cells, program.couplingShift);
    } else {
      rowSums(program.forward, this.#w, rows, cells, this.#y);
      scale(this.#y, rows, program.couplingShift);
      rowOverload = rowAmplifiers(this.#y, q, rowFlags, program);
      rowOutputs(this.#y, program);
      columnSums(program.transposed, this.#y, rows, cells, this.#s);
      // S = 2^ρ · Σ k′·(F − d).
      scale(this.#s, cells, program.couplingShift + program.rowAttenuation);
    }
    integrate(program, v, this.#w, this.#s, r, 1 << (DRIVE_SCALE_LOG2 + tickLog2), this.#next);
    if (program.noiseCodeMax !== 0) {
      this.#noise.neighbourSums(runSeed, tick, cells, this.#zeta);
      addThermalNoise(this.#next, program.noiseAmplitude, this.#zeta, program.noiseShift, cells);
    }
    const cellOverload = clampToRails(this.#next, v, cellFlags, cells, rail);
    return rowOverload || cellOverload;
  }
}

/** u = v + c; w = u >> 10; c = u − w·2¹⁰. */
function arrayInput(v: Int32Array, c: Int32Array, cells: number, w: Float64Array): void {
  for (let i = 0; i < cells; i++) {
    const u = v[i] + c[i];
    const seen = u >> 10;
    c[i] = u - seen * ARRAY_STEP;
    w[i] = seen;
  }
}

/**
 * Makes y of Σ k·w, in place: U = y + q; y = U >> (15 + ρ); q = U − y·2^(15+ρ). Beyond ±20480 y is clamped, q
 * becomes 0 and the row's flag is set, unless the row has the row element. Returns whether any flag was set.
 */
function rowAmplifiers(
  y: Float64Array,
  q: Int32Array,
  flags: Uint8Array,
  { rows, linearRows, rowAttenuation }: EffectiveProgram,
): boolean {
  const unit = 1 << (COUPLING_UNIT_LOG2 + rowAttenuation);
  let overload = false;
  for (let r = 0; r < rows; r++) {
    const u = y[r] + q[r];
    const out = Math.floor(u / unit);
    if (out > ROW_RAIL || out < -ROW_RAIL) {
      y[r] = out > 0 ? ROW_RAIL : -ROW_RAIL;
      q[r] = 0;
      if (r < linearRows) {
        flags[r] = 1;
        overload = true;
      }
    } else {
      y[r] = out;
      q[r] = u - out * unit;
    }
  }
  return overload;
}

/**
 * Replaces the y of each row by F − d, with F = T(y) for a row with the row element and F = y for other rows.
 * T is linear between its nodes: i = y >> 8, f = y & 255, F = T_i + (((T_{i+1} − T_i)·f + 128) >> 8).
 */
function rowOutputs(y: Float64Array, { rows, linearRows, rowTable, rowDrive }: EffectiveProgram): void {
  if (rowTable)
    for (let r = linearRows; r < rows; r++) {
      const node = Math.floor((y[r] + ROW_RAIL) / ROW_TABLE_STEP);
      const rest = y[r] + ROW_RAIL - node * ROW_TABLE_STEP;
      const rise = (rowTable[node + 1] - rowTable[node]) * rest;
      y[r] = rowTable[node] + Math.floor((rise + ROW_TABLE_STEP / 2) / ROW_TABLE_STEP);
    }
  if (rowDrive) for (let r = 0; r < rows; r++) y[r] -= rowDrive[r];
}

/** sums = 2^shift · sums. */
function scale(sums: Float64Array, count: number, shift: number): void {
  const factor = 1 << shift;
  for (let i = 0; i < count; i++) sums[i] *= factor;
}

/** T = 32·e − S − λ·w + r; Δ = T >> (5 + k); r = T − Δ·2^(5+k); next = v + Δ. `unit` is 2^(5+k). */
function integrate(
  program: EffectiveProgram,
  v: Int32Array,
  w: Float64Array,
  s: Float64Array,
  r: Int32Array,
  unit: number,
  next: Float64Array,
): void {
  const { cells, drive, damping } = program;
  for (let i = 0; i < cells; i++) {
    const t = DRIVE_SCALE * drive[i] - s[i] - damping[i] * w[i] + r[i];
    const delta = Math.floor(t / unit);
    r[i] = t - delta * unit;
    next[i] = v[i] + delta;
  }
}

/**
 * v = clamp(next, ± rail). A cell whose `next` lies outside is flagged. Returns whether any cell was flagged.
 */
function clampToRails(
  next: Float64Array,
  v: Int32Array,
  flags: Uint8Array,
  cells: number,
  rail: number,
): boolean {
  let overload = false;
  for (let i = 0; i < cells; i++) {
    const x = next[i];
    if (x > rail || x < -rail) {
      flags[i] = 1;
      overload = true;
      v[i] = x > 0 ? rail : -rail;
    } else v[i] = x;
  }
  return overload;
}
