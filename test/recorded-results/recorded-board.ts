import { createHash } from 'node:crypto';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import { solverBoard } from '../support/solver-board.js';

/**
 * Up to this number of requests, all are recorded one by one. If there are more, only the first and last few
 * are recorded.
 */
const REQUESTS_MAX = 16;
const FIRST = 8;
const LAST = 3;

/** All requests to one board, in order. */
export interface AskedOf {
  readonly count: number;
  /** The requests, or the first and the last of them. */
  readonly some: readonly string[];
  /** The digest of all requests, in order. */
  readonly digest: string;
}

type Acquired = Awaited<ReturnType<BoardDevice['acquire']>>;

/** The errors that a board makes. */
export interface Mischief {
  /** Changes the readings. */
  readonly tamper?: (codes: Int16Array, cells: number) => void;
  /** Whether cell 1 passes its rail at the start of this board run, counted from 0. */
  readonly overloads?: (run: number) => boolean;
}

/** A board of the device model that records its requests, and its answers in short form. */
export class RecordedBoard implements BoardDevice {
  readonly #device: BoardDevice;
  readonly #asked: string[] = [];
  readonly #overloads: (run: number) => boolean;
  #runs = 0;

  constructor(profile: string, overrides: Partial<BoardProfile> = {}, { tamper, overloads }: Mischief = {}) {
    this.#device = solverBoard(profile, overrides, tamper);
    this.#overloads = overloads ?? (() => false);
  }

  get identity(): BoardDevice['identity'] {
    return this.#device.identity;
  }

  get uploadedBytes(): number {
    return this.#device.uploadedBytes;
  }

  get asked(): AskedOf {
    const all = this.#asked;
    const some = all.length <= REQUESTS_MAX ? all : [...all.slice(0, FIRST), '…', ...all.slice(-LAST)];
    return { count: all.length, some, digest: digestOf(all.join('\n')) };
  }

  readonly loadProgram: BoardDevice['loadProgram'] = async (bank, image, options) => {
    this.#asked.push(`load ${bank}: ${describeImage(image)} A ${digestOf(image.couplings)}`);
    return this.#device.loadProgram(bank, image, options);
  };

  readonly uploadCouplings: BoardDevice['uploadCouplings'] = async (bank, image, options) => {
    const shape = `${modeOf(image)} ${image.rows}×${image.cells} of ${image.couplingBits} bits`;
    this.#asked.push(`couplings ${bank}: ${shape} A ${digestOf(image.couplings)}`);
    return this.#device.uploadCouplings(bank, image, options);
  };

  readonly rewriteProgram: BoardDevice['rewriteProgram'] = async (bank, image, options = {}) => {
    const what = options.since === undefined ? 'rewrite' : 'rewrite changes of';
    this.#asked.push(`${what} ${bank}: ${describeImage(image)}`);
    return this.#device.rewriteProgram(bank, image, options);
  };

  readonly run: BoardDevice['run'] = async (options) => this.#device.run(options);

  readonly acquire: BoardDevice['acquire'] = async (options) => {
    const { signal: _, bank, runSeed, firstTick = 0, ...others } = options;
    const { burnInTicks, sampleCount, ticksPerSample, ...rare } = others;
    const plan = `ticks ${burnInTicks} + ${sampleCount}×${ticksPerSample}`;
    const { onLoss, keepState, onOverload, ...rest } = rare;
    const further = Object.entries({ onLoss, keepState, onOverload, ...rest })
      .filter(([, value]) => value !== undefined && value !== false)
      .map(([name, value]) => ` ${name} ${value}`)
      .join('');
    const at = this.#asked.push('') - 1;
    const answer = overloaded(
      await this.#device.acquire(options),
      options.onOverload !== 'mark' && this.#overloads(this.#runs++),
    );
    const { outcome, ticksDone, samplesTaken } = answer.report;
    const end = `${outcome} ${ticksDone} ticks ${samplesTaken} samples ${digestOf(answer.codes)}`;
    this.#asked[at] = `run ${bank}: seed ${runSeed} from ${firstTick} ${plan}${further} → ${end}`;
    return answer;
  };
}

function overloaded({ codes, report }: Acquired, isOverloaded: boolean): Acquired {
  if (!isOverloaded) return { codes, report };
  const cells = { overloadedCells: [1], overloadedCellCount: 1 };
  return {
    codes: codes.subarray(0, 0),
    report: { ...report, ...cells, outcome: 'overload', samplesTaken: 0 },
  };
}

function modeOf({ mode }: ProgramImage): string {
  return mode === PROGRAM_MODE.dense ? 'dense' : 'factored';
}

function describeImage(image: ProgramImage): string {
  const { rows, cells, couplingBits, rowAttenuation, damping, noiseAmplitude, noiseShift } = image;
  return (
    `${modeOf(image)} ${rows}×${cells} of ${couplingBits} bits, ρ ${rowAttenuation} λ ${damping} ` +
    `noise ${noiseAmplitude}>>${noiseShift} b ${digestOf(image.drive)} v ${digestOf(image.initialState)}`
  );
}

/** Eight hex digits of a text's or an array's SHA-256. */
export function digestOf(data: string | Int8Array | Int16Array): string {
  const bytes = typeof data === 'string' ? data : new Uint8Array(Int16Array.from(data).buffer);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8);
}
