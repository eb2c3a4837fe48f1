import { type Blocking, chooseBlocks } from './block-length.js';
import { addSquares, innovationFilters } from './innovations.js';
import { studentTails } from './student.js';

/**
 * Largest number of cells whose pairs are compared; they are evenly spread. The number of pairs grows with
 * the square of the number of cells.
 */
export const PAIR_CELLS_MAX = 256;

/** The samples of one board run. */
export interface RunSamples {
  readonly cells: number;
  /** ADC codes [samples × cells], row-major. */
  readonly codes: Int16Array;
}

/** `reading`: a single code, for runs with too few samples for statistics. */
export type StatisticName = 'mean' | 'variance' | 'innovation' | 'covariance' | 'autocorrelation' | 'reading';

/** One statistic of one cell or pair, in both runs. */
export interface Comparison {
  readonly statistic: StatisticName;
  readonly cell: number;
  /** The other cell of a pair. */
  readonly other?: number;
  /** Only for a reading: the index of its run in `runs`, and its sample. */
  readonly place?: { readonly run: number; readonly sample: number };
  /**
   * Mean in ADC codes, variance in codes², mean square of the innovation (about 1), correlation of the pair,
   * or correlation with the reading `lag` samples before.
   */
  readonly recorded: number;
  readonly found: number;
  /** Standard error of found − recorded. */
  readonly error: number;
  /** Probability of a difference at least this large between runs of the same board with other noise. */
  readonly probability: number;
}

/** The comparison of two runs. */
export interface RunComparison {
  /** Number of compared readings. `comparisons` holds only the unusual ones. */
  readonly readings?: number;
  /** Number of compared samples of each run. */
  readonly samples: number;
  readonly cells: number;
  /** Undefined if there are too few samples for their correlation. Then nothing was compared. */
  readonly blocks: Blocking | undefined;
  /** The lag of the autocorrelation, in samples. */
  readonly lag: number;
  /** Standard deviations of the recorded and the found codes [cells]. */
  readonly spreads: { readonly recorded: Float64Array; readonly found: Float64Array };
  readonly comparisons: readonly Comparison[];
}

/**
 * Compares two runs of the same program: mean and variance of each cell, the mean square of its innovation,
 * correlation of each pair, and the autocorrelation of each cell.
 *
 * Each statistic is a mean over time. Its difference between the runs is computed block by block, and
 * Student's t is formed from these differences. Blocks are long enough to be nearly independent. This takes
 * the correlation of the samples and the variance of the variance into account. A transient that is the same
 * in both runs cancels. The difference of two runs of one board has a symmetric distribution. For means t is
 * exact, because the block means are Gaussian. For products, which have heavier tails, t is conservative.
 *
 * The runs may differ in length; the longer one is cut. Samples of several programs have no innovations,
 * because a sample does not predict the next one.
 */
export function compareRuns(
  recorded: RunSamples,
  found: RunSamples,
  { isOneProgram = true }: { readonly isOneProgram?: boolean } = {},
): RunComparison {
  const { cells } = recorded;
  const samples = Math.floor(Math.min(recorded.codes.length, found.codes.length) / cells);
  const [a, b] = [centred(recorded, samples), centred(found, samples)];
  const spreads = { recorded: a.spread, found: b.spread };
  const differences = new Float64Array(samples * cells);
  for (let t = 0; t < samples; t++)
    for (let i = 0; i < cells; i++) {
      const at = t * cells + i;
      differences[at] = a.values[at] - b.values[at];
    }
  const blocks = chooseBlocks(differences, samples, cells);
  if (!blocks) return { samples, cells, blocks, lag: 0, spreads, comparisons: [] };
  const lag = chooseLag(differences, samples, cells, blocks.length);
  const scale = pooledScale(a.spread, b.spread);
  const sums = { a, b, cells, samples, blocks, scale };
  return {
    samples,
    cells,
    blocks,
    lag,
    spreads,
    comparisons: [
      ...cellMeans(sums),
      ...pairs(sums),
      ...(isOneProgram ? innovations(sums, differences) : []),
      ...autocorrelations(sums, lag),
    ],
  };
}

interface Centred {
  readonly mean: Float64Array;
  readonly spread: Float64Array;
  /** Codes minus their mean over the run [samples × cells]. */
  readonly values: Float64Array;
}

interface Runs {
  readonly a: Centred;
  readonly b: Centred;
  readonly cells: number;
  readonly samples: number;
  readonly blocks: Blocking;
  /** Standard deviation of each cell over both runs; 1 for a cell without variation. */
  readonly scale: Float64Array;
}

function centred({ codes, cells }: RunSamples, samples: number): Centred {
  const mean = new Float64Array(cells);
  for (let t = 0; t < samples; t++) for (let i = 0; i < cells; i++) mean[i] += codes[t * cells + i];
  for (let i = 0; i < cells; i++) mean[i] /= Math.max(1, samples);
  const values = new Float64Array(samples * cells);
  const spread = new Float64Array(cells);
  for (let t = 0; t < samples; t++)
    for (let i = 0; i < cells; i++) {
      const value = codes[t * cells + i] - mean[i];
      values[t * cells + i] = value;
      spread[i] += value * value;
    }
  for (let i = 0; i < cells; i++) spread[i] = Math.sqrt(spread[i] / Math.max(1, samples - 1));
  return { mean, spread, values };
}

function pooledScale(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((spread, i) => Math.sqrt((spread * spread + b[i] * b[i]) / 2) || 1);
}

/**
 * The most informative lag: the power of two at which the mean correlation of the cells is nearest to 1/e.
 */
function chooseLag(differences: Float64Array, samples: number, cells: number, blockLength: number): number {
  let chosen = 1;
  let nearest = Infinity;
  for (let lag = 1; lag <= Math.max(1, blockLength / 4) && lag < samples / 2; lag *= 2) {
    let [product, square] = [0, 0];
    for (let at = lag * cells; at < samples * cells; at++) {
      product += differences[at] * differences[at - lag * cells];
      square += differences[at] * differences[at];
    }
    const distance = Math.abs(product / (square || 1) - Math.exp(-1));
    if (distance >= nearest) break;
    [chosen, nearest] = [lag, distance];
  }
  return chosen;
}

/** Adds up the differences of blocks, found − recorded, of `width` statistics. */
class BlockDifferences {
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;
  readonly #blocks: Blocking;

  constructor(width: number, blocks: Blocking) {
    this.#sum = new Float64Array(width);
    this.#squares = new Float64Array(width);
    this.#blocks = blocks;
  }

  /** Takes the sums over one block, and clears them. */
  take(sums: Float64Array): void {
    const { length } = this.#blocks;
    for (let k = 0; k < sums.length; k++) {
      const difference = sums[k] / length;
      this.#sum[k] += difference;
      this.#squares[k] += difference * difference;
    }
    sums.fill(0);
  }

  /**
   * The mean difference, its standard error, and the probability of a difference at least this large by
   * chance.
   */
  at(k: number): { difference: number; error: number; probability: number } {
    const { count, inflation } = this.#blocks;
    const difference = this.#sum[k] / count;
    const variance = Math.max(0, this.#squares[k] / count - difference * difference) * (count / (count - 1));
    const error = Math.sqrt((variance / count) * inflation);
    // A difference of the size of rounding errors counts as 0.
    if (Math.abs(difference) <= 1e-12 * Math.sqrt(this.#squares[k] / count))
      return { difference: 0, error, probability: 1 };
    return { difference, error, probability: studentTails(difference / error, count - 1) };
  }
}

function cellMeans({ a, b, cells, blocks }: Runs): Comparison[] {
  const means = new BlockDifferences(cells, blocks);
  const sums = new Float64Array(cells);
  for (let block = 0; block < blocks.count; block++) {
    for (let t = block * blocks.length; t < (block + 1) * blocks.length; t++)
      for (let i = 0; i < cells; i++) sums[i] += b.values[t * cells + i] - a.values[t * cells + i];
    for (let i = 0; i < cells; i++) sums[i] += blocks.length * (b.mean[i] - a.mean[i]);
    means.take(sums);
  }
  return Array.from({ length: cells }, (_, cell) => {
    const { error, probability } = means.at(cell);
    return { statistic: 'mean', cell, recorded: a.mean[cell], found: b.mean[cell], error, probability };
  });
}

/** Variances and covariances. */
function pairs({ a, b, cells, blocks, scale }: Runs): Comparison[] {
  const chosen = spreadCells(cells);
  const width = chosen.length;
  const covariances = new BlockDifferences((width * (width + 1)) / 2, blocks);
  const variances = new BlockDifferences(cells, blocks);
  const pairSums = new Float64Array((width * (width + 1)) / 2);
  const recordedSums = new Float64Array((width * (width + 1)) / 2);
  const cellSums = new Float64Array(cells);
  const [x, y] = [new Float64Array(width), new Float64Array(width)];
  for (let block = 0; block < blocks.count; block++) {
    for (let t = block * blocks.length; t < (block + 1) * blocks.length; t++) {
      for (let i = 0; i < cells; i++) {
        const [p, q] = [a.values[t * cells + i], b.values[t * cells + i]];
        cellSums[i] += q * q - p * p;
      }
      for (let i = 0; i < width; i++) {
        x[i] = a.values[t * cells + chosen[i]];
        y[i] = b.values[t * cells + chosen[i]];
      }
      addProducts(x, y, pairSums, recordedSums);
    }
    covariances.take(pairSums);
    variances.take(cellSums);
  }
  const comparisons: Comparison[] = Array.from({ length: cells }, (_, cell) => {
    const { error, probability } = variances.at(cell);
    const [recorded, found] = [a.spread[cell] ** 2, b.spread[cell] ** 2];
    return { statistic: 'variance', cell, recorded, found, error, probability };
  });
  for (let i = 0, k = 0; i < width; i++)
    for (let j = 0; j <= i; j++, k++) {
      if (i === j) continue;
      const [cell, other] = [chosen[j], chosen[i]];
      const unit = scale[cell] * scale[other];
      const { difference, error, probability } = covariances.at(k);
      const recorded = recordedSums[k] / (blocks.count * blocks.length) / unit;
      const found = recorded + difference / unit;
      comparisons.push({
        statistic: 'covariance',
        cell,
        other,
        recorded,
        found,
        error: error / unit,
        probability,
      });
    }
  return comparisons;
}

/**
 * Adds y yᵀ − x xᵀ to `sums` and x xᵀ to `recorded`, lower triangles by rows. It is a separate function
 * because it takes most of the time.
 */
function addProducts(x: Float64Array, y: Float64Array, sums: Float64Array, recorded: Float64Array): void {
  let k = 0;
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i], y[i]];
    for (let j = 0; j <= i; j++, k++) {
      const product = p * x[j];
      recorded[k] += product;
      sums[k] += q * y[j] - product;
    }
  }
}

function spreadCells(cells: number): Int32Array {
  const width = Math.min(cells, PAIR_CELLS_MAX);
  return Int32Array.from({ length: width }, (_, i) => Math.floor((i * cells) / width));
}

/** Mean squares of the innovations. */
function innovations({ a, b, cells, samples, blocks }: Runs, differences: Float64Array): Comparison[] {
  return innovationFilters({ differences, samples, cells }).flatMap((filter) => {
    const { first, cells: width } = filter;
    const squares = new BlockDifferences(width, blocks);
    const [recorded, found] = [new Float64Array(width), new Float64Array(width)];
    for (let block = 0; block < blocks.count; block++) {
      const [before, after] = [new Float64Array(width), new Float64Array(width)];
      for (let t = Math.max(1, block * blocks.length); t < (block + 1) * blocks.length; t++) {
        addSquares(filter, a.values, cells, t, before);
        addSquares(filter, b.values, cells, t, after);
      }
      addTo(recorded, before);
      addTo(found, after);
      squares.take(after.map((sum, i) => sum - before[i]));
    }
    const count = blocks.count * blocks.length;
    return Array.from({ length: width }, (_, i) => {
      const { error, probability } = squares.at(i);
      const mean = { recorded: recorded[i] / count, found: found[i] / count };
      return { statistic: 'innovation', cell: first + i, ...mean, error, probability } as const;
    });
  });
}

function addTo(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += more[i];
}

/**
 * The correlation ρ of each cell with itself `lag` samples later. The blocks average y(t)·y(t+lag) − ρ·(y(t)²
 * + y(t+lag)²)/2. The difference of these means is the difference of ρ times the variance. A change of the
 * variance alone therefore gives no difference here.
 */
function autocorrelations({ a, b, cells, samples, blocks, scale }: Runs, lag: number): Comparison[] {
  const [rhoA, rhoB] = [correlations(a, cells, samples, lag), correlations(b, cells, samples, lag)];
  const differences = new BlockDifferences(cells, blocks);
  const sums = new Float64Array(cells);
  for (let block = 0; block < blocks.count; block++) {
    const end = Math.min((block + 1) * blocks.length, samples - lag);
    for (let t = block * blocks.length; t < end; t++)
      for (let i = 0; i < cells; i++) {
        const [now, later] = [t * cells + i, (t + lag) * cells + i];
        const rho = (rhoA[i] + rhoB[i]) / 2;
        sums[i] += term(b.values[now], b.values[later], rho) - term(a.values[now], a.values[later], rho);
      }
    differences.take(sums);
  }
  return Array.from({ length: cells }, (_, cell) => {
    const { error, probability } = differences.at(cell);
    const unit = scale[cell] * scale[cell];
    return {
      statistic: 'autocorrelation',
      cell,
      recorded: rhoA[cell],
      found: rhoB[cell],
      error: error / unit,
      probability,
    };
  });
}

function term(now: number, later: number, rho: number): number {
  return now * later - (rho * (now * now + later * later)) / 2;
}

/** Σ y(t)·y(t+lag) / Σ (y(t)² + y(t+lag)²)/2 of each cell; 0 for a cell without variation. */
function correlations({ values }: Centred, cells: number, samples: number, lag: number): Float64Array {
  const [product, square] = [new Float64Array(cells), new Float64Array(cells)];
  for (let t = 0; t + lag < samples; t++)
    for (let i = 0; i < cells; i++) {
      const [now, later] = [values[t * cells + i], values[(t + lag) * cells + i]];
      product[i] += now * later;
      square[i] += (now * now + later * later) / 2;
    }
  return product.map((value, i) => (square[i] === 0 ? 0 : value / square[i]));
}
