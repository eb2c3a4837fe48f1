import { PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';

/**
 * The address of one use of the board. It determines the noise: the run seed is Philox(seed; step, block,
 * attempt). No two uses may have the same address.
 */
export interface RunAddress {
  /** Chosen by the user; u32. */
  readonly seed: number;
  /** Training step, or 0; u32. */
  readonly step: number;
  /** Number of the block of parameters, or of the right-hand side, in that step; u16. */
  readonly block: number;
}

/**
 * The run seed (u32) of one board run: word 0 of Philox4x32-10 with key (seed, 0) and counter (step, block,
 * attempt, runSeed). Every board run of a training has another attempt, block or step, and a repeated
 * training repeats its noise. Counters differ, but two of their 32-bit images may be equal: among n board
 * runs two share their noise with probability 1 − e^(−n²/2³³), which is one half at n = 77,000. The two runs
 * of such a pair belong to different problems at random steps, so the pair shifts no average.
 */
export function runSeedOf(address: RunAddress, attempt: number): number {
  const words = new Uint32Array(4);
  philox4x32(address.step, address.block, attempt, PHILOX_STREAM.runSeed, address.seed, 0, words);
  return words[0];
}
