import { NOISE_AMPLITUDE_MAX } from '../../firmware-protocol/limits.js';
import { PHILOX_STREAM } from '../../firmware-protocol/philox.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { adcStep, driveStep, railOf, STATE_STEP, tickOf } from '../board/board-range.js';
import type { NoiseRegister } from '../board/noise-register.js';
import { type BoardSession, inSession } from '../board/session.js';
import type { BoardDevice, CommitReport, DeviceIdentity } from '../driver/device-api.js';
import { assert } from '../errors.js';
import { type RandomSource, randomSource } from '../linalg/random.js';

/** Solvers use only blocks below 2¹⁶. These numbers are above, so no solver uses the same random numbers. */
const RANDOM_STEP = 65536;
const RUN_BLOCK = 65537;
/**
 * Largest number of readings of one board run. A longer board run is split into runs that continue one
 * another, so that progress is reported often and memory stays small.
 */
const READINGS_PER_RUN = 2 ** 21;

/** The parts of a program other than its couplings. A missing part is 0 (off). */
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

/** A finished part of a measurement. */
export interface FinishedPart {
  /** The result: numbers, lists, typed arrays and objects of them. */
  readonly value: unknown;
  /** Number of board runs up to the end of this part. It selects the noise of the next run. */
  readonly runs: number;
  /** Indices of the cells that ran into a rail up to the end of this part; length at most N. */
  readonly overloaded: readonly number[];
}

/**
 * Keeps the finished parts of a measurement, which can continue from them after an interruption. Use it only
 * for the same measurement of the same board; this is not checked.
 */
export interface FinishedParts {
  /** Returns the part with this name; undefined if it is not finished. */
  readonly get: (name: string) => FinishedPart | undefined;
  readonly add: (name: string, part: FinishedPart) => void;
}

/** A board under measurement: programs that use all cells, and readings in V_fs. */
export class LabBoard {
  readonly identity: DeviceIdentity;
  /** N. */
  readonly cells: number;
  /** h in τ. */
  readonly tick: number;
  /** One step of the ADC in V_fs. */
  readonly adcStep: number;
  /** One step of the drive DAC in V_fs·G_fs. */
  readonly driveStep: number;
  /** Voltages up to this, in V_fs, are well within the rails. */
  readonly voltageMax: number;
  /** Cells that ran into a rail. No measurement drives a healthy cell into a rail. */
  readonly overloaded = new Set<number>();
  readonly #session: BoardSession;
  readonly #seed: number;
  readonly #finished: FinishedParts | undefined;
  readonly #uncoupled: Pick<ProgramImage, 'mode' | 'rows' | 'couplingBits' | 'couplings'>;
  #runs = 0;

  constructor(session: BoardSession, seed: number, finished?: FinishedParts) {
    const { identity } = session;
    this.#finished = finished;
    this.#session = session;
    this.#seed = seed;
    this.identity = identity;
    this.cells = identity.cells;
    this.tick = tickOf(identity);
    this.adcStep = adcStep(identity.adcBits);
    this.driveStep = driveStep(identity);
    this.voltageMax = Math.min(0.9, 0.72 * railOf(identity));
    // A factored program of one row is the smallest program without couplings.
    const rows = identity.hasFactored ? 1 : identity.cells;
    this.#uncoupled = {
      mode: identity.hasFactored ? PROGRAM_MODE.factored : PROGRAM_MODE.dense,
      rows,
      couplingBits: identity.couplingBits,
      couplings: arrayOfBits(identity.couplingBits, rows * identity.cells),
    };
  }

  /** Measures a part, or returns its result if it is finished. Each part has its own name. */
  async part<Found>(name: string, measure: () => Promise<Found>): Promise<Found> {
    const known = this.#finished?.get(name);
    if (known !== undefined) {
      // The next run then has the same noise as without the interruption.
      this.#runs = known.runs;
      for (const cell of known.overloaded) this.overloaded.add(cell);
      return known.value as Found;
    }
    const value = await measure();
    this.#finished?.add(name, { value, runs: this.#runs, overloaded: [...this.overloaded] });
    return value;
  }

  /** Random numbers of one stage of the measurement. They depend only on the seed and the stage. */
  random(stage: number): RandomSource {
    const place = { step: RANDOM_STEP, block: stage };
    return randomSource({ seed: this.#seed, stream: PHILOX_STREAM.runSeed, ...place });
  }

  /**
   * Loads a program into the board. Without couplings every cell is independent: τ dv/dt = −(λ v − e) +
   * noise.
   */
  async program(settings: Settings, dense?: DenseCouplings): Promise<CommitReport> {
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
    assert(
      image.noiseAmplitude <= NOISE_AMPLITUDE_MAX,
      'the noise register has a value that the board supports',
    );
    return this.#session.program(image);
  }

  /**
   * sampleCount × N ADC codes of a board run from the initial state, given to `take` in consecutive parts.
   */
  async read(plan: ReadPlan, take: (codes: Int16Array, firstSample: number) => void): Promise<void> {
    this.#session.readdress({ seed: this.#seed, step: this.#runs++, block: RUN_BLOCK });
    const most = Math.max(1, Math.floor(READINGS_PER_RUN / this.cells));
    for (let first = 0; first < plan.sampleCount; first += most) {
      const { codes, report } = await this.#session.acquire({
        burnInTicks: first > 0 ? plan.ticksPerSample : plan.burnInTicks,
        sampleCount: Math.min(most, plan.sampleCount - first),
        ticksPerSample: plan.ticksPerSample,
        continues: first > 0,
        // A cell in a rail is a result of the measurement. The other cells are still measured.
        onOverload: 'mark',
      });
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

  /**
   * Ticks after which less than 2⁻¹⁸ is left of a state that decays at `rate` (in G_fs), also on cells that
   * are a third slower.
   */
  settleTicks(rate: number): number {
    return Math.ceil((1.5 * Math.log(2 ** 18)) / -Math.log1p(-Math.min(0.9, this.tick * rate)));
  }
}

/** Settings of a measurement. */
export interface Measuring {
  /** Seed of the levels that are loaded and driven, and of the noise; u32. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Keeps finished parts, and returns them after an interruption. Default: parts are not kept. */
  readonly finished?: FinishedParts;
}

/**
 * Calls `measure` with exclusive use of the board. Uses of one device take turns. Errors: ABORTED; those of
 * `measure`.
 */
export async function measureInSession<Result>(
  device: BoardDevice,
  { seed, signal, finished }: Measuring,
  measure: (board: LabBoard) => Promise<Result>,
): Promise<Result> {
  // Each board run has its own address; the address of the session is not used.
  const use = { address: { seed, step: 0, block: RUN_BLOCK }, signal };
  return inSession(
    device,
    use,
    () => undefined,
    (session) => measure(new LabBoard(session, seed, finished)),
  );
}

/** An array for codes of `bits` bits, all 0. */
export function arrayOfBits(bits: number, length: number): Int8Array | Int16Array {
  return bits <= 8 ? new Int8Array(length) : new Int16Array(length);
}

/** Codes of the initial-state register for voltages uniform within ± `largest` V_fs. */
export function randomStates(random: RandomSource, largest: number, cells: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: cells }, () =>
    Math.round(((2 * random.uniform() - 1) * largest) / STATE_STEP),
  );
}
