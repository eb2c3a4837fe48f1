import type { ProgressStream } from './progress.js';
import { fitColumns, printable } from './text-width.js';

/** Some lines at the bottom of a terminal, which are drawn again and again in the same place. */
export class LiveBlock {
  readonly #stream: ProgressStream;
  /** Whether the stream is a terminal that can move its cursor. */
  readonly isTerminal: boolean;
  #lines = 0;

  constructor(stream: ProgressStream = process.stdout) {
    this.#stream = stream;
    // TERM is `dumb` at a terminal without cursor control (an Emacs shell).
    this.isTerminal = stream.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  /** Replaces the lines that stand there. Each is cut to the width of the terminal. */
  draw(lines: readonly string[]): void {
    // One column stays free: a character in the last one would start a new line on some terminals.
    const width = Math.max(1, (this.#stream.columns || 80) - 1);
    const text = lines.map((line) => `${fitColumns(shown(line), width)}\x1b[K\n`).join('');
    this.#stream.write(`${this.#up()}${text}\x1b[J`);
    this.#lines = lines.length;
  }

  /** Removes the lines, so that something else can be written above the next ones. */
  clear(): void {
    if (this.#lines > 0) this.#stream.write(`${this.#up()}\x1b[J`);
    this.#lines = 0;
  }

  /** Leaves the lines where they are. */
  keep(): void {
    this.#lines = 0;
  }

  #up(): string {
    return this.#lines === 0 ? '' : `\x1b[${this.#lines}A\r`;
  }
}

/** Makes the line printable. Its blanks do not change. */
function shown(line: string): string {
  return line
    .split(/( {2,})/)
    .map((part) => (/^ {2,}$/.test(part) ? part : printable(part)))
    .join('');
}
