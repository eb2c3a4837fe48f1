import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';

/**
 * What is drawn once per die. The number is the third counter word, so it may never change: it is part of what a die seed
 * means. Each cell (channel) and each crosspoint has draws of its own, whatever the size of board and program.
 */
export const DIE_DRAW = {
  forwardArray: 1,
  transposedArray: 2,
  timeConstant: 3,
  noiseAmplitude: 4,
  inputOffset: 5,
  leakage: 6,
  driveGain: 7,
  driveOffset: 8,
  driveBow: 9,
  driveCode: 10,
  adcGain: 11,
  adcOffset: 12,
  adcBow: 13,
  adcCode: 14,
  crosstalkFromNext: 15,
  crosstalkFromBefore: 16,
  deadCell: 17,
  stuckAdcChannel: 18,
  stuckAdcCode: 19,
  /** Which cell breaks, which way; the line is the fault's place in the list. */
  dynamicFault: 20,
  thermalOffset: 21,
} as const;
export type DieDraw = (typeof DIE_DRAW)[keyof typeof DIE_DRAW];

/**
 * Random words of a die: item i of line l of the draw is word i & 3 of counter (i >> 2, l, draw, stream) under key
 * (die seed, 0).
 */
export function drawWords(dieSeed: number, draw: DieDraw, line: number, out: Uint32Array): void {
  const four = new Uint32Array(4);
  for (let i = 0; i < out.length; i += 4) {
    philox4x32(i >> 2, line, draw, PHILOX_STREAM.dieDraws, dieSeed, 0, four);
    for (let word = 0; word < 4 && i + word < out.length; word++) out[i + word] = four[word];
  }
}

/** The same as integer Gaussians, σ = 2¹². */
export function drawGaussians(dieSeed: number, draw: DieDraw, line: number, count: number): Int16Array {
  const words = new Uint32Array(count);
  drawWords(dieSeed, draw, line, words);
  return Int16Array.from(words, gaussianOfWord);
}
