import type { StepRecord } from '../../../learning/record.js';
import { counted, formatCount, formatNumber, formatPercent } from '../../../number-text.js';
import { boardWarnings } from '../../output/board-warnings.js';
import { Progress, type ProgressStream } from '../../output/progress.js';
import { StatusLine } from '../../output/status-line.js';

export interface TrainingDisplayOptions {
  /** What is being trained with. */
  readonly label: string;
  readonly silent: boolean;
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
 * Shows the progress of a training: before the first step what it waits for, then a bar with running means of
 * loss and accuracy. The clock of the bar goes on while a step waits for the board. Over the first 20 steps
 * the means are plain ones, after that the newest step counts 5 %. Call `finish` in a `finally`.
 */
export class TrainingDisplay {
  readonly #label: string;
  readonly #silent: boolean;
  readonly #stream: ProgressStream;
  readonly #status: StatusLine;
  #progress: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #loss = 0;
  #accuracy = 0;
  #clampedCodes = 0;
  #repeats = 0;

  constructor({ label, silent, stream = process.stderr }: TrainingDisplayOptions) {
    this.#label = label;
    this.#silent = silent;
    this.#stream = stream;
    this.#status = new StatusLine(stream);
  }

  /** Before the first step: what is being done, as in `loading the data`. */
  phase(text: string): void {
    if (this.#silent) return;
    const line = `${this.#label}: ${text} …`;
    if (this.#status.isDrawn) this.#status.draw(line);
    else this.#stream.write(`${line}\n`);
  }

  /** Something that the user should know, before the first step. It is shown in any case. */
  note(sentence: string): void {
    this.#status.clear();
    this.#stream.write(`${sentence}\n`);
  }

  /** Lines on what is trained on, before the first step. */
  describe(lines: string): void {
    if (this.#silent) return;
    this.#status.clear();
    this.#stream.write(lines);
  }

  /** `step` of `total` steps are done, by a training that is resumed. */
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

  update({ step, loss, accuracy, clampedCodes, repeats }: StepRecord, total: number): void {
    this.#clampedCodes = Math.max(this.#clampedCodes, clampedCodes);
    this.#repeats += repeats;
    this.#count++;
    const share = Math.max(NEWEST_SHARE, 1 / this.#count);
    this.#loss += share * (loss - this.#loss);
    this.#accuracy += share * (accuracy - this.#accuracy);
    if (step + 1 < total) this.#progress?.update(step + 1, this.#means());
    else this.#progress?.show(total, 'testing');
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#status.clear();
    this.#progress?.finish(this.#means());
    if (!this.#silent) this.#stream.write(boardWarnings({ clampedCodes: this.#clampedCodes }));
  }

  #means(): string {
    if (this.#count === 0) return '';
    const repeats = this.#repeats === 0 ? '' : `, ${counted(this.#repeats, 'repeat')}`;
    return `running means: loss ${formatNumber(this.#loss)}, accuracy ${formatPercent(this.#accuracy)}${repeats}`;
  }
}
