import { formatClock, formatCount } from '../../number-text.js';
import { columnCount, fitColumns, printable } from './text-width.js';

/** The stream that a progress bar is drawn to: `process.stderr`, or a substitute in a test. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  /** Width of the terminal, characters. */
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** The current work, in one or two words. */
  readonly label: string;
  /** The number of steps. It is 1 if `done` is a share of the whole; then no steps are shown. */
  readonly total: number;
  /**
   * Number of steps that an earlier process did, before `--resume`. This process spent no time on them.
   * Default 0.
   */
  readonly initial?: number;
  /** Draw nothing at all (`--json`, `--quiet`). */
  readonly silent?: boolean;
  /** Default `process.stderr`. */
  readonly stream?: ProgressStream;
  /** Milliseconds from any start, never backwards. Default `performance.now`. */
  readonly clock?: () => number;
}

/** Milliseconds between two drawings, at least: fast enough for the eye, slow enough to cost nothing. */
const REDRAW_INTERVAL_MS = 80;
/** The least time between two lines, ms, if the output is a file or a pipe. */
const LINE_INTERVAL_MS = 5000;
/**
 * The least time between two lines that differ only in their times, ms. One such line is a sign of life, many
 * are noise.
 */
const UNCHANGED_LINE_INTERVAL_MS = 30_000;

const BAR_COLUMNS_MAX = 24;
const BAR_COLUMNS_MIN = 6;
const TERMINAL_COLUMNS_MAX = 120;

/**
 * Shows the progress of a long command: the fraction, the time passed, the time left, and a suffix such as
 * the loss. A terminal shows one line with a bar; a file gets a line every few seconds.
 *
 * It starts no timer: call `refresh` from one. It accepts all numbers without throwing and writes nothing
 * after `finish`. Call `finish` in a `finally`: it leaves the cursor at the start of an empty line.
 */
export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #initial: number;
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  readonly #isTerminal: boolean;
  readonly #startMs: number;
  #lastWriteMs: number;
  #done: number;
  #suffix = '';
  #isBarShown = false;
  #isFinished: boolean;

  constructor(options: ProgressOptions) {
    this.#label = printable(options.label);
    this.#total = options.total;
    this.#initial = finiteOr(options.initial ?? 0, 0);
    this.#done = this.#initial;
    this.#stream = options.stream ?? process.stderr;
    this.#clock = options.clock ?? (() => performance.now());
    // TERM is `dumb` at a terminal without cursor control (an Emacs shell).
    this.#isTerminal = this.#stream.isTTY === true && process.env['TERM'] !== 'dumb';
    this.#isFinished = options.silent ?? false;
    this.#startMs = this.#clock();
    this.#lastWriteMs = this.#isTerminal ? Number.NEGATIVE_INFINITY : this.#startMs;
  }

  /** Like `update`, but draws at once. For the beginning, and before anything that takes long. */
  show(done: number, suffix?: string): void {
    this.#set(done, suffix);
    if (!this.#isFinished) this.#draw(this.#clock());
  }

  /** Draws the times anew while a step takes long. */
  refresh(): void {
    this.#drawAfter(UNCHANGED_LINE_INTERVAL_MS);
  }

  /** `done` of `total` steps are complete; `suffix` replaces the one before. */
  update(done: number, suffix?: string): void {
    this.#set(done, suffix);
    this.#drawAfter(LINE_INTERVAL_MS);
  }

  /** Prints a line of its own, above the bar. */
  print(line: string): void {
    if (this.#isFinished) return;
    this.clear();
    this.#stream.write(`${printable(line)}\n`);
  }

  /** Removes the bar, so that something else can be written. The next `update` draws it again. */
  clear(): void {
    if (this.#isBarShown) this.#stream.write('\r\x1b[K');
    this.#isBarShown = false;
    if (this.#isTerminal) this.#lastWriteMs = Number.NEGATIVE_INFINITY;
  }

  /** Shows the last state, also after a failure, and ends the line. Only the first call counts. */
  finish(suffix?: string): void {
    if (suffix !== undefined) this.#suffix = printable(suffix);
    if (this.#isFinished) return;
    this.#draw(this.#clock());
    if (this.#isTerminal) this.#stream.write('\n');
    this.#isFinished = true;
  }

  #set(done: number, suffix: string | undefined): void {
    this.#done = finiteOr(done, this.#done);
    if (suffix !== undefined) this.#suffix = printable(suffix);
  }

  #drawAfter(lineIntervalMs: number): void {
    if (this.#isFinished) return;
    const nowMs = this.#clock();
    const intervalMs = this.#isTerminal ? REDRAW_INTERVAL_MS : lineIntervalMs;
    if (nowMs - this.#lastWriteMs >= intervalMs) this.#draw(nowMs);
  }

  #draw(nowMs: number): void {
    this.#lastWriteMs = nowMs;
    if (!this.#isTerminal) {
      this.#stream.write(`${this.#line(nowMs)}\n`);
      return;
    }
    this.#stream.write(`\r${this.#bar(nowMs)}\x1b[K`);
    this.#isBarShown = true;
  }

  /** The fraction in [0, 1]. It is 0 if the total makes no sense. */
  #fraction(): number {
    return clamp(finiteOr(this.#done / this.#total, 0), 0, 1);
  }

  #percent(): string {
    // The percentage is rounded down, so that 100 % means done.
    return `${Math.floor(100 * this.#fraction())} %`;
  }

  #times(nowMs: number): string {
    const passedS = Math.max(0, (nowMs - this.#startMs) / 1000);
    const passed = formatClock(passedS);
    if (this.#done >= this.#total) return passed;
    const here = this.#done - this.#initial;
    const leftS = here > 0 ? (passedS / here) * (this.#total - this.#done) : Number.NaN;
    return `${passed}, ${formatClock(leftS)} left`;
  }

  #line(nowMs: number): string {
    const steps = this.#total === 1 ? '' : ` (${formatCount(this.#done)} of ${formatCount(this.#total)})`;
    const text = `${this.#label}: ${this.#percent()}${steps}, ${this.#times(nowMs)}`;
    return this.#suffix === '' ? text : `${text}, ${this.#suffix}`;
  }

  #bar(nowMs: number): string {
    const before = `${this.#label} ${this.#percent().padStart(5)} `;
    const after = ` ${this.#times(nowMs)}${this.#suffix === '' ? '' : `  ${this.#suffix}`}`;
    // One column stays free: a character in the last one would start a new line on some terminals.
    const columns = Math.min(TERMINAL_COLUMNS_MAX, finiteOr(this.#stream.columns || 80, 80)) - 1;
    const free = columns - columnCount(before) - columnCount(after);
    const bar = free < BAR_COLUMNS_MIN ? '' : drawBar(this.#fraction(), Math.min(BAR_COLUMNS_MAX, free));
    return fitColumns(bar === '' ? before.trimEnd() + after : before + bar + after, Math.max(1, columns));
  }
}

function drawBar(fraction: number, columns: number): string {
  const full = Math.floor(fraction * columns);
  return '█'.repeat(full) + '░'.repeat(columns - full);
}

function finiteOr(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
