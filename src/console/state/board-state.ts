import type { BoardView, HubEventOf, KeptNote, LinkCounters } from '../../hub/api.js';
import { relativeDistance } from './distance.js';
import { PooledMoments, type ShownMoments } from './pooled-moments.js';
import { Ring } from './ring.js';

/** Length of the shown part of the voltages, ms. */
const VOLTAGES_SHOWN_MS = 60_000;
/**
 * Rows of voltages kept: one minute at ten readings a second, twice that because each reading may need a gap
 * row before it.
 */
export const VOLTAGE_ROWS_MAX = 1200;
/** Rates of the link that are kept: ten minutes of one a second. */
export const RATE_ROWS_MAX = 600;
/** Points of a training's curves that are kept. */
export const NOTE_ROWS_MAX = 2000;
/** Trainings that are kept; the one that was silent for longest is dropped first. */
export const TRAININGS_MAX = 4;
/** Curves of a training that are kept. */
export const CURVES_MAX = 16;
/** Points kept of the distance between measured and expected moments: four minutes at two a second. */
export const DISTANCE_ROWS_MAX = 512;

/** The columns of `BoardState.rates`; all but the first are per second. */
export const RATE = { timeMs: 0, bytesToBoard: 1, bytesToHost: 2, frames: 3, trouble: 4 } as const;
/**
 * The columns of `BoardState.distances`. Distances are relative; NaN if a moment or its expected value is not
 * known.
 */
export const DISTANCE = { samples: 0, mean: 1, covariance: 2 } as const;

/** The curves of one training. */
export interface Training {
  readonly owner: string;
  /** Names of the curves, in the order of their first points. */
  readonly names: readonly string[];
  /** Step, then one column for each of `names`. */
  readonly rows: Ring;
}

/** All that the page keeps of one board. Its size is bounded, however long the page is open. */
export class BoardState {
  view: BoardView;
  /** Time in ms, then one column for each cell in V. Undefined until a reading came. */
  voltages: Ring | undefined;
  newest: HubEventOf<'voltages'> | undefined;
  distances = new Ring(3, DISTANCE_ROWS_MAX);
  counters: LinkCounters | undefined;
  readonly rates = new Ring(5, RATE_ROWS_MAX);
  lastRun: HubEventOf<'runEnded'> | undefined;
  readonly trainings = new Map<string, Training>();
  readonly #moments = new PooledMoments();
  #countersMs = 0;

  constructor(view: BoardView) {
    this.view = view;
  }

  /**
   * Moments of the newest run, pooled with the runs directly before it that had the same program. Until the
   * variances of the newest run have come, it has only the earlier runs, if there are any.
   */
  get moments(): ShownMoments | undefined {
    return this.#moments.shown;
  }

  /** The newest minute of the voltages: the time in ms, or a cell in V. Empty until a reading came. */
  newestVoltages(column: number): Float64Array {
    if (!this.voltages || !this.newest) return new Float64Array();
    const beginMs = this.newest.timeMs - VOLTAGES_SHOWN_MS;
    const first = this.voltages.column(0).findIndex((timeMs) => timeMs >= beginMs);
    return this.voltages.column(column).subarray(first);
  }

  takeVoltages(event: HubEventOf<'voltages'>): void {
    const cells = event.volts.length;
    if (!this.voltages || this.voltages.columns !== cells + 1)
      this.voltages = new Ring(cells + 1, VOLTAGE_ROWS_MAX);
    // Lines of two runs are not joined.
    else if (this.newest && this.newest.run !== event.run) this.voltages.push([event.timeMs]);
    this.voltages.push([event.timeMs, ...event.volts]);
    this.newest = event;
  }

  takeMoments(event: HubEventOf<'moments'>): void {
    const before = this.moments;
    this.#moments.take(event);
    const shown = this.moments!;
    const { samples, meanVolts, expectedMeanVolts, covarianceVolts2, expectedCovarianceVolts2 } = shown;
    const isAnew = shown.runs === 1 && before?.run !== shown.run;
    if (isAnew || samples < (before?.samples ?? 0)) this.distances = new Ring(3, DISTANCE_ROWS_MAX);
    if (shown === before || (!expectedMeanVolts && !expectedCovarianceVolts2)) return;
    this.distances.push([
      samples,
      expectedMeanVolts ? relativeDistance(meanVolts, expectedMeanVolts) : Number.NaN,
      covarianceVolts2 && expectedCovarianceVolts2
        ? relativeDistance(covarianceVolts2.flat(), expectedCovarianceVolts2.flat())
        : Number.NaN,
    ]);
  }

  takeCounters({ timeMs, counters }: HubEventOf<'link'>): void {
    const seconds = (timeMs - this.#countersMs) / 1000;
    const before = this.counters;
    if (before && seconds > 0) {
      const rate = (count: (counters: LinkCounters) => number): number =>
        Math.max(0, count(counters) - count(before)) / seconds;
      // The hub sends no counters while they do not change, so the rate during that gap is 0.
      if (seconds > 2.5) this.rates.push([this.#countersMs + 1000, 0, 0, 0, 0]);
      this.rates.push([
        timeMs,
        rate((one) => one.bytesToBoard),
        rate((one) => one.bytesToHost),
        rate((one) => one.frames),
        rate((one) => one.framesFaulty + one.retransmissions + one.sampleFramesLost + one.samplesLost),
      ]);
    }
    this.counters = counters;
    this.#countersMs = timeMs;
  }

  /** Takes the notes from before the page was opened. They replace the present notes. */
  takeHistory(notes: readonly KeptNote[]): void {
    this.trainings.clear();
    for (const note of notes) this.takeNote(note);
  }

  takeNote({ training: name, owner, step, values }: KeptNote): void {
    let training = this.trainings.get(name);
    const isNew = Object.keys(values).some((value) => !training?.names.includes(value));
    if (!training || (isNew && training.names.length < CURVES_MAX)) {
      const names = [...new Set([...(training?.names ?? []), ...Object.keys(values)])].slice(0, CURVES_MAX);
      training = { owner, names, rows: widened(training?.rows, names.length + 1) };
    }
    training.rows.push([step, ...training.names.map((value) => values[value] ?? Number.NaN)]);
    // The training with the newest note is the last one in the map.
    this.trainings.delete(name);
    this.trainings.set(name, training);
    for (const oldest of this.trainings.keys()) {
      if (this.trainings.size <= TRAININGS_MAX) break;
      this.trainings.delete(oldest);
    }
  }
}

/** A ring with more columns and the same rows. */
function widened(rows: Ring | undefined, columns: number): Ring {
  const wide = new Ring(columns, NOTE_ROWS_MAX);
  if (!rows) return wide;
  const old = Array.from({ length: rows.columns }, (_, i) => rows.column(i));
  for (let row = 0; row < rows.length; row++) wide.push(old.map((column) => column[row]));
  return wide;
}
