import { ThermolinkError } from '../errors.js';
import {
  allocateEntries,
  badFile,
  ENTRIES_MAX,
  type InputFile,
  type NumericArray,
  readAll,
} from './input-file.js';
import { numberOf } from './text-cells.js';

/** How a Matrix Market file begins. */
export const MATRIX_MARKET_BANNER = '%%MatrixMarket';

interface Banner {
  readonly format: 'array' | 'coordinate';
  readonly isSymmetric: boolean;
}

/**
 * Reads a Matrix Market file: `array` or `coordinate`, `real`, `double` or `integer`, `general` or
 * `symmetric`. A symmetric file holds one triangle, and entries that a coordinate file leaves out are 0. An
 * n×1 matrix is a vector too.
 *
 * Errors: `BAD_MATRIX` with the line for an entry that is not a finite number, lies outside the matrix or is
 * given twice; `BAD_FILE` for other kinds (pattern, complex, skew-symmetric, Hermitian), a wrong number of
 * entries, and a damaged head. Source: Boisvert, Pozo, Remington, "The Matrix Market Exchange Formats",
 * NISTIR 5935, 1996.
 */
export async function readMatrixMarket(file: InputFile): Promise<NumericArray> {
  const lines = Buffer.from(await readAll(file))
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/);
  const parser = new MatrixMarketParser(file.path, lines);
  return parser.parse();
}

class MatrixMarketParser {
  readonly #path: string;
  readonly #lines: readonly string[];
  /** Index of the line that is read next. */
  #next = 1;

  constructor(path: string, lines: readonly string[]) {
    this.#path = path;
    this.#lines = lines;
  }

  parse(): NumericArray {
    const banner = this.#banner();
    const sizes = this.#nextCells();
    const isWhole = (text: string): boolean => /^\d{1,12}$/.test(text);
    const needed = banner.format === 'array' ? 2 : 3;
    if (sizes?.length !== needed || !sizes.every(isWhole))
      throw this.#damaged(`its sizes are not ${needed} whole numbers in line ${this.#next}`);
    const [rows, columns, entryCount] = sizes.map(Number);
    if (rows === 0 || columns === 0)
      throw this.#badMatrix(this.#next, `the matrix is ${rows}×${columns} and has no entry`);
    if (rows * columns > ENTRIES_MAX)
      throw badFile(
        this.#path,
        `${this.#path} holds a ${rows}×${columns} matrix, more than the ${ENTRIES_MAX} numbers that are read.`,
        'Use a smaller matrix.',
      );
    if (banner.isSymmetric && rows !== columns)
      throw this.#damaged(`a ${rows}×${columns} matrix cannot be symmetric`);
    const data = allocateEntries(this.#path, rows * columns);
    if (banner.format === 'array') this.#readArray(data, rows, columns, banner.isSymmetric);
    else this.#readCoordinates(data, rows, columns, entryCount, banner.isSymmetric);
    if (this.#nextCells() !== undefined) throw this.#damaged(`line ${this.#next} comes after the last entry`);
    return { dimensions: 2, rows, columns, data };
  }

  #banner(): Banner {
    const [, object, format, field, symmetry, ...more] = this.#lines[0].trim().toLowerCase().split(/\s+/);
    const kind = [object, format, field, symmetry].join(' ');
    if (more.length > 0 || object !== 'matrix' || (format !== 'array' && format !== 'coordinate'))
      throw this.#damaged(`its first line says "${kind}"`);
    if (!['real', 'double', 'integer'].includes(field) || !['general', 'symmetric'].includes(symmetry))
      throw badFile(
        this.#path,
        `${this.#path} is a ${field} ${symmetry} matrix, which is not read.`,
        'Save a real (or integer) matrix that is general or symmetric.',
      );
    return { format, isSymmetric: symmetry === 'symmetric' };
  }

  /** The cells of the next line that is neither blank nor a comment; undefined at the end. */
  #nextCells(): string[] | undefined {
    while (this.#next < this.#lines.length) {
      const text = this.#lines[this.#next++].trim();
      if (text !== '' && !text.startsWith('%')) return text.split(/\s+/);
    }
    return undefined;
  }

  /** Reads the entries column by column. A file of a symmetric matrix has the lower triangle only. */
  #readArray(data: Float64Array, rows: number, columns: number, isSymmetric: boolean): void {
    for (let j = 0; j < columns; j++)
      for (let i = isSymmetric ? j : 0; i < rows; i++) {
        const cells = this.#nextCells();
        if (cells === undefined) throw this.#damaged('it ends before its last entry');
        if (cells.length !== 1)
          throw this.#badMatrix(this.#next, `there are ${cells.length} values, not one`);
        data[i * columns + j] = this.#number(cells[0]);
        if (isSymmetric) data[j * columns + i] = data[i * columns + j];
      }
  }

  #readCoordinates(
    data: Float64Array,
    rows: number,
    columns: number,
    entryCount: number,
    isSymmetric: boolean,
  ): void {
    const isGiven = new Uint8Array(rows * columns);
    for (let k = 0; k < entryCount; k++) {
      const cells = this.#nextCells();
      if (cells === undefined) throw this.#damaged(`it holds ${k} entries, not ${entryCount}`);
      const [i, j] = [Number(cells[0]) - 1, Number(cells[1]) - 1];
      if (cells.length !== 3) throw this.#badMatrix(this.#next, 'an entry is a row, a column and a value');
      const isInside =
        Number.isInteger(i) && Number.isInteger(j) && i >= 0 && i < rows && j >= 0 && j < columns;
      if (!isInside)
        throw this.#badMatrix(
          this.#next,
          `(${cells[0]}, ${cells[1]}) is outside the ${rows}×${columns} matrix`,
        );
      const places = isSymmetric && i !== j ? [i * columns + j, j * columns + i] : [i * columns + j];
      for (const place of places) {
        if (isGiven[place])
          throw this.#badMatrix(this.#next, `the entry (${i + 1}, ${j + 1}) is given twice`);
        isGiven[place] = 1;
        data[place] = this.#number(cells[2]);
      }
    }
  }

  #number(text: string): number {
    const value = numberOf(text.replace(/[dD]/, 'e'), '.');
    if (!Number.isFinite(value))
      throw this.#badMatrix(this.#next, `${JSON.stringify(text.slice(0, 24))} is not a finite number`);
    return value;
  }

  #damaged(what: string): ThermolinkError {
    return badFile(
      this.#path,
      `${this.#path} is not a readable Matrix Market file: ${what}.`,
      'Write it again, for example with scipy.io.mmwrite.',
    );
  }

  #badMatrix(line: number, what: string): ThermolinkError {
    return new ThermolinkError('BAD_MATRIX', `${this.#path}, line ${line}: ${what}.`, {
      hint: 'Write the file again, for example with scipy.io.mmwrite.',
      data: { path: this.#path, line },
    });
  }
}
