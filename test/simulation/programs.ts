import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import type { Random } from './random.js';

/** 64 coupled cells with some noise: 8 KiB of couplings, more frames than the window. */
export function largeProgram(random: Random): ProgramImage {
  const cells = 64;
  const couplings = new Int16Array(cells * cells);
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < i; j++) {
      const code = random.whole(-200, 200);
      couplings[i * cells + j] = code;
      couplings[j * cells + i] = code;
    }
    couplings[i * cells + i] = 32767;
  }
  return {
    mode: PROGRAM_MODE.dense,
    cells,
    rows: cells,
    couplingBits: 16,
    rowAttenuation: 0,
    couplings,
    drive: Int16Array.from({ length: cells }, () => random.whole(-2000, 2000)),
    initialState: Int16Array.from({ length: cells }, () => random.whole(-4000, 4000)),
    damping: random.whole(0, 1000),
    noiseAmplitude: 12288,
    noiseShift: 14,
  };
}

/** More cells than a block of the shortest frame holds. Each sample arrives in two parts. */
export function wideProgram(random: Random): ProgramImage {
  const cells = 100;
  const rows = 4;
  return {
    mode: PROGRAM_MODE.factored,
    cells,
    rows,
    couplingBits: 8,
    rowAttenuation: 4,
    couplings: Int8Array.from({ length: rows * cells }, () => random.whole(-8, 8)),
    drive: Int16Array.from({ length: cells }, () => random.whole(-1000, 1000)),
    initialState: new Int16Array(cells),
    damping: 32768,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}

/** A program without restoring conductances: its cells reach their rails within a few ticks. */
export function overloadingProgram(random: Random): ProgramImage {
  const cells = 8;
  return {
    mode: PROGRAM_MODE.dense,
    cells,
    rows: cells,
    couplingBits: 16,
    rowAttenuation: 0,
    couplings: new Int16Array(cells * cells),
    drive: Int16Array.from({ length: cells }, () => random.whole(2000, 4000)),
    initialState: new Int16Array(cells),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}
