import {
  AVERAGES_PART,
  type AveragesPart,
  BLOCK_FLAG,
} from '../../firmware-protocol/messages/acquisition.js';
import { codeBytes } from '../../firmware-protocol/program-digest.js';

/**
 * The sums that a run makes of its samples (protocol.md, "Averages"). Codes are within ± 2¹⁵, a batch has at
 * most 65535 samples and a run 32 batches: sums of a batch fit 32 bits, and sums of products stay below 2⁵¹.
 */
export class RunAverages {
  /** How many samples were added so far. */
  samples = 0;
  /** Flags of overload and clip, set if any of these samples had them. */
  flags = 0;
  readonly #cells: number;
  readonly #batchSamples: number;
  /** [batch][cell] */
  readonly #batchSums: Int32Array;
  /** Σ x_i·x_j of j ≥ i, row by row, or Σ x_i². */
  readonly #products: Float64Array;
  readonly #ofPairs: boolean;

  constructor(cells: number, batches: number, batchSamples: number, ofPairs: boolean) {
    this.#cells = cells;
    this.#batchSamples = batchSamples;
    this.#batchSums = new Int32Array(batches * cells);
    this.#products = new Float64Array(ofPairs ? (cells * (cells + 1)) / 2 : cells);
    this.#ofPairs = ofPairs;
  }

  add(codes: Int16Array, flags: number): void {
    const first = Math.floor(this.samples / this.#batchSamples) * this.#cells;
    for (let i = 0; i < this.#cells; i++) this.#batchSums[first + i] += codes[i];
    if (this.#ofPairs) this.#addPairs(codes);
    else for (let i = 0; i < this.#cells; i++) this.#products[i] += codes[i] * codes[i];
    this.samples++;
    this.flags |= flags & (BLOCK_FLAG.overload | BLOCK_FLAG.clip);
  }

  #addPairs(codes: Int16Array): void {
    let at = 0;
    for (let i = 0; i < this.#cells; i++)
      for (let j = i; j < this.#cells; j++) this.#products[at++] += codes[i] * codes[j];
  }

  /** Sums as a message carries them; undefined beyond the last one. */
  read(part: AveragesPart, first: number, count: number): Uint8Array | undefined {
    const isBatches = part === AVERAGES_PART.batchSums;
    const sums = isBatches ? this.#batchSums : this.#products;
    if (first + count > sums.length) return undefined;
    const read = sums.slice(first, first + count);
    return codeBytes(read instanceof Int32Array ? read : BigInt64Array.from(read, BigInt));
  }
}
