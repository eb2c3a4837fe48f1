import type { LabBoard } from './lab-board.js';
import { noisyCells, noisyRun } from './noise-temperature.js';

/**
 * How often each code around the middle of an ADC channel was read while the noise of its cell moved over the
 * codes.
 */
export interface ChannelHistogram {
  /** Code of the first entry of `counts`. */
  readonly firstCode: number;
  /** Number of readings of each code, one entry per code. */
  readonly counts: Uint32Array;
  /** Expected number of readings of each code if all codes had the same width, one entry per code. */
  readonly expected: Float64Array;
  /** Codes, ascending, that were never read although at least 20 readings of each were expected. */
  readonly missing: readonly number[];
  /**
   * Root mean square deviation of the code widths from 1 LSB, without the part that counting noise explains;
   * NaN if nothing was measured.
   */
  readonly widthSpreadLsb: number;
  /** The only code that was read if the channel is stuck; otherwise undefined. */
  readonly stuckAt: number | undefined;
}

/**
 * Wanted standard deviation of the noise, in LSB. About 250 codes then lie within one standard deviation of
 * the mean.
 */
const SPREAD_LSB = 128;
/** Upper bound of that standard deviation, in V_fs, for a coarse ADC. */
const SPREAD_MAX = 0.03;
/**
 * Expected number of readings at which a code counts as missing if it was never read. A code of 1 LSB is then
 * missed by chance with probability e⁻²⁰.
 */
const EXPECTED_MIN = 20;
const CODES = 65536;

/**
 * The code-density test (IEEE Std 1241, 4.7) with the noise of the cell as the known distribution: a Gaussian
 * with the mean and the variance of the readings. The width of a code in LSB is its count over the expected
 * count, ±1/√expected.
 */
export async function measureAdcHistograms(
  board: LabBoard,
  samples: number,
  onSamples: (done: number) => void = () => undefined,
): Promise<ChannelHistogram[]> {
  const { cells } = board;
  const { settings } = noisyCells(board, Math.min(SPREAD_MAX, SPREAD_LSB * board.adcStep));
  await board.program(settings);
  const counts = Array.from({ length: cells }, () => new Map<number, number>());
  await board.read(noisyRun(samples, onSamples), (codes) => {
    for (let at = 0; at < codes.length; at += cells)
      for (let i = 0; i < cells; i++) counts[i].set(codes[at + i], (counts[i].get(codes[at + i]) ?? 0) + 1);
  });
  return counts.map(judge);
}

/** Judges the counts of one channel. */
export function judge(seen: ReadonlyMap<number, number>): ChannelHistogram {
  let [total, sum, squares] = [0, 0, 0];
  for (const [code, count] of seen) {
    total += count;
    sum += code * count;
    squares += code * code * count;
  }
  const mean = sum / total;
  const sigma = Math.sqrt(Math.max(0, squares / total - mean * mean));
  if (seen.size === 1) return nothingSeen(mean, total);
  const within = Math.floor(Math.min(sigma, CODES / 4));
  const middle = Math.round(mean);
  const codes = Array.from({ length: 2 * within + 1 }, (_, k) => middle - within + k);
  const density = (code: number) =>
    (total * Math.exp(-((code - mean) ** 2) / (2 * sigma * sigma))) / (sigma * Math.sqrt(2 * Math.PI));
  const counts = Uint32Array.from(codes, (code) => seen.get(code) ?? 0);
  const expected = Float64Array.from(codes, density);
  const often = codes.filter((_, k) => expected[k] >= EXPECTED_MIN);
  const first = codes[0];
  const excess = often.reduce((all, code) => {
    const hoped = expected[code - first];
    return all + (counts[code - first] / hoped - 1) ** 2 - 1 / hoped;
  }, 0);
  return {
    firstCode: first,
    counts,
    expected,
    missing: often.filter((code) => counts[code - first] === 0),
    widthSpreadLsb: Math.sqrt(Math.max(0, excess / often.length)),
    stuckAt: undefined,
  };
}

function nothingSeen(code: number, total: number): ChannelHistogram {
  return {
    firstCode: code,
    counts: Uint32Array.of(total),
    expected: Float64Array.of(Number.NaN),
    missing: [],
    widthSpreadLsb: Number.NaN,
    stuckAt: code,
  };
}
