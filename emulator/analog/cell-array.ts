import { clamp } from '../../firmware-protocol/fixed-point.js';
import { COUPLING_UNIT_LOG2, ROW_RAIL } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { readAdc } from './adc.js';
import { columnSums, rowSums } from './array-product.js';
import type { Die } from './die.js';
import type { EffectiveProgram } from './effective-program.js';
import { addThermalNoise, NoiseSource } from './noise-source.js';

/** The array sees v in steps of 2¹⁰ LSB: 2⁻¹⁴ V_fs, also the unit of an initial state. */
const ARRAY_STEP = 1024;
/** Drive is in 2⁻²⁴, the products in 2⁻²⁹ V_fs·G_fs: T = 32·e − … and Δ = T >> (5 + k). */
const DRIVE_SCALE = 32;
const DRIVE_SCALE_LOG2 = 5;

/**
 * The board's cells and row amplifiers, stepped tick by tick in integers exactly as docs/device-model.md says. This is
 * the oracle of every faster implementation: plain rather than quick. Buffers have the board's size; a smaller program
 * runs on the first cells and rows and leaves the others alone.
 */
export class CellArray {
  /** Cell voltages, 2⁻²⁴ V_fs, within ± rail. */
  readonly v: Int32Array;
  /** Carry of the array input, 0…1023. */
  readonly c: Int32Array;
  /** Carry of the integrator, 0…2^(5+k) − 1. */
  readonly r: Int32Array;
  /** Carry of the row amplifiers, 0…2^(15+ρ) − 1. */
  readonly q: Int32Array;
  /** 1: the cell hit a rail, or the row amplifier its limit, since the last `clearFlags`. */
  readonly cellFlags: Uint8Array;
  readonly rowFlags: Uint8Array;

  readonly #die: Die;
  readonly #noise: NoiseSource;
  /** w_i, y_r and S_i of the current tick, and v_i before its clamp; ζ_i. */
  readonly #w: Float64Array;
  readonly #y: Float64Array;
  readonly #s: Float64Array;
  readonly #next: Float64Array;
  readonly #zeta: Int32Array;

  constructor(die: Die) {
    const { cells, rows } = die.profile;
    this.#die = die;
    this.v = new Int32Array(cells);
    this.c = new Int32Array(cells);
    this.r = new Int32Array(cells);
    this.q = new Int32Array(rows);
    this.cellFlags = new Uint8Array(cells);
    this.rowFlags = new Uint8Array(rows);
    this.#noise = new NoiseSource(die.dieSeed, cells);
    this.#w = new Float64Array(cells);
    this.#y = new Float64Array(rows);
    this.#s = new Float64Array(cells);
    this.#next = new Float64Array(cells);
    this.#zeta = new Int32Array(cells);
  }

  /** Sets the first cells from codes in 2⁻¹⁴ V_fs, clamped to the rail, and discharges all others; clears c, r, q. */
  loadInitialState(codes: Int16Array): void {
    const { rail } = this.#die.profile;
    this.v.fill(0);
    for (let i = 0; i < codes.length; i++) this.v[i] = clamp(codes[i] * ARRAY_STEP, -rail, rail);
    this.c.fill(0);
    this.r.fill(0);
    this.q.fill(0);
  }

  /**
   * Advances by `ticks` ticks, the first of which is tick `firstTick` (< 2⁵³) of the run's noise. Returns the ticks
   * done: with `haltOnOverload` it stops after the tick in which a cell or a row went over its limit.
   */
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

  /** Reads the first out.length cells; says whether any code was cut to the ADC's range. */
  readAdc(out: Int16Array): boolean {
    return readAdc(this.v, this.#die.profile.adcBits, out);
  }

  /** Whether any cell or row flag is set. */
  get overloaded(): boolean {
    return this.cellFlags.includes(1) || this.rowFlags.includes(1);
  }

  clearFlags(): void {
    this.cellFlags.fill(0);
    this.rowFlags.fill(0);
  }

  /** One tick; says whether anything went over its limit in it. */
  #step(program: EffectiveProgram, tick: number, runSeed: number): boolean {
    const { cells, rows } = program;
    const { rail, tickLog2 } = this.#die.profile;
    let rowOverload = false;
    arrayInput(this.v, this.c, cells, this.#w);
    if (program.mode === PROGRAM_MODE.dense) {
      rowSums(program.forward, this.#w, rows, cells, this.#s);
    } else {
      rowSums(program.forward, this.#w, rows, cells, this.#y);
      rowOverload = rowAmplifiers(this.#y, this.q, this.rowFlags, rows, program.rowAttenuation);
      columnSums(program.transposed, this.#y, rows, cells, this.#s);
      restoreRowScale(this.#s, cells, program.rowAttenuation);
    }
    integrate(program, this.v, this.#w, this.#s, this.r, 1 << (DRIVE_SCALE_LOG2 + tickLog2), this.#next);
    if (program.noiseCodeMax !== 0) {
      this.#noise.neighbourSums(runSeed, tick, cells, this.#zeta);
      addThermalNoise(this.#next, program.noiseAmplitude, this.#zeta, program.noiseShift, cells);
    }
    const cellOverload = clampToRails(this.#next, this.v, this.cellFlags, cells, rail);
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
 * From y = Σ k·w in place: U = y + q; y = U >> (15 + ρ); q = U − y·2^(15+ρ). Beyond ±20480 y is clamped, q emptied and
 * the row's flag set.
 */
function rowAmplifiers(
  y: Float64Array,
  q: Int32Array,
  flags: Uint8Array,
  rows: number,
  attenuation: number,
): boolean {
  const unit = 1 << (COUPLING_UNIT_LOG2 + attenuation);
  let overload = false;
  for (let r = 0; r < rows; r++) {
    const u = y[r] + q[r];
    const out = Math.floor(u / unit);
    if (out > ROW_RAIL || out < -ROW_RAIL) {
      y[r] = out > 0 ? ROW_RAIL : -ROW_RAIL;
      q[r] = 0;
      flags[r] = 1;
      overload = true;
    } else {
      y[r] = out;
      q[r] = u - out * unit;
    }
  }
  return overload;
}

/** S = 2^ρ · Σ k′·y. */
function restoreRowScale(s: Float64Array, cells: number, attenuation: number): void {
  const scale = 1 << attenuation;
  for (let i = 0; i < cells; i++) s[i] *= scale;
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

/** v = clamp(next, ± rail); flags a cell whose next lies strictly outside. */
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
