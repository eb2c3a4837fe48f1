import type { StepFacts, StepRecord } from '../../../learning/record.js';
import { counted, formatCount, formatNumber, formatPercent } from '../../../number-text.js';
import { boardWarnings } from '../../output/board-warnings.js';
import { Progress, type ProgressStream } from '../../output/progress.js';
import { StatusLine } from '../../output/status-line.js';
import type { HubNotes } from './hub-notes.js';

/** A figure of each step, shown as a running mean. */
export interface ShownFigure<Record extends StepFacts> {
  readonly name: string;
  readonly of: (record: Record) => number;
  readonly text: (value: number) => string;
}

/** The data of a classifier that are shown. */
export const CLASSIFIER_FIGURES: readonly ShownFigure<StepRecord>[] = [
  { name: 'loss', of: ({ loss }) => loss, text: formatNumber },
  { name: 'accuracy', of: ({ accuracy }) => accuracy, text: (value) => formatPercent(value) },
];

export interface TrainingDisplayOptions<Record extends StepFacts> {
  /** The method of the training. */
  readonly label: string;
  readonly silent: boolean;
  readonly figures: readonly ShownFigure<Record>[];
  /** Default `process.stderr`. */
  readonly stream?: ProgressStream;
}

/**
 * Share of the newest value in the running means, after the first steps. A single batch is too noisy to read.
 */
const NEWEST_SHARE = 0.05;

/** Milliseconds between two drawings while a step takes long. The clock shows seconds. */
const REFRESH_MS = 500;

/**
 * Shows the progress of a training: before the first step the current preparation, then a bar with running
 * means of its figures. The clock of the bar goes on while a step waits for the board. The means of the first
 * 20 steps are plain means. After that the newest step has a weight of 5 %. Call `finish` in a `finally`.
 */
export class TrainingDisplay<Record extends StepFacts> {
  readonly #label: string;
  readonly #silent: boolean;
  readonly #stream: ProgressStream;
  readonly #status: StatusLine;
  #progress: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #figures: readonly ShownFigure<Record>[];
  readonly #means: number[];
  #count = 0;
  #clampedCodes = 0;
  #repeats = 0;
  #notes: HubNotes | undefined;

  constructor({ label, silent, figures, stream = process.stderr }: TrainingDisplayOptions<Record>) {
    this.#figures = figures;
    this.#means = figures.map(() => 0);
    this.#label = label;
    this.#silent = silent;
    this.#stream = stream;
    this.#status = new StatusLine(stream);
  }

  /** Shows the present work before the first step, such as `loading the data`. */
  phase(text: string): void {
    if (this.#silent) return;
    const line = `${this.#label}: ${text} …`;
    if (this.#status.isDrawn) this.#status.draw(line);
    else this.#stream.write(`${line}\n`);
  }

  /** Tells the curves also to those who watch the board, if a server shares it. */
  async tellWatchers(uri: string): Promise<void> {
    if (!/^hubs?:/i.test(uri)) return;
    // Few trainings need this module, and loading it takes time.
    const { HubNotes: Notes } = await import('./hub-notes.js');
    this.#notes = Notes.of(uri, this.#label, (sentence) => this.note(sentence));
  }

  /** Something that the user should know, before the first step. It is shown in any case. */
  note(sentence: string): void {
    this.#status.clear();
    this.#stream.write(`${sentence}\n`);
  }

  /** Shows lines about the training data before the first step. */
  describe(lines: string): void {
    if (this.#silent) return;
    this.#status.clear();
    this.#stream.write(lines);
  }

  /** Shows the bar at `step` of `total` steps. A resumed training begins above 0. */
  start(step: number, total: number): void {
    this.#status.clear();
    this.#progress = new Progress({
      label: this.#label,
      total,
      initial: step,
      silent: this.#silent,
      stream: this.#stream,
    });
    this.#progress.show(
      step,
      step < total ? `step ${formatCount(step + 1)} of ${formatCount(total)}` : 'testing',
    );
    this.#timer = setInterval(() => this.#progress?.refresh(), REFRESH_MS);
    // The timer only redraws, so it must not keep the process alive.
    this.#timer.unref();
  }

  update(record: Record, total: number): void {
    const { step, clampedCodes, repeats } = record;
    this.#clampedCodes = Math.max(this.#clampedCodes, clampedCodes);
    this.#repeats += repeats;
    this.#count++;
    this.#notes?.add(record);
    const share = Math.max(NEWEST_SHARE, 1 / this.#count);
    for (const [index, { of }] of this.#figures.entries())
      this.#means[index] += share * (of(record) - this.#means[index]);
    if (step + 1 < total) this.#progress?.update(step + 1, this.#meansText());
    else this.#progress?.show(total, 'testing');
  }

  /** Ends the display at once. It resolves when the last of the curves was told, or after a second. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.#status.clear();
    this.#progress?.finish(this.#meansText());
    if (!this.#silent) this.#stream.write(boardWarnings({ clampedCodes: this.#clampedCodes }));
    await this.#notes?.end();
  }

  #meansText(): string {
    if (this.#count === 0) return '';
    const repeats = this.#repeats === 0 ? '' : `, ${counted(this.#repeats, 'repeat')}`;
    const means = this.#figures.map(({ name, text }, index) => `${name} ${text(this.#means[index])}`);
    return `running means: ${means.join(', ')}${repeats}`;
  }
}
