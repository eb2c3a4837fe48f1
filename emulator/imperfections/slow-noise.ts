import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import {
  CELLS_PER_NOISE_BLOCK,
  noiseGroup,
  PHILOX_STREAM,
  philox4x32,
  UINT32,
} from '../../firmware-protocol/philox.js';

/** A segment: slow noise holds for this many ticks (device-model.md, "Imperfections"). */
export const SEGMENT_TICKS = 1024;
/**
 * Each octave changes half as often as the one before. Together they make 1/f noise from 2⁻²⁰ to 2⁻¹¹ per
 * tick.
 */
const OCTAVES = 9;
/** √OCTAVES. The sum of all octaves, divided by this number, has the variance of one octave. */
export const OCTAVES_ROOT = 3;
const OCTAVE_UNIT = 65536;
/** The Philox group of the noise that the whole board shares. No cell has this group. */
const SHARED_GROUP = 65535;

/**
 * Slow noise by the method of Voss (in Gardner, Scientific American, April 1978): octaves of held draws. It
 * is a pure function of (die seed, run seed, segment, cell). Octave o of segment s is Philox counter (s >> o
 * low, high, 2¹⁶·o + group, drift). Returns the sums over the octaves of every cell, σ = OCTAVES_ROOT · 2¹².
 */
export function slowNoise(dieSeed: number, runSeed: number, segment: number, cells: number): Int32Array {
  const out = new Int32Array(cells);
  const words = new Uint32Array(4);
  for (let octave = 0; octave < OCTAVES; octave++)
    for (let first = 0; first < cells; first += CELLS_PER_NOISE_BLOCK)
      for (let lane = 0; lane < 4; lane++) {
        drawOctave(dieSeed, runSeed, segment, octave, noiseGroup(first + lane), words);
        for (let word = 0; word < 4; word++) {
          const cell = first + lane + 4 * word;
          if (cell < cells) out[cell] += gaussianOfWord(words[word]);
        }
      }
  return out;
}

/** The same noise, but one value for the whole board. */
export function sharedSlowNoise(dieSeed: number, runSeed: number, segment: number): number {
  const words = new Uint32Array(4);
  let sum = 0;
  for (let octave = 0; octave < OCTAVES; octave++) {
    drawOctave(dieSeed, runSeed, segment, octave, SHARED_GROUP, words);
    sum += gaussianOfWord(words[0]);
  }
  return sum;
}

function drawOctave(
  dieSeed: number,
  runSeed: number,
  segment: number,
  octave: number,
  group: number,
  out: Uint32Array,
): void {
  const held = Math.floor(segment / (1 << octave));
  const counter = octave * OCTAVE_UNIT + group;
  philox4x32(held >>> 0, Math.floor(held / UINT32), counter, PHILOX_STREAM.drift, dieSeed, runSeed, out);
}
