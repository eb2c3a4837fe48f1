/** The newest rows of a table of numbers: `capacity` rows at most, the oldest are overwritten. */
export class Ring {
  readonly columns: number;
  readonly capacity: number;
  readonly #values: Float64Array;
  #begin = 0;
  #length = 0;

  constructor(columns: number, capacity: number) {
    this.columns = columns;
    this.capacity = capacity;
    this.#values = new Float64Array(columns * capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a row; values that are missing become NaN, which charts draw as a gap. */
  push(row: ArrayLike<number>): void {
    const place = (this.#begin + this.#length) % this.capacity;
    for (let i = 0; i < this.columns; i++) this.#values[place * this.columns + i] = row[i] ?? Number.NaN;
    if (this.#length < this.capacity) this.#length++;
    else this.#begin = (this.#begin + 1) % this.capacity;
  }

  /** A column, the oldest value first. [length] */
  column(index: number): Float64Array {
    const column = new Float64Array(this.#length);
    for (let i = 0; i < this.#length; i++)
      column[i] = this.#values[((this.#begin + i) % this.capacity) * this.columns + index];
    return column;
  }

  /** The newest value of a column; NaN while the ring is empty. */
  last(index: number): number {
    if (this.#length === 0) return Number.NaN;
    const row = (this.#begin + this.#length - 1) % this.capacity;
    return this.#values[row * this.columns + index];
  }
}
