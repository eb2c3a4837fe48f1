import type { DeviceIdentity } from '../../driver/device-api.js';
import { BLOCKS_MIN } from './block-length.js';
import { type Comparison, compareRuns } from './compare-runs.js';
import { type RunFacts, readingVariance } from './reading-noise.js';
import { commonSamples, firstDifference, type RunRecord } from './run-samples.js';
import { studentTails } from './student.js';
import type { ComparedSamples, VerifiedRun, VerifyMode } from './verify-result.js';

/** Smallest difference of a kept reading, in standard errors. */
const READING_ERRORS_MIN = 1;
const READINGS_MAX = 100_000;
/** Degrees of freedom at which Student's distribution equals the normal one. */
const NORMAL_DOF = 1e6;

/** Largest number of codes that are compared at once. This bounds the memory for a long session. */
const GROUP_CODES_MAX = 32 * 1024 * 1024;

/** Samples that are compared together. */
interface RunGroup {
  readonly cells: number;
  readonly runs: number[];
  readonly recorded: Int16Array[];
  readonly found: Int16Array[];
}

/** A run that both boards have finished. */
export interface DoneRun {
  /** Index of the recorded `start`. */
  readonly message: number;
  /** The program, and the ticks of its first reading. */
  readonly facts: (RunFacts & { readonly ticksPerSample: number }) | undefined;
  /** A text that is equal for runs with the same program and sample interval. */
  readonly program: string;
  readonly recorded: RunRecord;
  readonly spacingTau: number;
}

/**
 * Compares the samples of a session. Samples of the same program and interval are compared together. The
 * samples of all programs with too few samples are compared together too, and also reading by reading.
 */
export class RunGroups {
  readonly runs: VerifiedRun[] = [];
  readonly comparisons: ComparedSamples[] = [];
  /** Number of recorded samples. */
  samples = 0;
  /** Unusual readings of runs with too few samples for statistics. */
  readonly #readings: Comparison[] = [];
  #readingCount = 0;
  readonly #runsRead = new Set<number>();
  /** The runs of the last program. */
  #group: { readonly program: string; readonly runs: RunGroup } | undefined;
  /** Runs of programs with too few samples, by the number of cells. */
  readonly #short = new Map<number, RunGroup>();

  /** Takes a run. `board` is the recorded board. Statistics are computed only in mode `statistical`. */
  add(run: DoneRun, found: RunRecord, mode: VerifyMode, board: DeviceIdentity): void {
    const { message, program, recorded, spacingTau } = run;
    this.samples += recorded.samples;
    this.runs.push({
      message,
      cells: recorded.cells,
      recordedSamples: recorded.samples,
      foundSamples: found.samples,
      spacingTau,
      firstDifference: firstDifference(recorded, found),
      compared: false,
    });
    if (mode !== 'statistical' || recorded.samples === 0) return;
    const [a, b] = commonSamples(recorded, found);
    if (a.codes.length < BLOCKS_MIN * recorded.cells) this.#compareReadings(run, a.codes, b.codes, board);
    if (this.#group?.program !== program || codesIn(this.#group.runs) > GROUP_CODES_MAX) this.endProgram();
    this.#group ??= { program, runs: emptyGroup(recorded.cells) };
    add(this.#group.runs, { runs: [this.runs.length - 1], recorded: [a.codes], found: [b.codes] });
  }

  /** Compares the codes of a short run one by one, with the largest noise that its program can have. */
  #compareReadings(
    { recorded: { cells }, facts }: DoneRun,
    a: Int16Array,
    b: Int16Array,
    board: DeviceIdentity,
  ): void {
    for (let sample = 0; facts && sample * cells < a.length; sample++) {
      const ticks = facts.ticks === undefined ? undefined : facts.ticks + sample * facts.ticksPerSample;
      const variance = readingVariance({ image: facts.image, ticks }, board);
      if (variance?.length !== cells) return;
      const place = { run: this.runs.length - 1, sample };
      this.#runsRead.add(place.run);
      for (let cell = 0; cell < cells; cell++) {
        const [recorded, found] = [a[sample * cells + cell], b[sample * cells + cell]];
        const error = Math.sqrt(2 * variance[cell]);
        this.#readingCount++;
        if (Math.abs(found - recorded) < READING_ERRORS_MIN * error) continue;
        const probability = studentTails((found - recorded) / error, NORMAL_DOF);
        if (this.#readings.length < READINGS_MAX)
          this.#readings.push({ statistic: 'reading', cell, place, recorded, found, error, probability });
      }
    }
  }

  /**
   * Compares the runs of the last program. If they have too few samples, they wait for those of other
   * programs.
   */
  endProgram(): void {
    const group = this.#group?.runs;
    this.#group = undefined;
    if (!group || this.#compareGroup(group, true)) return;
    const short = this.#short.get(group.cells) ?? emptyGroup(group.cells);
    this.#short.set(group.cells, short);
    add(short, group);
    if (codesIn(short) <= GROUP_CODES_MAX) return;
    this.#compareGroup(short, false);
    this.#short.delete(group.cells);
  }

  /** Compares a group. Returns false if it has too few samples. */
  #compareGroup({ cells, runs, recorded, found }: RunGroup, isOneProgram: boolean): boolean {
    const comparison = compareRuns(
      { cells, codes: joined(recorded) },
      { cells, codes: joined(found) },
      { isOneProgram },
    );
    if (!comparison.blocks) return false;
    this.comparisons.push({ ...comparison, runs, isOneProgram });
    for (const run of runs) this.runs[run] = { ...this.runs[run], compared: true };
    return true;
  }

  /** Compares the samples that have waited. */
  finish(): void {
    this.endProgram();
    for (const short of this.#short.values()) this.#compareGroup(short, false);
    if (this.#readingCount === 0) return;
    const runs = [...this.#runsRead];
    const { cells } = this.runs[runs[0]];
    for (const run of runs) this.runs[run] = { ...this.runs[run], compared: true };
    const none = new Float64Array(cells);
    this.comparisons.push({
      runs,
      isOneProgram: false,
      samples: this.#readingCount / cells,
      cells,
      blocks: undefined,
      lag: 0,
      spreads: { recorded: none, found: none },
      comparisons: this.#readings,
      readings: this.#readingCount,
    });
  }
}

function emptyGroup(cells: number): RunGroup {
  return { cells, runs: [], recorded: [], found: [] };
}

function add(group: RunGroup, { runs, recorded, found }: Omit<RunGroup, 'cells'>): void {
  group.runs.push(...runs);
  group.recorded.push(...recorded);
  group.found.push(...found);
}

function codesIn({ recorded }: RunGroup): number {
  return recorded.reduce((sum, { length }) => sum + length, 0);
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
