import { clamp } from '../../firmware-protocol/fixed-point.js';
import { newKernelTicks } from '../kernel/kernel-ticks.js';
import { readAdc } from './adc.js';
import { ARRAY_STEP } from './array-step.js';
import type { ArrayTicks } from './array-ticks.js';
import type { Die } from './die.js';
import type { EffectiveProgram } from './effective-program.js';
import { OracleTicks } from './oracle-ticks.js';

/**
 * The board's cells and row amplifiers, stepped tick by tick as docs/device-model.md says. Ticks are computed by the
 * WebAssembly kernel or, where the host has no SIMD, by the oracle. Buffers have the board's size; a smaller program runs on
 * the first cells and rows and leaves the others alone.
 */
export class CellArray {
  readonly v: Int32Array;
  readonly c: Int32Array;
  readonly r: Int32Array;
  readonly q: Int32Array;
  readonly cellFlags: Uint8Array;
  readonly rowFlags: Uint8Array;

  readonly #die: Die;
  readonly #ticks: ArrayTicks;

  constructor(die: Die, ticks: ArrayTicks = newKernelTicks(die) ?? new OracleTicks(die)) {
    this.#die = die;
    this.#ticks = ticks;
    ({
      v: this.v,
      c: this.c,
      r: this.r,
      q: this.q,
      cellFlags: this.cellFlags,
      rowFlags: this.rowFlags,
    } = ticks.state);
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
    return this.#ticks.advance(program, ticks, firstTick, runSeed, haltOnOverload);
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
}
