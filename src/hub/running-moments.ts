import { COVARIANCE_CELLS_MAX, SHOWN_CELLS_MAX } from './api.js';

/** Largest number of samples of one run that are added up between two events. More would block other work. */
const SAMPLES_PER_LOOK = 4096;

/** Mean and covariance of the known samples of a run, in V and V². */
export interface Moments {
  readonly samples: number;
  readonly meanVolts: number[];
  readonly varianceVolts2: number[] | null;
  readonly covarianceVolts2: number[][] | null;
}

/**
 * Mean, variances and covariances of samples that come one by one (Welford 1962): exact to rounding, whatever
 * the offset. If samples come too fast, some are left out; `samples` counts those that were used.
 */
export class RunningMoments {
  readonly cells: number;
  readonly #shown: number;
  readonly #mean: Float64Array;
  /** Sums of squares of deviations. */
  readonly #squares: Float64Array;
  /** Sums of products of deviations of the first cells, row-major; the lower triangle is used. */
  readonly #products: Float64Array;
  readonly #delta: Float64Array;
  #samples = 0;
  #taken = 0;

  constructor(cells: number) {
    this.cells = cells;
    const told = Math.min(cells, SHOWN_CELLS_MAX);
    this.#shown = Math.min(cells, COVARIANCE_CELLS_MAX);
    this.#mean = new Float64Array(told);
    this.#squares = new Float64Array(told);
    this.#delta = new Float64Array(told);
    this.#products = new Float64Array(this.#shown * this.#shown);
  }

  get samples(): number {
    return this.#samples;
  }

  /** Takes whole samples, [count × cells] codes, row-major. */
  add(codes: Int16Array, count: number): void {
    const { cells } = this;
    for (let sample = 0; sample < count && this.#taken < SAMPLES_PER_LOOK; sample++) {
      this.#taken++;
      this.#addSample(codes, sample * cells);
    }
  }

  #addSample(codes: Int16Array, at: number): void {
    const n = ++this.#samples;
    const told = this.#mean.length;
    for (let i = 0; i < told; i++) {
      const delta = codes[at + i] - this.#mean[i];
      this.#delta[i] = delta;
      this.#mean[i] += delta / n;
      this.#squares[i] += delta * (codes[at + i] - this.#mean[i]);
    }
    const share = (n - 1) / n;
    for (let i = 0; i < this.#shown; i++)
      for (let j = 0; j <= i; j++)
        this.#products[i * this.#shown + j] += share * this.#delta[i] * this.#delta[j];
  }

  /** The figures so far. `stepVolts` is one step of the ADC. More samples are taken after it. */
  look(stepVolts: number): Moments {
    this.#taken = 0;
    const n = this.#samples;
    const scale = n > 1 ? (stepVolts * stepVolts) / (n - 1) : 0;
    const shown = this.#shown;
    const product = (i: number, j: number): number => this.#products[Math.max(i, j) * shown + Math.min(i, j)];
    return {
      samples: n,
      meanVolts: Array.from(this.#mean, (mean) => mean * stepVolts),
      varianceVolts2: n > 1 ? Array.from(this.#squares, (sum) => sum * scale) : null,
      covarianceVolts2:
        n > 1
          ? Array.from({ length: shown }, (_, i) =>
              Array.from({ length: shown }, (_, j) => product(i, j) * scale),
            )
          : null,
    };
  }
}

/**
 * The sums that a board has added up (protocol.md, "Averages"), collected from the answers to the host's
 * readings.
 */
export class SummedMoments {
  readonly #cells: number;
  readonly #hasPairs: boolean;
  readonly #sums: Float64Array;
  readonly #products: Float64Array;
  /** First entries of the parts that arrived. They are kept because a host may read a part twice. */
  readonly #sumsFrom = new Set<number>();
  readonly #productsFrom = new Set<number>();
  #batches = 0;
  #productsSeen = 0;

  constructor(cells: number, hasPairs: boolean) {
    this.#cells = cells;
    this.#hasPairs = hasPairs;
    this.#sums = new Float64Array(cells);
    this.#products = new Float64Array(hasPairs ? (cells * (cells + 1)) / 2 : cells);
  }

  /** Takes Σ x_i of batches: int32 from entry `first` on, entry batch · N + cell. */
  addSums(first: number, bytes: Uint8Array): void {
    if (this.#sumsFrom.has(first)) return;
    this.#sumsFrom.add(first);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < bytes.length >> 2; i++)
      this.#sums[(first + i) % this.#cells] += view.getInt32(4 * i, true);
    this.#batches += (bytes.length >> 2) / this.#cells;
  }

  /** Takes Σ x_i·x_j: int64 from entry `first` on. */
  addProducts(first: number, bytes: Uint8Array): void {
    if (this.#productsFrom.has(first)) return;
    this.#productsFrom.add(first);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < bytes.length >> 3; i++) {
      if (first + i >= this.#products.length) return;
      this.#products[first + i] = Number(view.getBigInt64(8 * i, true));
      this.#productsSeen++;
    }
  }

  /** The figures for the given numbers of samples and batches; undefined until all sums have arrived. */
  look(samples: number, batches: number, stepVolts: number): Moments | undefined {
    if (this.#batches < batches || samples < 1) return undefined;
    const cells = this.#cells;
    const mean = this.#sums.map((sum) => sum / samples);
    const told = Math.min(cells, SHOWN_CELLS_MAX);
    const shown = Math.min(cells, COVARIANCE_CELLS_MAX);
    const isComplete = this.#productsSeen >= this.#products.length && samples > 1;
    const scale = (stepVolts * stepVolts) / (samples - 1);
    const at = (i: number, j: number): number =>
      this.#hasPairs ? i * cells - (i * (i - 1)) / 2 + (j - i) : i;
    const deviation = (i: number, j: number): number =>
      (this.#products[at(Math.min(i, j), Math.max(i, j))] - samples * mean[i] * mean[j]) * scale;
    return {
      samples,
      meanVolts: Array.from(mean.subarray(0, told), (entry) => entry * stepVolts),
      varianceVolts2: isComplete ? Array.from({ length: told }, (_, i) => deviation(i, i)) : null,
      covarianceVolts2:
        isComplete && this.#hasPairs
          ? Array.from({ length: shown }, (_, i) => Array.from({ length: shown }, (_, j) => deviation(i, j)))
          : null,
    };
  }
}
