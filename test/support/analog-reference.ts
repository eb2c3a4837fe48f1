import { GAUSSIAN_TABLE } from '../../firmware-protocol/gaussian-table.generated.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';

/**
 * The device model once more, in BigInt, written from docs/reference/device-model.md alone. It is slow and
 * simple: `>>` is a floor shift of any width, and nothing can round or overflow.
 */

const MASK = 0xffffffffn;

/** Philox4x32-10 of Random123 with true 64-bit products. */
export function referencePhilox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word) & MASK);
  let [k0, k1] = key.map((word) => BigInt(word) & MASK);
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0;
    const second = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(second >> 32n) ^ c1 ^ k0, second & MASK, (first >> 32n) ^ c3 ^ k1, first & MASK];
    k0 = (k0 + 0x9e3779b9n) & MASK;
    k1 = (k1 + 0xbb67ae85n) & MASK;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** Decodes the noise as the document says, with bit strings in place of clz and masks. */
export function referenceGaussian(word: number): number {
  const bits = (BigInt(word) & MASK).toString(2).padStart(32, '0');
  const odd = `${bits.slice(1, 31)}1`.replace(/^0+/, '');
  const octave = odd.length - 1;
  const mantissa = odd.padEnd(32, '0');
  const segment = Number.parseInt(mantissa.slice(1, 7), 2);
  const fraction = Number.parseInt(mantissa.slice(7, 18), 2);
  const entry = 2 * (64 * octave + segment);
  const magnitude = Math.floor(
    (GAUSSIAN_TABLE[entry] * 16384 + GAUSSIAN_TABLE[entry + 1] * fraction + 8192) / 16384,
  );
  return bits[0] === '1' ? -magnitude : magnitude;
}

/** z of one cell at the start of a tick. */
function referenceNoise(dieSeed: number, runSeed: number, tick: number, cell: number): number {
  const group = 4 * Math.floor(cell / 16) + (cell % 4);
  const time = BigInt(tick);
  const words = referencePhilox([Number(time & MASK), Number(time >> 32n), group, 0], [dieSeed, runSeed]);
  return referenceGaussian(words[Math.floor(cell / 4) % 4]);
}

export interface ReferenceBoard {
  readonly tickLog2: number;
  readonly rail: number;
}

export interface ReferenceState {
  v: bigint[];
  c: bigint[];
  r: bigint[];
  q: bigint[];
  cellFlags: number[];
  rowFlags: number[];
}

const clamp = (x: bigint, limit: bigint) => (x > limit ? limit : x < -limit ? -limit : x);

export function referenceState(image: ProgramImage, board: ReferenceBoard): ReferenceState {
  const zeros = (count: number) => new Array<bigint>(count).fill(0n);
  return {
    v: Array.from(image.initialState, (code) => clamp(BigInt(code) * 1024n, BigInt(board.rail))),
    c: zeros(image.cells),
    r: zeros(image.cells),
    q: zeros(image.rows),
    cellFlags: new Array(image.cells).fill(0),
    rowFlags: new Array(image.rows).fill(0),
  };
}

/** One tick of a 16-bit, range-4 board with ζ_i given; changes `state`. */
export function referenceTick(
  image: ProgramImage,
  board: ReferenceBoard,
  state: ReferenceState,
  zeta: readonly number[],
): void {
  const { cells, rows } = image;
  const g = Array.from(image.couplings, (code) =>
    clamp(BigInt(code) << BigInt(16 - image.couplingBits), 32767n),
  );
  const w: bigint[] = [];
  for (let i = 0; i < cells; i++) {
    const u = state.v[i] + state.c[i];
    w[i] = u >> 10n;
    state.c[i] = u - w[i] * 1024n;
  }
  const sum = (count: number, term: (index: number) => bigint) => {
    let total = 0n;
    for (let index = 0; index < count; index++) total += term(index);
    return total;
  };
  const rowSums = Array.from({ length: rows }, (_, r) => sum(cells, (j) => g[r * cells + j] * w[j]));
  let s = rowSums;
  if (image.mode === PROGRAM_MODE.factored) {
    const shift = BigInt(15 + image.rowAttenuation);
    const y = rowSums.map((rowSum, r) => {
      const u = rowSum + state.q[r];
      const output = u >> shift;
      state.q[r] = u - (output << shift);
      if (output <= 20480n && output >= -20480n) return output;
      state.q[r] = 0n;
      state.rowFlags[r] = 1;
      return clamp(output, 20480n);
    });
    s = w.map((_, i) => sum(rows, (r) => g[r * cells + i] * y[r]) << BigInt(image.rowAttenuation));
  }
  const unit = BigInt(5 + board.tickLog2);
  const rail = BigInt(board.rail);
  for (let i = 0; i < cells; i++) {
    const e = clamp(BigInt(image.drive[i]) * 2048n, 2n ** 26n - 1n);
    const t = 32n * e - s[i] - BigInt(image.damping) * w[i] + state.r[i];
    const delta = t >> unit;
    state.r[i] = t - (delta << unit);
    const kick = BigInt(image.noiseAmplitude) * BigInt(zeta[i]);
    const shift = BigInt(image.noiseShift);
    const eta = (kick + (1n << (shift - 1n)) + (zeta[i] < 0 ? -1n : 0n)) >> shift;
    const next = state.v[i] + delta + eta;
    if (next > rail || next < -rail) state.cellFlags[i] = 1;
    state.v[i] = clamp(next, rail);
  }
}

/** ζ of every cell in a tick. */
export function referenceZeta(dieSeed: number, runSeed: number, tick: number, cells: number): number[] {
  const z = (time: number, cell: number) => referenceNoise(dieSeed, runSeed, time, cell);
  return Array.from({ length: cells }, (_, i) => z(tick, i) + z(tick + 1, i));
}
