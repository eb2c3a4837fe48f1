import type { RunSamples } from './compare-runs.js';

/** A block of codes at its place in a run. */
export interface PlacedCodes {
  readonly firstSample: number;
  readonly sampleCount: number;
  readonly firstCell: number;
  readonly cellCount: number;
  readonly codes: Int16Array;
  /** Tick at which the first sample was read. */
  readonly tick: number;
  readonly overload: boolean;
  readonly clipped: boolean;
}

/** Collects the samples of one run from blocks of any size. Some blocks may arrive twice or never. */
export class RunRecord {
  readonly cells: number;
  /** Tick and first sample of the first block. */
  first: Pick<PlacedCodes, 'tick' | 'firstSample'> | undefined;
  overload = false;
  clipped = false;
  #codes = new Int16Array(0);
  /** Number of cells of each sample that have arrived. */
  #filled = new Uint16Array(0);
  #samples = 0;

  constructor(cells: number) {
    this.cells = cells;
  }

  /** Number of samples, up to the last one with any reading. */
  get samples(): number {
    return this.#samples;
  }

  take(block: PlacedCodes): void {
    const { firstSample, sampleCount, firstCell, cellCount, codes } = block;
    // A block that does not fit its run is ignored. Its length is checked, because files are untrusted.
    if (firstCell + cellCount > this.cells || codes.length < sampleCount * cellCount) return;
    // Blocks arrive in order, so a block far ahead does not belong to this run.
    if (firstSample > this.#samples + SAMPLES_AHEAD_MAX) return;
    this.first ??= { tick: block.tick, firstSample };
    this.overload ||= block.overload;
    this.clipped ||= block.clipped;
    this.#reserve(firstSample + sampleCount);
    for (let s = 0; s < sampleCount; s++) {
      const sample = firstSample + s;
      const row = codes.subarray(s * cellCount, (s + 1) * cellCount);
      if (this.#filled[sample] >= this.cells) continue;
      this.#codes.set(row, sample * this.cells + firstCell);
      this.#filled[sample] += cellCount;
    }
    this.#samples = Math.max(this.#samples, firstSample + sampleCount);
  }

  /** Number of complete samples. */
  get wholeSamples(): number {
    let count = 0;
    for (let sample = 0; sample < this.#samples; sample++) if (this.isWhole(sample)) count++;
    return count;
  }

  /** Whether every cell of a sample has arrived. */
  isWhole(sample: number): boolean {
    return this.#filled[sample] >= this.cells;
  }

  /** The codes of one sample [cells]. */
  row(sample: number): Int16Array {
    return this.#codes.subarray(sample * this.cells, (sample + 1) * this.cells);
  }

  #reserve(samples: number): void {
    if (samples <= this.#filled.length) return;
    const room = Math.max(samples, 2 * this.#filled.length, 16);
    const codes = new Int16Array(room * this.cells);
    codes.set(this.#codes);
    const filled = new Uint16Array(room);
    filled.set(this.#filled);
    this.#codes = codes;
    this.#filled = filled;
  }
}

/** Largest number of samples between the end of the known samples and the next block. */
const SAMPLES_AHEAD_MAX = 1_000_000;

/** The first difference of two runs. */
export interface FirstDifference {
  readonly sample: number;
  readonly cell: number;
  readonly recorded: number;
  readonly found: number;
}

/** The first different code among the samples that both runs have. */
export function firstDifference(recorded: RunRecord, found: RunRecord): FirstDifference | undefined {
  const samples = Math.min(recorded.samples, found.samples);
  for (let sample = 0; sample < samples; sample++) {
    if (!recorded.isWhole(sample) || !found.isWhole(sample)) continue;
    const [a, b] = [recorded.row(sample), found.row(sample)];
    const cell = a.findIndex((code, i) => code !== b[i]);
    if (cell >= 0) return { sample, cell, recorded: a[cell], found: b[cell] };
  }
  return undefined;
}

/** The samples that are complete in both runs, in the same order. */
export function commonSamples(recorded: RunRecord, found: RunRecord): [RunSamples, RunSamples] {
  const { cells } = recorded;
  const common: number[] = [];
  for (let sample = 0; sample < Math.min(recorded.samples, found.samples); sample++)
    if (recorded.isWhole(sample) && found.isWhole(sample)) common.push(sample);
  return [picked(recorded, common), picked(found, common)].map((codes) => ({ cells, codes })) as [
    RunSamples,
    RunSamples,
  ];
}

function picked(run: RunRecord, samples: readonly number[]): Int16Array {
  const codes = new Int16Array(samples.length * run.cells);
  samples.forEach((sample, i) => {
    codes.set(run.row(sample), i * run.cells);
  });
  return codes;
}
