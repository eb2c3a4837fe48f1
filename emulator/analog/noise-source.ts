import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { CELLS_PER_NOISE_BLOCK, PHILOX_STREAM, philox4x32, UINT32 } from '../../firmware-protocol/philox.js';

/**
 * The Gaussians z_i[t] of a board run, a pure function of (die seed, run seed, tick, cell) (device-model.md,
 * "Noise"). A tick needs z at its start and at its end. Its end is the start of the next tick, so each z is
 * computed once.
 */
export class NoiseSource {
  readonly #dieSeed: number;
  readonly #words = new Uint32Array(CELLS_PER_NOISE_BLOCK);
  #start: Int32Array;
  #end: Int32Array;
  /** The tick, seed and cell count of the values in #end. If the cell count is 0, there are no values yet. */
  #held = { runSeed: 0, tick: 0, cells: 0 };

  constructor(dieSeed: number, cells: number) {
    this.#dieSeed = dieSeed;
    this.#start = new Int32Array(cells);
    this.#end = new Int32Array(cells);
  }

  /** ζ_i = z_i[t] + z_i[t+1] of the first `cells` cells into out; |ζ| ≤ 2 · 25519. */
  neighbourSums(runSeed: number, tick: number, cells: number, out: Int32Array): void {
    const held = this.#held;
    if (held.runSeed !== runSeed || held.tick !== tick || held.cells !== cells)
      this.gaussians(runSeed, tick, cells, this.#end);
    [this.#start, this.#end] = [this.#end, this.#start];
    this.gaussians(runSeed, tick + 1, cells, this.#end);
    this.#held = { runSeed, tick: tick + 1, cells };
    addNeighbours(this.#start, this.#end, cells, out);
  }

  /** z_i of one tick into out. */
  gaussians(runSeed: number, tick: number, cells: number, out: Int32Array): void {
    const low = tick >>> 0;
    const high = Math.floor(tick / UINT32);
    for (let first = 0; first < cells; first += CELLS_PER_NOISE_BLOCK)
      fillBlock(this.#words, low, high, first, this.#dieSeed, runSeed, cells, out);
  }
}

/** Makes z of sixteen cells: cell `first` + 4·word + lane takes word `word` of group `first`/4 + lane. */
function fillBlock(
  words: Uint32Array,
  tickLow: number,
  tickHigh: number,
  first: number,
  dieSeed: number,
  runSeed: number,
  cells: number,
  out: Int32Array,
): void {
  for (let lane = 0; lane < 4; lane++)
    philox4x32(
      tickLow,
      tickHigh,
      (first >> 2) + lane,
      PHILOX_STREAM.thermalNoise,
      dieSeed,
      runSeed,
      words,
      4 * lane,
    );
  const count = Math.min(CELLS_PER_NOISE_BLOCK, cells - first);
  for (let i = 0; i < count; i++) out[first + i] = gaussianOfWord(words[4 * (i & 3) + (i >> 2)]);
}

function addNeighbours(start: Int32Array, end: Int32Array, cells: number, out: Int32Array): void {
  for (let i = 0; i < cells; i++) out[i] = start[i] + end[i];
}

/**
 * next_i += η_i with η = (a·ζ + 2^(s−1) + (ζ < 0 ? −1 : 0)) >> s, which rounds half away from zero
 * (device-model.md, "One tick"). |a·ζ| + 2^(s−1) stays below 2³¹.
 */
export function addThermalNoise(
  next: Float64Array,
  amplitude: Int32Array,
  sums: Int32Array,
  shift: number,
  cells: number,
): void {
  const half = 1 << (shift - 1);
  for (let i = 0; i < cells; i++) {
    const sum = sums[i];
    next[i] += (Math.imul(amplitude[i], sum) + half + (sum < 0 ? -1 : 0)) >> shift;
  }
}
