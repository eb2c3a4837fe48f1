import type { Clock } from '../../../../firmware-protocol/clock.js';
import type { Answer, Command, CommandName, Event } from '../../../../firmware-protocol/messages/index.js';
import { FEATURE, REFUSAL } from '../../../../firmware-protocol/messages/system.js';
import { programDigest } from '../../../../firmware-protocol/program-digest.js';
import {
  linearRowsOf,
  PROGRAM_MODE,
  type ProgramImage,
} from '../../../../firmware-protocol/program-image.js';
import { Violation, type WireHost } from './wire-host.js';

export type Identity = Answer<'hello'>;

/** A rule of the protocol that can be checked from outside, with its check. */
export interface Clause {
  /** The name of the rule in protocol.md, such as `LINK-7`. */
  readonly id: string;
  /** The rule to check, in a few words. */
  readonly what: string;
  /** The reason why the rule cannot be checked on this board; undefined if it can be checked. */
  readonly skip?: (board: Identity) => string | undefined;
  /** Whether the check waits for seconds. */
  readonly slow?: true;
  /**
   * For a rule about time: the largest delay of this machine at which a good board passes, ms. If absent,
   * only a delay of seconds makes a good board fail.
   */
  readonly slackMs?: number;
  /** Whether the check needs several connections to one board at once. */
  readonly connections?: true;
  /** The check. It begins in a new session, and throws `Violation` if the board breaks the rule. */
  readonly check: (bench: Bench) => Promise<void>;
}

/** Thrown by a check if it cannot test its rule on this board. */
export class Unseen extends Error {}

/** Throws a `Violation` that says `what` unless the condition holds. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [shown(actual), shown(expected)];
  must(is === wanted, `${what} is ${is}; it must be ${wanted}`);
}

function shown(value: unknown): string {
  const hex = (_: string, part: unknown): unknown =>
    part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part;
  return JSON.stringify(value, hex) ?? 'missing';
}

/** A board that has answered all commands sends no sample block after this time, ms. */
export const QUIET_MS = 60;
const CELLS = 4;
/** The damping code of 1 G_fs. With couplings of 0 a cell then settles at v = e. */
const UNIT_DAMPING = 32768;

/** Uncoupled cells that settle at ¼ V_fs, in a mode that the board has. */
export function uncoupled(board: Identity, parts: Partial<ProgramImage> = {}): ProgramImage {
  const dense = (board.features & FEATURE.dense) !== 0;
  const cells = parts.cells ?? Math.min(CELLS, board.cells);
  const rows = dense ? cells : 1;
  const { couplingBits, driveBits, driveRange } = board;
  return {
    mode: dense ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
    cells,
    rows,
    couplingBits,
    rowAttenuation: 0,
    couplings: new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells),
    drive: new Int16Array(cells).fill(Math.round((1 / 4 / driveRange) * 2 ** (driveBits - 1))),
    initialState: new Int16Array(cells),
    damping: UNIT_DAMPING,
    noiseAmplitude: 0,
    noiseShift: board.noiseShiftMin,
    ...parts,
  };
}

/** A program whose cells run into their rail: the largest drive, and almost no conductance. */
export function overloading(board: Identity): ProgramImage {
  const image = uncoupled(board, { damping: 64 });
  image.drive.fill(2 ** (board.driveBits - 1) - 1);
  return image;
}

export const bytesOf = (codes: Int8Array | Int16Array): Uint8Array =>
  new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);

export function shapeOf(bank: number, image: ProgramImage): Command<'defineProgram'> {
  const { mode, cells, rows, couplingBits, rowAttenuation } = image;
  return { bank, mode, cells, rows, couplingBits, rowAttenuation, linearRows: linearRowsOf(image) };
}

export const START: Command<'start'> = {
  bank: 0,
  runSeed: 1,
  firstTick: 0,
  startState: 0,
  burnInTicks: 0,
  sampleCount: 1,
  ticksPerSample: 1,
  blockSamples: 0,
  onNoCredit: 0,
  onOverload: 0,
  watchdogMs: 60_000,
  creditBlocks: 1000,
  keepBlocks: 0,
  statistics: 0,
  batchSamples: 0,
};

/** A run that does not end by itself during a check. */
export const ENDLESS: Command<'start'> = { ...START, burnInTicks: 2 ** 52, sampleCount: 0 };

/** The tools of a check. */
export interface BenchPlaces {
  readonly host: WireHost;
  readonly board: Identity;
  readonly clock: Clock;
  /** Another connection to the same board. */
  readonly connect: () => Promise<WireHost>;
}

/** The board under test, in a session that was opened for one clause. */
export class Bench implements BenchPlaces {
  readonly host: WireHost;
  readonly board: Identity;
  readonly clock: Clock;
  readonly connect: () => Promise<WireHost>;

  constructor({ host, board, clock, connect }: BenchPlaces) {
    this.host = host;
    this.board = board;
    this.clock = clock;
    this.connect = connect;
  }

  has(feature: keyof typeof FEATURE): boolean {
    return (this.board.features & FEATURE[feature]) !== 0;
  }

  /** The answer to a command that must not be refused. */
  async ask<N extends CommandName>(name: N, fields: Command<N>): Promise<Answer<N>> {
    const said = await this.host.ask(name, fields);
    if (said.refusal !== undefined)
      throw new Violation(
        `${name} was refused for ${reasonName(said.refusal.reason)}: ${said.refusal.detail}`,
      );
    return said.fields;
  }

  /** Throws unless the command is refused for this reason. */
  async refused<N extends CommandName>(
    name: N,
    fields: Command<N>,
    reason: keyof typeof REFUSAL,
    what: string,
  ): Promise<void> {
    const said = await this.host.ask(name, fields);
    must(said.refusal !== undefined, `${what} was not refused`);
    equal(reasonName(said.refusal.reason), reason, `the reason why ${what} was refused`);
  }

  status(): Promise<Answer<'readStatus'>> {
    return this.ask('readStatus', {});
  }

  counters(): Promise<Answer<'readCounters'>> {
    return this.ask('readCounters', {});
  }

  /** Sends a whole program without the commit. */
  write(bank: number, image: ProgramImage): void {
    const { host } = this;
    const { damping, noiseAmplitude, noiseShift } = image;
    const codesMax = Math.min(this.board.frameBytes, 65536) - 64;
    host.write(host.command('defineProgram', shapeOf(bank, image)));
    const couplings = bytesOf(image.couplings);
    const width = image.couplings.BYTES_PER_ELEMENT;
    const step = codesMax - (codesMax % width);
    for (let at = 0; at < couplings.length; at += step)
      host.write(
        host.command('writeCouplings', {
          bank,
          firstEntry: at / width,
          codes: couplings.subarray(at, at + step),
        }),
      );
    host.write(
      host.command('writeDrive', { bank, firstCell: 0, codes: bytesOf(image.drive) }),
      host.command('writeInitialState', { bank, firstCell: 0, codes: bytesOf(image.initialState) }),
      host.command('setRegisters', { bank, damping, noiseAmplitude, noiseShift }),
    );
  }

  /** Loads and commits a program; by default uncoupled cells in bank 0. */
  load(image: ProgramImage = uncoupled(this.board), bank = 0): Promise<Answer<'commit'>> {
    this.write(bank, image);
    return this.ask('commit', { bank, ...programDigest(image) });
  }

  /** Starts a run and returns its number. */
  async start(change: Partial<Command<'start'>> = {}): Promise<number> {
    const hold = this.has('hold') ? {} : { onNoCredit: 1 as const };
    return (await this.ask('start', { ...START, ...hold, ...change })).runId;
  }

  /** Waits for the end of the run in progress and returns its report. */
  ended(withinMs?: number): Promise<Event<'runEnded'>> {
    return this.host.nextEvent('runEnded', withinMs);
  }

  /** Waits until the board sends nothing more. */
  async quiet(): Promise<void> {
    await this.host.settle();
    await this.host.wait(QUIET_MS);
  }

  blocks(): Event<'sampleBlock'>[] {
    return this.host.events('sampleBlock');
  }

  /** Waits until the board has let ticks pass up to this number. */
  async untilTick(tick: number): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if ((await this.status()).tick >= tick) return;
      await this.host.wait(10);
    }
    throw new Violation(`tick ${tick} was not reached`);
  }
}

export function reasonName(reason: number): string {
  return Object.entries(REFUSAL).find(([, code]) => code === reason)?.[0] ?? String(reason);
}
