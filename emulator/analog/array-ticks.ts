import type { EffectiveProgram, ProgramArrays } from './effective-program.js';

/** Everything the array keeps from tick to tick, in buffers of the board's size. */
export interface ArrayState {
  /** Cell voltages, 2⁻²⁴ V_fs, within ± rail. */
  readonly v: Int32Array;
  /** Carry of the array input, 0…1023. */
  readonly c: Int32Array;
  /** Carry of the integrator, 0…2^(5+k) − 1. */
  readonly r: Int32Array;
  /** Carry of the row amplifiers, 0…2^(15+ρ) − 1. */
  readonly q: Int32Array;
  /** 1 if the cell has hit a rail, or the row amplifier its limit, since the flags were last cleared. */
  readonly cellFlags: Uint8Array;
  readonly rowFlags: Uint8Array;
}

/** Computes ticks. There are two implementations, the oracle and the kernel, and both give the same bits. */
export interface ArrayTicks {
  readonly state: ArrayState;
  /** Whether these ticks include the die's common-mode noise. If not, the caller adds it after each tick. */
  readonly addsCommonMode: boolean;
  /**
   * Reads the first out.length cells of `state` as the ideal ADC does. Ticks have this method only if it is
   * faster than `readAdc` of adc.ts.
   */
  readAdc?(out: Int16Array): boolean;
  /**
   * Announces that a program with these arrays will run. Ticks have this method only if they have something
   * to prepare.
   */
  prepare?(arrays: ProgramArrays): void;
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
  ): number;
}

/** One step of v as the array sees it: 2¹⁰ LSB, 2⁻¹⁴ V_fs. An initial state has the same unit. */
export const ARRAY_STEP = 1024;
