import { clamp } from '../../firmware-protocol/clamp.js';
import { CELL_STATE, type ReadAdc } from '../imperfections/imperfection.js';
import { makeAdc } from './adc.js';
import { ARRAY_STEP, type ArrayTicks } from './array-ticks.js';
import { BoardFaults } from './board-faults.js';
import type { Die } from './die.js';
import type { EffectiveProgram, ProgramArrays } from './effective-program.js';
import { withTimeEffects } from './imperfect-ticks.js';

/**
 * The board's cells and row amplifiers, stepped tick by tick as device-model.md says under "One tick". The
 * maker of the board chooses what computes the ticks: the WebAssembly kernel or the oracle. Both give the
 * same bits. Buffers have the board's size. A smaller program runs on the first cells and rows, and does not
 * change the others.
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
  readonly #faults: BoardFaults;
  readonly #readAdc: ReadAdc;

  /** `faults` holds the present and future faults. A reset of the board keeps them. */
  constructor(die: Die, ticks: ArrayTicks, faults: BoardFaults = new BoardFaults(die)) {
    this.#die = die;
    this.#ticks = withTimeEffects(die, ticks, faults);
    this.#faults = faults;
    this.#readAdc = makeAdc(die, ticks.readAdc && ((_, out) => ticks.readAdc!(out)));
    ({
      v: this.v,
      c: this.c,
      r: this.r,
      q: this.q,
      cellFlags: this.cellFlags,
      rowFlags: this.rowFlags,
    } = ticks.state);
  }

  /**
   * Sets the first cells from codes in 2⁻¹⁴ V_fs, clamped to the rail, and all others to 0 V. Clears c, r and
   * q.
   */
  loadInitialState(codes: Int16Array): void {
    const { rail } = this.#die.profile;
    const { v } = this;
    v.fill(0);
    const { cellStates } = this.#faults;
    for (let i = 0; i < codes.length; i++)
      if (cellStates[i] !== CELL_STATE.dead) v[i] = clamp(codes[i] * ARRAY_STEP, -rail, rail);
    this.c.fill(0);
    this.r.fill(0);
    this.q.fill(0);
  }

  /**
   * Advances by `ticks` ticks. The first of them is tick `firstTick` (< 2⁵³) of the board run's noise. With
   * `haltOnOverload` it stops after the tick in which a cell or a row went over its limit. Returns how many
   * ticks were done.
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

  /** Announces that a program with these arrays will run. Then its first tick need not wait. */
  prepare(arrays: ProgramArrays): void {
    this.#ticks.prepare?.(arrays);
  }

  /** Reads the first out.length cells. Returns whether any code was clamped to the ADC's range. */
  readAdc(out: Int16Array): boolean {
    const clipped = this.#readAdc(this.v, out);
    for (const [cell, code] of this.#faults.stuckCodes) if (cell < out.length) out[cell] = code;
    return clipped;
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
