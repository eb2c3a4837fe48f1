import type { ProgressStream } from './progress.js';
import { fitColumns, printable } from './text-width.js';

/** One line at the bottom of a terminal, which is drawn again and again. Elsewhere nothing is drawn. */
export class StatusLine {
  readonly #stream: ProgressStream;
  readonly #isTerminal: boolean;
  #shown = '';

  constructor(stream: ProgressStream = process.stderr) {
    this.#stream = stream;
    // TERM is `dumb` at a terminal without cursor control (an Emacs shell).
    this.#isTerminal = stream.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  /** Whether `draw` shows anything. */
  get isDrawn(): boolean {
    return this.#isTerminal;
  }

  draw(text: string): void {
    if (!this.#isTerminal) return;
    // One column stays free: a character in the last one would start a new line on some terminals.
    const line = fitColumns(printable(text), Math.max(1, (this.#stream.columns ?? 80) - 1));
    if (line === this.#shown) return;
    this.#stream.write(`\r${line}\x1b[K`);
    this.#shown = line;
  }

  /** Removes the line, so that something else can be written. The next `draw` brings it back. */
  clear(): void {
    if (this.#shown !== '') this.#stream.write('\r\x1b[K');
    this.#shown = '';
  }
}
