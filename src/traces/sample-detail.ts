import { ThermolinkError } from '../errors.js';

/**
 * The JSON of a sample block holds statistics of at most this many cells. By default it holds the statistics
 * of the first 8 cells.
 */
export const STATISTICS_CELLS_MAX = 8;

/** The part of the samples that the JSON of a block contains. The raw bytes always hold all samples. */
export interface SampleDetail {
  /** Cells whose mean, smallest and largest code are given, in order: at most 8. Default: the first 8. */
  readonly cells?: readonly number[];
  /** Whether the JSON also contains all codes. */
  readonly all?: boolean;
}

/** Throws BAD_ARGUMENT unless the chosen cells are at most STATISTICS_CELLS_MAX whole numbers from 0 on. */
export function checkSampleDetail({ cells }: SampleDetail): void {
  if (cells === undefined) return;
  const bad = cells.find((cell) => !Number.isSafeInteger(cell) || cell < 0);
  if (bad === undefined && cells.length <= STATISTICS_CELLS_MAX) return;
  const given = bad === undefined ? `${cells.length} cells` : `the cell ${bad}`;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `A recording takes statistics of at most ${STATISTICS_CELLS_MAX} cells, counted from 0, but was given ${given}.`,
    { hint: 'Choose fewer cells, or record every sample by `samples: { all: true }`.', data: { cells } },
  );
}
