import type { EffectiveProgram } from './effective-program.js';

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
  /** 1: the cell hit a rail, or the row amplifier its limit, since the flags were cleared. */
  readonly cellFlags: Uint8Array;
  readonly rowFlags: Uint8Array;
}

/** What makes ticks pass: the oracle or the kernel. Both give the same bits. */
export interface ArrayTicks {
  readonly state: ArrayState;
  /** Whether the die's common-mode noise is part of these ticks; else whoever drives them adds it after each. */
  readonly addsCommonMode: boolean;
  /** The ideal ADC on the first out.length cells of `state`, if these ticks have a faster one than `readAdc` of adc.ts. */
  readAdc?(out: Int16Array): boolean;
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
  ): number;
}

/** The array sees v in steps of 2¹⁰ LSB: 2⁻¹⁴ V_fs, also the unit of an initial state. */
export const ARRAY_STEP = 1024;
