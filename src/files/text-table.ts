import { ThermolinkError } from '../errors.js';
import { allocateEntries, badFile, ENTRIES_MAX, type InputFile, type NumericArray } from './input-file.js';
import {
  cellFault,
  numberOf,
  SEPARATOR_NAMES,
  type Separator,
  separatorOf,
  splitCells,
  splitPlain,
  thousandsIn,
  withoutComment,
} from './text-cells.js';
import { type Dialect, recogniseDialect, type TextLine } from './text-dialect.js';

/** Longest line, bytes. Without this limit, a file that has no line ends would become one huge string. */
const LINE_BYTES_MAX = 2 ** 27;
/** Numbers of lines and bytes that are read before the dialect is chosen. */
const SAMPLE_LINES = 256;
const SAMPLE_BYTES = 2 ** 20;

/** Excel writes and reads this first line. */
const EXCEL_SEPARATOR = /^sep=([,;\t])[ \t]*$/i;
const OCTAVE_TYPE = /^# type: (.+?)\s*$/;

const NUL = 0;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Parses a table of decimal numbers from text that arrives in pieces; the result does not depend on the sizes
 * of the pieces. The format, with its dialects, is that of docs/reference/array-files.md, "Text".
 *
 * Errors: `BAD_MATRIX` with the line, and with the field if there is one (both from 1), for everything that
 * is not a finite number, for rows of unequal length, and if commas, points or blanks may separate thousands;
 * `BAD_FILE` if the file is not text, holds no number or too many, has a line that is too long, or is a text
 * of Octave with a variable that is not read.
 */
export class TextTable {
  readonly #path: string;
  #entries = new Float64Array(1024);
  #entryCount = 0;
  #rows = 0;
  #columns = 0;
  /** The first row of numbers. */
  #firstRow: TextLine | undefined;
  #line = 0;
  /** Lines that wait for the dialect; empty once it is known. */
  #sample: TextLine[] = [];
  #sampleBytes = 0;
  #dialect: Dialect | undefined;
  /** The separator that the first line names. */
  #separator: Separator | undefined;
  /** Whether a variable of Octave has begun. */
  #isOctave = false;
  /** The pieces of the line that has not ended yet. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Whether the last line ended with a carriage return: a line feed after it ends no further line. */
  #wasReturn = false;

  /** `path` only names the table in errors. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the next bytes; `chunk` may be reused by the caller afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.includes(NUL))
      throw badFile(
        this.#path,
        `${this.#path} is not a text file: it holds zero bytes.`,
        'Save text as UTF-8, not as UTF-16; save an array as .npy or Matrix Market.',
      );
    let start = 0;
    let feed = chunk.indexOf(LINE_FEED);
    let carriage = chunk.indexOf(CARRIAGE_RETURN);
    while (feed >= 0 || carriage >= 0) {
      const isFeed = carriage < 0 || (feed >= 0 && feed < carriage);
      const end = isFeed ? feed : carriage;
      const isSecondHalf = isFeed && this.#wasReturn && end === start && this.#pendingBytes === 0;
      if (!isSecondHalf) this.#endLine(chunk.subarray(start, end));
      this.#wasReturn = !isFeed;
      start = end + 1;
      if (isFeed) feed = chunk.indexOf(LINE_FEED, start);
      else carriage = chunk.indexOf(CARRIAGE_RETURN, start);
    }
    // Not slice, which shares memory if the chunk is a Buffer.
    if (start < chunk.length) this.#keep(new Uint8Array(chunk.subarray(start)));
  }

  /** Ends the text and returns the table. */
  finish(): NumericArray {
    if (this.#pendingBytes > 0) this.#endLine(new Uint8Array(0));
    if (this.#sample.length > 0) this.#decide();
    if (this.#rows === 0)
      throw badFile(this.#path, `${this.#path} holds no numbers.`, 'Write one row of numbers per line.');
    const data = this.#entries.slice(0, this.#entryCount);
    const hasCommas = this.#dialect?.separator === ',';
    return { dimensions: 2, rows: this.#rows, columns: this.#columns, data, hasCommas };
  }

  #keep(piece: Uint8Array): void {
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > LINE_BYTES_MAX)
      throw badFile(
        this.#path,
        `${this.#path}, line ${this.#line + 1} is longer than ${LINE_BYTES_MAX} bytes.`,
        'Write one row per line, or use a .npy file.',
      );
  }

  #endLine(tail: Uint8Array): void {
    this.#keep(tail);
    // Bytes that are not UTF-8 become U+FFFD here. U+FFFD is not a number, so in a cell of numbers it ends in
    // an error with its place.
    const bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#line++;
    const decoded = bytes.toString('utf8');
    const text = this.#line === 1 && decoded.startsWith('\uFEFF') ? decoded.slice(1) : decoded;
    const [, separator] = this.#line === 1 ? (EXCEL_SEPARATOR.exec(text) ?? []) : [];
    if (separator !== undefined) {
      this.#separator = separator === '\t' ? 'blank' : (separator as Separator);
      return;
    }
    const [, type] = OCTAVE_TYPE.exec(text) ?? [];
    if (type !== undefined) this.#beginOctave(type);
    this.#takeLine(withoutComment(text));
  }

  /** Takes the type of a variable from a comment of a text file of Octave. */
  #beginOctave(type: string): void {
    const isPlain = type === 'matrix' || type === 'scalar';
    if (isPlain && !this.#isOctave) {
      this.#isOctave = true;
      return;
    }
    throw badFile(
      this.#path,
      isPlain
        ? `${this.#path}, line ${this.#line}: a second variable of Octave begins.`
        : `${this.#path}, line ${this.#line}: Octave's type ${JSON.stringify(type.slice(0, 40))} is not read.`,
      "Save one full, real matrix: in Octave A = full(A); save('-text', 'A.txt', 'A').",
    );
  }

  #takeLine(text: string): void {
    if (/^[ \t]*$/.test(text)) return;
    const line: TextLine = { line: this.#line, text };
    if (this.#dialect !== undefined) {
      this.#parseRow(line, this.#dialect);
      return;
    }
    this.#sample.push(line);
    this.#sampleBytes += text.length;
    if (this.#sample.length >= SAMPLE_LINES || this.#sampleBytes >= SAMPLE_BYTES) this.#decide();
  }

  /** Recognises the dialect and parses the lines that waited for it. */
  #decide(): void {
    const lines = this.#sample;
    this.#sample = [];
    const dialect = recogniseDialect(
      lines,
      ({ line }, what, hint) => this.#badMatrix(line, `${this.#path}, line ${line}: ${what}.`, hint),
      this.#separator,
    );
    this.#dialect = dialect;
    for (const line of dialect.hasHeader ? lines.slice(1) : lines) this.#parseRow(line, dialect);
  }

  #parseRow(row: TextLine, dialect: Dialect): void {
    const { separator, decimal, hasIndex, hasTrailing } = dialect;
    const cells = row.text.includes('"')
      ? splitCells(row.text, separator).map(({ text }) => text)
      : splitPlain(row.text, separator);
    if (hasTrailing && cells[cells.length - 1].trim() === '') cells.pop();
    const before = this.#entryCount;
    for (let i = hasIndex ? 1 : 0; i < cells.length; i++) {
      const text = cells[i].trim();
      const value = numberOf(text, decimal);
      if (!Number.isFinite(value)) throw this.#badCell(row, i + 1, text, dialect);
      this.#append(value);
    }
    const count = this.#entryCount - before;
    if (this.#rows === 0) {
      this.#columns = count;
      this.#firstRow = row;
    }
    if (count !== this.#columns || count === 0) throw this.#badCount(row, count, dialect);
    this.#rows++;
  }

  #append(value: number): void {
    if (this.#entryCount === ENTRIES_MAX)
      throw badFile(
        this.#path,
        `${this.#path} holds more than ${ENTRIES_MAX} numbers.`,
        'Use a smaller matrix.',
      );
    if (this.#entryCount === this.#entries.length) {
      const larger = allocateEntries(this.#path, Math.min(ENTRIES_MAX, 2 * this.#entryCount));
      larger.set(this.#entries);
      this.#entries = larger as Float64Array<ArrayBuffer>;
    }
    this.#entries[this.#entryCount++] = value;
  }

  #badCell(row: TextLine, field: number, text: string, dialect: Dialect): ThermolinkError {
    const { what, hint } = cellFault(text, dialect.decimal);
    return (
      this.#otherSeparator(row, dialect) ??
      this.#badMatrix(row.line, `${this.#path}, line ${row.line}, field ${field}: ${what}.`, hint, { field })
    );
  }

  #badCount(row: TextLine, count: number, dialect: Dialect): ThermolinkError {
    return (
      this.#otherSeparator(row, dialect) ??
      this.#blankThousands(row, count, dialect) ??
      this.#badMatrix(
        row.line,
        `${this.#path}, line ${row.line} has ${values(count)}, but line ${this.#firstRow?.line ?? row.line} has ${values(this.#columns)}.`,
        `Give every row the same number of values.${dialect.separator === ',' ? ' In this file a comma between thousands, or as a decimal sign, splits one number into two: write 1234.5.' : ''}`,
      )
    );
  }

  /** A file that changes its separator is a damaged one; guessing line by line would hide that. */
  #otherSeparator({ line, text }: TextLine, { separator }: Dialect): ThermolinkError | undefined {
    const here = separatorOf(text);
    if (here === separator || this.#rows === 0 || here === 'blank' || this.#columns === 1) return undefined;
    return this.#badMatrix(
      line,
      `${this.#path}, line ${line}: fields are separated by ${SEPARATOR_NAMES[here]} here, but by ${SEPARATOR_NAMES[separator]} above.`,
      'Use one separator in the whole file, and a decimal point.',
    );
  }

  /** A blank between thousands makes one number look like two, and its row longer than the others. */
  #blankThousands(row: TextLine, count: number, { separator }: Dialect): ThermolinkError | undefined {
    const first = this.#firstRow;
    if (separator !== 'blank' || first === undefined || count === 0) return undefined;
    const [longer, other] = count > this.#columns ? [row, first] : [first, row];
    const found = thousandsIn(longer.text, Math.abs(count - this.#columns));
    if (found === undefined) return undefined;
    const whole = found.replaceAll(' ', '');
    return this.#badMatrix(
      longer.line,
      `${this.#path}, line ${longer.line}: "${found}" seems to be ${whole} with blanks between its thousands: read as several numbers, they are more than line ${other.line} has.`,
      `Write ${whole}, without blanks; or, if these are several numbers, give every row the same number of values.`,
    );
  }

  #badMatrix(
    line: number,
    message: string,
    hint: string,
    data: Readonly<Record<string, unknown>> = {},
  ): ThermolinkError {
    return new ThermolinkError('BAD_MATRIX', message, { hint, data: { path: this.#path, line, ...data } });
  }
}

function values(count: number): string {
  return count === 1 ? '1 value' : `${count} values`;
}

const CHUNK_BYTES = 2 ** 20;

/**
 * Reads a table of numbers from text (the format of `TextTable`) with one chunk of it in memory at a time.
 */
export async function readText(file: InputFile): Promise<NumericArray> {
  const table = new TextTable(file.path);
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, file.sizeBytes));
  for (let left = file.sizeBytes; left > 0; left -= chunk.length) {
    const next = chunk.subarray(0, Math.min(left, chunk.length));
    await file.read(next);
    table.push(next);
  }
  return table.finish();
}
