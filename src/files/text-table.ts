import { ThermolinkError } from '../errors.js';
import { allocateEntries, badFile, ENTRIES_MAX, type NumericArray, withInputFile } from './input-file.js';

/** Longest line, bytes: keeps a file without line ends from becoming one huge string. */
const LINE_BYTES_MAX = 2 ** 27;

/** One way to match at every place, so that a long wrong number takes linear time. */
const DECIMAL_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;
/** With tabs between fields, two in a row or one at an end is a field that was left out. */
const EMPTY_TABBED_FIELD = /^ *\t|\t *\t|\t *$/;

const NUL = 0;
const LINE_FEED = 0x0a;

type Separator = ',' | ';' | 'blank';

const SEPARATOR_NAMES: Readonly<Record<Separator, string>> = {
  ',': 'commas',
  ';': 'semicolons',
  blank: 'blanks or tabs',
};

/**
 * Parses a table of decimal numbers from text that arrives in pieces; the result does not depend on where the pieces
 * are cut. One row per line; commas, semicolons, tabs or blanks between fields, the same in all lines; `#` starts a
 * comment; blank lines, a byte-order mark and CRLF are passed over.
 *
 * Errors: `BAD_MATRIX` with line and field (both from 1) for everything that is not a finite number and for
 * rows of unequal length; `BAD_FILE` if it is not text or holds no number at all.
 */
export class TextTable {
  readonly #path: string;
  #entries = new Float64Array(1024);
  #entryCount = 0;
  #rows = 0;
  #columns = 0;
  #firstRowLine = 0;
  #line = 0;
  #separator: Separator | undefined;
  /** The pieces of the line that has not ended yet. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

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
        'Name a NumPy array .npy, and save text as UTF-8, not as UTF-16.',
      );
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      this.#endLine(chunk.subarray(start, end));
      start = end + 1;
    }
    // Not slice, which shares memory if the chunk is a Buffer.
    if (start < chunk.length) this.#keep(new Uint8Array(chunk.subarray(start)));
  }

  /** Ends the text and returns the table. */
  finish(): NumericArray {
    if (this.#pendingBytes > 0) this.#endLine(new Uint8Array(0));
    if (this.#rows === 0)
      throw badFile(this.#path, `${this.#path} holds no numbers.`, 'Write one row of numbers per line.');
    const data = this.#entries.slice(0, this.#entryCount);
    return { dimensions: 2, rows: this.#rows, columns: this.#columns, data };
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
    // Bytes that are no UTF-8 become U+FFFD here, which is no number and so ends in an error with its place.
    const text = Buffer.concat(this.#pending, this.#pendingBytes).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#line++;
    this.#parseLine(withoutMarks(text, this.#line));
  }

  #parseLine(text: string): void {
    if (/^[ \t]*$/.test(text)) return;
    const separator = separatorOf(text);
    this.#checkSeparator(separator);
    const before = this.#entryCount;
    if (separator === ',' || separator === ';') this.#parseSeparated(text, separator);
    else this.#parseBlanks(text);
    const count = this.#entryCount - before;
    if (this.#rows === 0) {
      this.#columns = count;
      this.#firstRowLine = this.#line;
    }
    if (count !== this.#columns)
      throw this.#badMatrix(
        `${this.#path}, line ${this.#line} has ${values(count)}, but line ${this.#firstRowLine} has ${values(this.#columns)}.`,
        'Give every row the same number of values.',
      );
    this.#rows++;
  }

  /** A file that changes its separator is a damaged one; guessing line by line would hide that. */
  #checkSeparator(separator: Separator | undefined): void {
    if (separator === undefined) return;
    // In a column of numbers anything between two of them shows as a row that is too long, or as text.
    if (this.#separator !== undefined && separator !== this.#separator)
      throw this.#badMatrix(
        `${this.#path}, line ${this.#line}: fields are separated by ${SEPARATOR_NAMES[separator]} here, but by ${SEPARATOR_NAMES[this.#separator]} above.`,
        'Use one separator in the whole file, and a decimal point.',
      );
    this.#separator = separator;
  }

  #parseSeparated(text: string, separator: ',' | ';'): void {
    let start = 0;
    for (let field = 1; ; field++) {
      const found = text.indexOf(separator, start);
      const end = found < 0 ? text.length : found;
      this.#parseCell(text, start, end, field);
      if (found < 0) return;
      start = found + 1;
    }
  }

  #parseBlanks(text: string): void {
    if (EMPTY_TABBED_FIELD.test(text)) {
      this.#parseTabbed(text);
      return;
    }
    let field = 1;
    for (const match of text.matchAll(/[^ \t]+/g))
      this.#parseCell(text, match.index, match.index + match[0].length, field++);
  }

  /** A line with an empty field between tabs: finds it, or what is wrong before it. */
  #parseTabbed(text: string): void {
    let field = 1;
    let start = 0;
    for (const part of text.split('\t')) {
      // Blanks separate fields too, where there is something between them.
      for (const match of part.trim() === '' ? [{ 0: '', index: 0 }] : part.matchAll(/[^ ]+/g)) {
        const at = start + match.index;
        this.#parseCell(text, at, at + match[0].length, field++);
      }
      start += part.length + 1;
    }
  }

  #parseCell(text: string, start: number, end: number, field: number): void {
    while (start < end && isBlank(text, start)) start++;
    while (start < end && isBlank(text, end - 1)) end--;
    const token = text.slice(start, end);
    if (token === '')
      throw this.#badField(field, 'it is empty.', 'Fill in the number, or remove the extra separator.');
    const value = Number(token);
    if (!DECIMAL_NUMBER.test(token) || !Number.isFinite(value)) throw this.#notANumber(text, field, token);
    this.#append(value);
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

  #notANumber(text: string, field: number, token: string): ThermolinkError {
    const quoted = quote(token);
    if (NOT_FINITE.test(token))
      return this.#badField(
        field,
        `${quoted} is not finite.`,
        'Replace it: a linear system needs finite numbers.',
      );
    if (DECIMAL_NUMBER.test(token))
      return this.#badField(field, `${quoted} is too large for a float64.`, 'Scale the numbers down.');
    return this.#badField(field, `${quoted} is not a number.`, hintForText(text, token, this.#rows === 0));
  }

  #badField(field: number, what: string, hint: string): ThermolinkError {
    const place = `${this.#path}, line ${this.#line}, field ${field}`;
    return this.#badMatrix(`${place}: ${what}`, hint, { field });
  }

  #badMatrix(message: string, hint: string, data: Readonly<Record<string, unknown>> = {}): ThermolinkError {
    return new ThermolinkError('BAD_MATRIX', message, {
      hint,
      data: { path: this.#path, line: this.#line, ...data },
    });
  }
}

/** The line without byte-order mark, carriage return and comment. */
function withoutMarks(text: string, line: number): string {
  if (line === 1 && text.startsWith('\uFEFF')) text = text.slice(1);
  const hash = text.indexOf('#');
  if (hash >= 0) return text.slice(0, hash);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** What stands between the fields of this line; nothing if it has one field only. */
function separatorOf(text: string): Separator | undefined {
  // Semicolon first: where it separates, a comma is a decimal comma, and the error can say so.
  if (text.includes(';')) return ';';
  if (text.includes(',')) return ',';
  return /[^ \t][ \t]+[^ \t]/.test(text) ? 'blank' : undefined;
}

function hintForText(text: string, token: string, isFirstRow: boolean): string {
  if (/^[+-]?\d+,\d/.test(token)) return 'Write decimals with a point, not with a comma.';
  if (/^["']/.test(token)) return 'Write numbers without quotation marks.';
  if (isFirstRow && !/\d/.test(text)) return 'Remove the header line, or start it with #.';
  return 'Write decimal numbers such as -1.5e-3, with commas, semicolons, tabs or blanks between them.';
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x20 || code === 0x09;
}

function values(count: number): string {
  return count === 1 ? '1 value' : `${count} values`;
}

function quote(token: string): string {
  return JSON.stringify(token.length > 24 ? `${token.slice(0, 24)}…` : token);
}

const CHUNK_BYTES = 2 ** 20;

/** Reads a table of numbers from a text file (the format of `TextTable`) with one chunk of text in memory at a time. */
export async function readCsv(path: string): Promise<NumericArray> {
  return withInputFile(path, async (file) => {
    const table = new TextTable(path);
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, file.sizeBytes));
    for (let left = file.sizeBytes; left > 0; left -= chunk.length) {
      const next = chunk.subarray(0, Math.min(left, chunk.length));
      await file.read(next);
      table.push(next);
    }
    return table.finish();
  });
}
