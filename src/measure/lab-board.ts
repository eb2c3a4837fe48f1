import { NOISE_AMPLITUDE_MAX } from '../../firmware-protocol/limits.js';
import { PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { adcStep, driveStep, railOf, STATE_STEP, tickOf } from '../board/board-range.js';
import type { NoiseRegister } from '../board/noise-register.js';
import type { BoardDevice, CommitReport, DeviceIdentity } from '../driver/device-api.js';
import { assert, throwIfAborted } from '../errors.js';
import { type RandomSource, randomSource } from '../linalg/random.js';

const BANK = 0;
/** Solvers' run seeds have a u16 in this counter word, so the numbers here are none of theirs. */
const FIRST_PLACE = 65536;
/** Readings of one run at most: the rest goes on from there, so that a bar moves and memory stays small. */
const READINGS_PER_RUN = 2 ** 21;

export interface BenchOptions {
  /** u32: names levels and noise. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** What a program has beside its couplings; what is left out is 0 (off). */
export interface Settings {
  /** λ in G_fs; a multiple of 2⁻¹⁵. */
  readonly damping: number;
  readonly drive?: Int16Array;
  readonly initialState?: Int16Array;
  readonly noise?: NoiseRegister;
}

/** Dense couplings of the whole board, N×N codes. */
export interface DenseCouplings {
  readonly codes: Int8Array | Int16Array;
  readonly bits: number;
}

export interface ReadPlan {
  readonly burnInTicks: number;
  readonly sampleCount: number;
  readonly ticksPerSample: number;
  readonly onSamples?: (done: number) => void;
}

/** A board on the bench: programs of all of its cells, and readings in V_fs. It must belong to nobody else meanwhile. */
export class Bench {
  readonly identity: DeviceIdentity;
  /** N. */
  readonly cells: number;
  /** h in τ. */
  readonly tick: number;
  /** One step of the ADC in V_fs. */
  readonly adcStep: number;
  /** One step of the drive DAC in V_fs·G_fs. */
  readonly driveStep: number;
  /** Voltages up to this, V_fs, are well within the rails. */
  readonly voltageMax: number;
  /** Cells that ran into a rail, which no measurement here asks of a cell. */
  readonly overloaded = new Set<number>();
  readonly #device: BoardDevice;
  readonly #seed: number;
  readonly #call: { readonly signal?: AbortSignal };
  readonly #uncoupled: Pick<ProgramImage, 'mode' | 'rows' | 'couplingBits' | 'couplings'>;
  #loaded: ProgramImage['couplings'] | undefined;
  #runs = 0;

  constructor(device: BoardDevice, { seed, signal }: BenchOptions) {
    const { identity } = device;
    this.#device = device;
    this.#seed = seed;
    this.#call = signal === undefined ? {} : { signal };
    this.identity = identity;
    this.cells = identity.cells;
    this.tick = tickOf(identity);
    this.adcStep = adcStep(identity.adcBits);
    this.driveStep = driveStep(identity);
    this.voltageMax = Math.min(0.9, 0.72 * railOf(identity));
    // One row of a factored program is the smallest array of zeros that there is.
    const rows = identity.hasFactored ? 1 : identity.cells;
    this.#uncoupled = {
      mode: identity.hasFactored ? PROGRAM_MODE.factored : PROGRAM_MODE.dense,
      rows,
      couplingBits: identity.couplingBits,
      couplings: arrayOfBits(identity.couplingBits, rows * identity.cells),
    };
  }

  /** Numbers of one stage of the measurement, the same for the same seed. */
  random(stage: number): RandomSource {
    const place = { step: FIRST_PLACE, block: stage };
    return randomSource({ seed: this.#seed, stream: PHILOX_STREAM.runSeed, ...place });
  }

  /** Puts a program into the board: without couplings every cell is on its own, τ dv/dt = −(λ v − e) + noise. */
  async program(settings: Settings, dense?: DenseCouplings): Promise<CommitReport> {
    throwIfAborted(this.#call.signal);
    const { cells } = this;
    const couplings =
      dense === undefined
        ? this.#uncoupled
        : {
            mode: PROGRAM_MODE.dense,
            rows: cells,
            couplingBits: dense.bits,
            couplings: dense.codes,
          };
    const image: ProgramImage = {
      ...couplings,
      cells,
      rowAttenuation: 0,
      drive: settings.drive ?? new Int16Array(cells),
      initialState: settings.initialState ?? new Int16Array(cells),
      damping: Math.round(settings.damping * 2 ** 15),
      noiseAmplitude: settings.noise?.amplitude ?? 0,
      noiseShift: settings.noise?.shift ?? this.identity.noiseShiftMin,
    };
    assert(image.noiseAmplitude <= NOISE_AMPLITUDE_MAX, 'the noise register is one of the board');
    const isLoaded = this.#loaded === image.couplings;
    // Until the commit is answered nobody knows what the bank holds.
    this.#loaded = undefined;
    const report = isLoaded
      ? await this.#device.rewriteProgram(BANK, image, this.#call)
      : await this.#device.loadProgram(BANK, image, this.#call);
    this.#loaded = image.couplings;
    return report;
  }

  /** sampleCount × N ADC codes of a run from the initial state, given to `take` in consecutive parts. */
  async read(plan: ReadPlan, take: (codes: Int16Array, firstSample: number) => void): Promise<void> {
    const runSeed = this.#nextRunSeed();
    const most = Math.max(1, Math.floor(READINGS_PER_RUN / this.cells));
    let firstTick = 0;
    for (let first = 0; first < plan.sampleCount; first += most) {
      throwIfAborted(this.#call.signal);
      const { codes, report } = await this.#device.acquire({
        ...this.#call,
        bank: BANK,
        runSeed,
        firstTick,
        keepState: first > 0,
        burnInTicks: first > 0 ? plan.ticksPerSample : plan.burnInTicks,
        sampleCount: Math.min(most, plan.sampleCount - first),
        ticksPerSample: plan.ticksPerSample,
        // A cell in the rails is a finding, and no reason to give up the others.
        onOverload: 'mark',
      });
      firstTick += report.ticksDone;
      for (const cell of report.overloadedCells) this.overloaded.add(cell);
      take(codes, first);
      plan.onSamples?.(first + codes.length / this.cells);
    }
  }

  /** One reading of every cell, in V_fs, after `ticks`. */
  async readOnce(ticks: number): Promise<Float64Array<ArrayBuffer>> {
    const volts = new Float64Array(this.cells);
    const plan = { burnInTicks: ticks, sampleCount: 1, ticksPerSample: 1 };
    await this.read(plan, (codes) => {
      for (let i = 0; i < volts.length; i++) volts[i] = codes[i] * this.adcStep;
    });
    return volts;
  }

  /** Ticks after which what is left of a state that decays at `rate` (in G_fs) is below 2⁻¹⁸, on cells up to a third slower. */
  settleTicks(rate: number): number {
    return Math.ceil((1.5 * Math.log(2 ** 18)) / -Math.log1p(-Math.min(0.9, this.tick * rate)));
  }

  #nextRunSeed(): number {
    const words = new Uint32Array(4);
    philox4x32(this.#runs++, FIRST_PLACE + 1, 0, PHILOX_STREAM.runSeed, this.#seed, 0, words);
    return words[0];
  }
}

/** Codes of that width, all 0. */
export function arrayOfBits(bits: number, length: number): Int8Array | Int16Array {
  return bits <= 8 ? new Int8Array(length) : new Int16Array(length);
}

/** Codes of the initial-state register for voltages uniform within ± `largest` V_fs. */
export function randomStates(random: RandomSource, largest: number, cells: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: cells }, () =>
    Math.round(((2 * random.uniform() - 1) * largest) / STATE_STEP),
  );
}
