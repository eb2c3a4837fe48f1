import { CellArray } from '../../../../emulator/analog/cell-array.js';
import type { Die } from '../../../../emulator/analog/die.js';
import { commitProgram, type EffectiveProgram } from '../../../../emulator/analog/effective-program.js';
import { kernelWarning, newKernelInstance } from '../../../../emulator/kernel/kernel-module.js';
import { fastestTicks } from '../../../../emulator/kernel/kernel-ticks.js';
import { findProfile } from '../../../../emulator/profiles/profiles.js';
import { NOISE_AMPLITUDE_MAX } from '../../../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../../firmware-protocol/program-image.js';
import { RANDOM_STREAM, randomSource } from '../../../linalg/random.js';
import { percentile } from '../../statistics.js';

export interface StepProblem {
  readonly cells: number;
  /** Rows of a factored program; undefined for a dense one. */
  readonly rows: number | undefined;
  readonly couplingBits: number;
}

export interface StepBench {
  /** Median over the rounds, with noise. */
  readonly microsecondsPerTick: number;
  /** 10⁹ coupling products a second: N² a tick, or 2mN. */
  readonly gigaMacPerSecond: number;
  /** The rate of the 16-bit dot instruction of this machine when nothing is loaded. */
  readonly roofGigaMacPerSecond: number;
  /**
   * The rate of reading the bytes that a tick must read, without computing. These are each coupling once, or
   * half of a symmetric array.
   */
  readonly readGigabytesPerSecond: number;
  /** The least time that these two rates allow, divided by the time that was taken. */
  readonly shareOfRoof: number;
  /** Host milliseconds to convert and pack the couplings once. */
  readonly commitMs: number;
}

const ROUNDS = 15;
/**
 * The length of a round: long against the resolution of the clock, short against other work on the machine.
 */
const ROUND_MS = 40;
/** The compiler of the host works in the background. The next call uses its result. */
const WARM_UP_CALLS = 4;
const WARM_UP_PAUSE_MS = 10;
const ROOF_ROUNDS = 1_000_000;
/** Products of one round of the kernel's `dotRoof`. */
const ROOF_PRODUCTS = 96;
const PAGE_BYTES = 65536;
const READ_LINE_BYTES = 128;

/** Measures a tick of the cell array and, in the same rounds, the limit of the machine. */
export async function benchStep(problem: StepProblem): Promise<StepBench> {
  const timer = new StepTimer(problem);
  const roof = newRoof(timer.products);
  await timer.warmUp();
  const ticks: number[] = [];
  const dots: number[] = [];
  const reads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ticks.push(timer.microsecondsPerTick(ROUND_MS));
    if (roof === undefined) continue;
    dots.push(roof.gigaMacPerSecond());
    reads.push(roof.readGigabytesPerSecond());
  }
  const microsecondsPerTick = percentile(ticks, 0.5);
  const roofGigaMacPerSecond = percentile(dots, 0.5);
  const readGigabytesPerSecond = percentile(reads, 0.5);
  const leastUs = timer.products / Math.min(roofGigaMacPerSecond, readGigabytesPerSecond) / 1000;
  return {
    microsecondsPerTick,
    gigaMacPerSecond: timer.products / microsecondsPerTick / 1000,
    roofGigaMacPerSecond,
    readGigabytesPerSecond,
    shareOfRoof: leastUs / microsecondsPerTick,
    commitMs: timer.commitMs,
  };
}

/** Says why the figures are those of the slow reference in plain JavaScript; undefined if they are not. */
export const stepWarning = kernelWarning;

/** Runs the problem with full noise on a board of just its size. */
export class StepTimer {
  readonly products: number;
  readonly commitMs: number;
  readonly #array: CellArray;
  readonly #program: EffectiveProgram;
  #tick = 0;
  #guessUs = 1000;

  constructor(problem: StepProblem) {
    const image = stepProgram(problem);
    const die = stepBoard(problem);
    this.products =
      image.mode === PROGRAM_MODE.dense ? image.cells * image.cells : 2 * image.rows * image.cells;
    this.#array = new CellArray(die, fastestTicks(die));
    const startMs = performance.now();
    this.#program = commitProgram(die, image);
    this.#array.loadInitialState(image.initialState);
    this.#advance(1);
    this.commitMs = performance.now() - startMs;
  }

  async warmUp(): Promise<void> {
    for (let call = 0; call < WARM_UP_CALLS; call++) {
      this.microsecondsPerTick(ROUND_MS);
      await new Promise((resolve) => setTimeout(resolve, WARM_UP_PAUSE_MS));
    }
  }

  /** Runs for about the given time. Returns the time of one tick in microseconds. */
  microsecondsPerTick(milliseconds: number): number {
    const ticks = Math.max(1, Math.round((milliseconds * 1000) / this.#guessUs));
    const startMs = performance.now();
    this.#advance(ticks);
    this.#guessUs = ((performance.now() - startMs) * 1000) / ticks;
    return this.#guessUs;
  }

  #advance(ticks: number): void {
    this.#array.advance(this.#program, ticks, this.#tick, 1, false);
    this.#tick += ticks;
  }
}

/** A board of just the size of the problem. Its ticks are finer than those of the profiles. */
export function stepBoard({ cells, rows }: StepProblem): Die {
  const ideal = findProfile('ideal-1024');
  if (ideal === undefined) throw new Error('bug: no profile ideal-1024');
  const profile = {
    ...ideal,
    name: 'bench',
    cells,
    rows: rows ?? cells,
    dense: rows === undefined,
    tickLog2: 5,
  };
  return { profile, dieSeed: 1 };
}

/**
 * A program like a real one, because the sizes of its row sums decide how often sums are widened.
 *
 * Dense: A is symmetric with eigenvalues of about 0.1 … 0.9 G_fs. Factored: the largest singular value of K
 * is about 1, with a little damping.
 */
export function stepProgram({ cells, rows, couplingBits }: StepProblem): ProgramImage {
  const random = randomSource({ seed: 1, stream: RANDOM_STREAM.parameters });
  const largest = 2 ** (couplingBits - 1) - 1;
  const code = (value: number) =>
    Math.max(-largest, Math.min(largest, Math.round(value * 2 ** (couplingBits - 1))));
  const arrayRows = rows ?? cells;
  const couplings = couplingBits <= 8 ? new Int8Array(arrayRows * cells) : new Int16Array(arrayRows * cells);
  // Only the size of the draws matters, so uniform draws suffice. √3 gives them unit variance.
  const draw = () => Math.sqrt(3) * (2 * random.uniform() - 1);
  if (rows === undefined)
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < i; j++) {
        const value = code((0.2 * draw()) / Math.sqrt(cells));
        couplings[i * cells + j] = value;
        couplings[j * cells + i] = value;
      }
      couplings[i * cells + i] = code(0.5);
    }
  else {
    const scale = 1 / (Math.sqrt(cells) + Math.sqrt(rows));
    for (let i = 0; i < couplings.length; i++) couplings[i] = code(scale * draw());
  }
  return {
    mode: rows === undefined ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
    cells,
    rows: arrayRows,
    couplingBits,
    rowAttenuation: 0,
    couplings,
    drive: Int16Array.from({ length: cells }, () => Math.round(400 * draw())),
    initialState: new Int16Array(cells),
    damping: rows === undefined ? 0 : 3277,
    noiseAmplitude: NOISE_AMPLITUDE_MAX,
    noiseShift: 18,
  };
}

/** The limits of the machine. Each call measures them again. */
export interface Roof {
  gigaMacPerSecond(): number;
  readGigabytesPerSecond(): number;
}

/**
 * The limit for a tick of `products` coupling products. The tick must read as many bytes as it has products,
 * because each coupling has two bytes and is used twice. Undefined without a kernel.
 */
export function newRoof(products: number): Roof | undefined {
  const readBytes = Math.ceil(products / READ_LINE_BYTES) * READ_LINE_BYTES;
  const kernel = newKernelInstance(PAGE_BYTES + readBytes);
  if (kernel === undefined) return undefined;
  // Memory that was never written shares one page; writing gives it pages of its own.
  new Uint32Array(kernel.buffer).fill(0x5eed);
  const reads = Math.max(1, Math.round(1e8 / readBytes));
  kernel.dotRoof(ROOF_ROUNDS, products);
  return {
    gigaMacPerSecond() {
      const startMs = performance.now();
      kernel.dotRoof(ROOF_ROUNDS, products);
      return (ROOF_ROUNDS * ROOF_PRODUCTS) / (performance.now() - startMs) / 1e6;
    },
    readGigabytesPerSecond() {
      const startMs = performance.now();
      for (let i = 0; i < reads; i++) kernel.readAll(PAGE_BYTES, readBytes);
      return (reads * readBytes) / (performance.now() - startMs) / 1e6;
    },
  };
}
