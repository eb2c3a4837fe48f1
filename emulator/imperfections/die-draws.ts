import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { PHILOX_STREAM, philox4x32, UINT32 } from '../../firmware-protocol/philox.js';
import { MILLION } from './gain.js';
import type { DieInfo } from './imperfection.js';

/**
 * Random words of a die (device-model.md, "Imperfections"): item i of line l of a draw is word i & 3 of
 * counter (i >> 2, l, draw, stream) under key (die seed, 0). Each cell and each crosspoint has draws of its
 * own. They do not depend on the size of board or program.
 */
export function drawWords(dieSeed: number, draw: number, line: number, out: Uint32Array): void {
  const four = new Uint32Array(4);
  for (let i = 0; i < out.length; i += 4) {
    philox4x32(i >> 2, line, draw, PHILOX_STREAM.dieDraws, dieSeed, 0, four);
    for (let word = 0; word < 4 && i + word < out.length; word++) out[i + word] = four[word];
  }
}

/** The same draws as integer Gaussians, σ = 2¹², in place of words. */
export function drawGaussians(dieSeed: number, draw: number, line: number, count: number): Int16Array {
  const words = new Uint32Array(count);
  drawWords(dieSeed, draw, line, words);
  return Int16Array.from(words, gaussianOfWord);
}

/** One value per cell of the board, each made of a Gaussian of line 0 of the draw. */
export function drawEach(
  { dieSeed, cells }: DieInfo,
  draw: number,
  value: (z: number) => number,
): Int32Array {
  return Int32Array.from(drawGaussians(dieSeed, draw, 0, cells), value);
}

/** One value per row of the board, made in the same way. */
export function drawEachRow(
  { dieSeed, rows }: DieInfo,
  draw: number,
  value: (z: number) => number,
): Int32Array {
  return Int32Array.from(drawGaussians(dieSeed, draw, 0, rows), value);
}

/**
 * The broken cells, if `ppm` of all cells are broken. They are the cells whose word lies below ⌊ppm·2³²/10⁶⌋.
 */
export function drawBroken({ dieSeed, cells }: DieInfo, draw: number, sharePpm: number): number[] {
  const words = new Uint32Array(cells);
  drawWords(dieSeed, draw, 0, words);
  const limit = Math.floor((sharePpm * UINT32) / MILLION);
  return [...words.keys()].filter((cell) => words[cell] < limit);
}
