/**
 * Philox4x32-10, a counter-based generator. It computes four words from four counter words and two key words,
 * and has no state. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11,
 * doi 10.1145/2063384.2063405.
 */

/**
 * The last counter word of each use of the generator. Device and host share this table, so no two uses draw
 * the same numbers.
 * Below 256 the key is (die seed, run seed) or (die seed, 0); from 256 on it is the host's 64-bit seed.
 */
export const PHILOX_STREAM = {
  /** Counter (tick low, tick high, group): the kicks of the cells. */
  thermalNoise: 0,
  /** Static draws of a fabricated board. */
  dieDraws: 1,
  commonMode: 2,
  drift: 3,
  dither: 4,
  /** Host: counter (step, block, number of the board run in this block) → run seed of the board run. */
  runSeed: 256,
  /** Host: initial parameters of a network. */
  parameters: 257,
  /** Host: order of the examples in an epoch. */
  exampleOrder: 258,
  /** Host: first states of a sampler's chains. */
  spinStarts: 259,
  /** Host: proposals of a sampler, and the decisions to accept them. */
  spinMoves: 260,
  /** Host: points at which a physics-informed network is trained on its equation. */
  collocation: 261,
  /** Host: labels that are drawn from a network's own predictions to compute its curvature. */
  fisherLabels: 262,
  /** Host: whether a coupling is rounded up or down. */
  stochasticRounding: 263,
  /** Host: the choice of the rows of a table that are kept for the test. */
  tableSplit: 264,
  /** Host: start vectors of the estimates of a matrix's spectrum. */
  spectrumProbe: 272,
  /** Host: draws of the ideal sampler. */
  idealSampler: 273,
  /** Host: systems that a bench solves. */
  benchProblem: 274,
  /** Host: the draws of a posterior that the host makes in addition to the board's. */
  exactPosterior: 275,
} as const;

/** The number of values of a 32-bit word. Division by it splits a counter of 64 bits into two words. */
export const UINT32 = 4294967296;

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of a·b, of unsigned 32-bit integers, from four 16 × 16-bit products. */
function multiplyHigh(aHigh: number, aLow: number, b: number): number {
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const other = Math.imul(aLow, bHigh) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** Writes the four words of counter (c0, c1, c2, c3) under key (k0, k1) to out[offset … offset + 3]. */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
  offset = 0,
): void {
  // The words become int32 here; otherwise the variables of the loop would stay doubles, which is slower.
  c0 |= 0;
  c1 |= 0;
  c2 |= 0;
  c3 |= 0;
  k0 |= 0;
  k1 |= 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0 >>> 16, MULTIPLIER_0 & 0xffff, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1 >>> 16, MULTIPLIER_1 & 0xffff, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) | 0;
    k1 = (k1 + KEY_STEP_1) | 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** The noise of this many cells comes from four consecutive groups. Each group has words for four cells. */
export const CELLS_PER_NOISE_BLOCK = 16;

/**
 * The group (third counter word) that holds a cell's noise. Neighbouring cells are in different groups, so
 * SIMD needs no transpose.
 */
export function noiseGroup(cell: number): number {
  return 4 * (cell >> 4) + (cell & 3);
}

/** The index of the cell's word, 0…3, within the group `noiseGroup(cell)`. */
export function noiseWord(cell: number): number {
  return (cell >> 2) & 3;
}
