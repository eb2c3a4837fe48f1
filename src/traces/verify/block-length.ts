/** Smallest number of blocks from which a variance is estimated. */
export const BLOCKS_MIN = 16;
/** Largest number of blocks. With this number Student's distribution is already nearly normal. */
const BLOCKS_MAX = 1024;
/** Wanted number of blocks. There are fewer only if blocks must be longer. */
const BLOCKS_WANTED = 64;
/** Length of a block, as a multiple of the shortest length with apparently independent means. */
const LENGTH_MARGIN = 8;
/**
 * Largest relative growth of (variance of block means) · (length) at a doubling of the length, for means that
 * count as independent.
 */
const GROWTH_INDEPENDENT = 0.02;
/** Above this growth even the longest blocks depend on each other, and the samples cannot be compared. */
const GROWTH_MAX = 0.4;
/** Factor on the correction, because slow cells need a larger one than the average cell. */
const SLOW_CELLS_MARGIN = 1.5;

/** A division of samples into blocks with nearly independent means. */
export interface Blocking {
  /** Samples in a block. */
  readonly length: number;
  readonly count: number;
  /**
   * Factor on a variance that is estimated from block means, ≥ 1. It corrects for the remaining correlation
   * of the blocks.
   */
  readonly inflation: number;
}

/**
 * Chooses blocks for the time series `differences` [samples × cells], row-major, by blocking (Flyvbjerg and
 * Petersen, J. Chem. Phys. 91, 461, 1989): with B(b) = b·Var(mean of b samples), blocks are long enough if
 * B(2b)/B(b), averaged over the cells, is near 1. The ratio at the chosen length gives the correction for the
 * rest, because B(b) = B(∞)·(1 − c/b) for blocks much longer than the correlation.
 *
 * Undefined if no length gives at least `BLOCKS_MIN` nearly independent blocks.
 */
export function chooseBlocks(
  differences: Float64Array,
  samples: number,
  cells: number,
): Blocking | undefined {
  if (samples < BLOCKS_MIN) return undefined;
  const growths = growthByDoubling(differences, samples, cells);
  const first = growths.findIndex((growth) => growth < GROWTH_INDEPENDENT);
  const shortest = 2 ** (first < 0 ? growths.length : first);
  const wanted = Math.max(
    Math.ceil(samples / BLOCKS_MAX),
    Math.min(shortest * LENGTH_MARGIN, Math.floor(samples / BLOCKS_WANTED)),
    Math.min(shortest, Math.floor(samples / BLOCKS_MIN)),
  );
  const count = Math.floor(samples / wanted);
  // B(b)/B(b/2) = 1 + c/b, and B(∞)/B(b) is nearly the same.
  const level = Math.min(growths.length - 1, Math.max(0, Math.floor(Math.log2(wanted)) - 1));
  const growth = wanted === 1 ? growths[0] : growths[level];
  if (growth > GROWTH_MAX) return undefined;
  return { length: wanted, count, inflation: 1 + SLOW_CELLS_MARGIN * Math.max(0, growth) };
}

/**
 * Entry k is the mean over the cells of B(2b)/B(b) − 1, b = 2^k, while there are at least BLOCKS_MIN blocks
 * of 2b samples.
 */
function growthByDoubling(differences: Float64Array, samples: number, cells: number): number[] {
  let series = differences;
  let length = samples;
  let before = variances(series, length, cells);
  const growths: number[] = [];
  do {
    length >>= 1;
    series = halved(series, length, cells);
    const after = variances(series, length, cells);
    let [sum, varying] = [0, 0];
    for (let i = 0; i < cells; i++) {
      if (!(before[i] > 0)) continue;
      sum += (2 * after[i]) / before[i];
      varying++;
    }
    growths.push(varying === 0 ? 0 : sum / varying - 1);
    before = after;
  } while (length >> 1 >= BLOCKS_MIN);
  return growths;
}

function halved(series: Float64Array, length: number, cells: number): Float64Array {
  const half = new Float64Array(length * cells);
  for (let t = 0; t < length; t++) {
    const [from, to] = [2 * t * cells, t * cells];
    for (let i = 0; i < cells; i++) half[to + i] = (series[from + i] + series[from + cells + i]) / 2;
  }
  return half;
}

function variances(series: Float64Array, length: number, cells: number): Float64Array {
  const mean = new Float64Array(cells);
  const sum = new Float64Array(cells);
  for (let t = 0; t < length; t++) for (let i = 0; i < cells; i++) mean[i] += series[t * cells + i] / length;
  for (let t = 0; t < length; t++)
    for (let i = 0; i < cells; i++) {
      const d = series[t * cells + i] - mean[i];
      sum[i] += d * d;
    }
  return sum.map((value) => value / Math.max(1, length - 1));
}
