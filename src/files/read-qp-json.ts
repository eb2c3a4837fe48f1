import { type Matrix, matrix } from '../linalg/matrix.js';
import type { QuadraticProgram } from '../linalg/quadratic-program.js';
import { allocateEntries, badFile, ENTRIES_MAX, type InputFile, readAll } from './input-file.js';

/** A bound of this size or larger counts as absent; OSQP writes 1e20 and 1e30. */
const NO_BOUND = 1e20;

/**
 * Reads a program {P, q, A, l, u} as JSON, with an optional `constant`. P and A are rows of numbers, or
 * sparse columns as SciPy has them: {shape, data, indices, indptr}. P may hold its upper triangle alone, as
 * OSQP takes it. A bound of null, or of 1e20 or larger, counts as absent.
 *
 * Errors: BAD_FILE that names the field.
 */
export async function readQpJson(file: InputFile): Promise<QuadraticProgram> {
  const { path } = file;
  const text = Buffer.from(await readAll(file)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const hint = /\b(?:NaN|Infinity)\b/.test(text)
      ? 'JSON has no Infinity and no NaN: write null for a bound that is not there.'
      : 'Write the file again.';
    throw badFile(path, `${path} is no JSON, or is cut.`, hint, cause);
  }
  return new JsonProgram(path).read(value);
}

class JsonProgram {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(value: unknown): QuadraticProgram {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#bad('it is no object');
    const { P, q, A, l, u, constant = 0 } = value as Record<string, unknown>;
    const linear = this.#numbers('q', q);
    const n = linear.length;
    if (n === 0) throw this.#bad('q is empty');
    const hessian = symmetric(this.#matrix('P', P, n));
    const constraints = this.#matrix('A', A, n);
    if (hessian.rows !== n) throw this.#bad(`P has ${hessian.rows} rows and q ${n} entries`);
    const lower = this.#bounds('l', l, -Infinity);
    const upper = this.#bounds('u', u, Infinity);
    for (const [name, bounds] of [
      ['l', lower],
      ['u', upper],
    ] as const)
      if (bounds.length !== constraints.rows)
        throw this.#bad(`${name} has ${bounds.length} entries and A ${constraints.rows} rows`);
    if (typeof constant !== 'number') throw this.#bad('constant is no number');
    return { hessian, linear, constraints, lower, upper, constant };
  }

  #matrix(name: string, value: unknown, columns: number): Matrix {
    if (!Array.isArray(value)) return this.#sparse(name, value, columns);
    this.#refuseLarge(name, value.length, columns);
    const data = allocateEntries(this.#path, value.length * columns);
    for (const [i, row] of value.entries()) {
      const numbers = this.#numbers(`row ${i} of ${name}`, row);
      if (numbers.length !== columns)
        throw this.#bad(`row ${i} of ${name} has ${numbers.length} entries and q ${columns}`);
      data.set(numbers, i * columns);
    }
    return matrix(value.length, columns, data);
  }

  #sparse(name: string, value: unknown, columns: number): Matrix {
    if (typeof value !== 'object' || value === null)
      throw this.#bad(`${name} is neither rows nor { shape, data, indices, indptr }`);
    const { shape, data, indices, indptr } = value as Record<string, unknown>;
    const [rows, width] = this.#wholes(`${name}.shape`, shape);
    if (width !== columns) throw this.#bad(`${name} has ${width} columns and q ${columns} entries`);
    this.#refuseLarge(name, rows, columns);
    const values = this.#numbers(`${name}.data`, data);
    const rowOf = this.#wholes(`${name}.indices`, indices);
    const starts = this.#wholes(`${name}.indptr`, indptr);
    if (
      rowOf.length !== values.length ||
      starts.length !== columns + 1 ||
      starts[0] !== 0 ||
      starts[columns] !== values.length
    )
      throw this.#bad(`${name} is not stored by columns: data, indices and indptr do not fit together`);
    const entries = allocateEntries(this.#path, rows * columns);
    for (let j = 0; j < columns; j++) {
      if (starts[j + 1] < starts[j]) throw this.#bad(`${name}.indptr falls`);
      for (let at = starts[j]; at < starts[j + 1]; at++) {
        if (rowOf[at] >= rows) throw this.#bad(`${name}.indices names row ${rowOf[at]} of ${rows}`);
        entries[rowOf[at] * columns + j] += values[at];
      }
    }
    return matrix(rows, columns, entries);
  }

  #refuseLarge(name: string, rows: number, columns: number): void {
    if (rows * columns > ENTRIES_MAX) throw this.#bad(`${name} is ${rows}×${columns}, too large`);
  }

  #wholes(name: string, value: unknown): number[] {
    if (!Array.isArray(value)) throw this.#bad(`${name} is no array`);
    const index = value.findIndex((entry) => !(Number.isSafeInteger(entry) && entry >= 0));
    if (index >= 0) throw this.#bad(`entry ${index} of ${name} is not a whole number of at least 0`);
    return value as number[];
  }

  #numbers(name: string, value: unknown): Float64Array<ArrayBuffer> {
    if (!Array.isArray(value)) throw this.#bad(`${name} is ${value === undefined ? 'missing' : 'no array'}`);
    const index = value.findIndex((entry) => typeof entry !== 'number' || !Number.isFinite(entry));
    if (index >= 0) throw this.#bad(`entry ${index} of ${name} is no finite number`);
    return Float64Array.from(value as number[]);
  }

  #bounds(name: string, value: unknown, none: number): Float64Array<ArrayBuffer> {
    if (!Array.isArray(value)) throw this.#bad(`${name} is ${value === undefined ? 'missing' : 'no array'}`);
    return Float64Array.from(value, (entry: unknown, i) => {
      if (entry === null) return none;
      if (typeof entry !== 'number') throw this.#bad(`entry ${i} of ${name} is neither a number nor null`);
      return Math.abs(entry) >= NO_BOUND ? Math.sign(entry) * Infinity : entry;
    });
  }

  #bad(what: string): Error {
    return badFile(
      this.#path,
      `${this.#path} holds no quadratic program: ${what}.`,
      'It needs P, q, A, l and u: docs/reference/quadratic-programs.md.',
    );
  }
}

/** The full matrix if only its upper triangle is given; any other matrix unchanged. */
function symmetric(p: Matrix): Matrix {
  const n = p.columns;
  for (let i = 0; i < p.rows; i++) for (let j = 0; j < i; j++) if (p.data[i * n + j] !== 0) return p;
  const data = Float64Array.from(p.data);
  for (let i = 0; i < p.rows; i++) for (let j = 0; j < i; j++) data[i * n + j] = p.data[j * n + i];
  return matrix(p.rows, n, data);
}
