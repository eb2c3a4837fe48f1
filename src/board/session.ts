import { linearRowsOf, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { checkDevice } from '../argument-checks.js';
import { changedSpan } from '../driver/changed-span.js';
import type {
  Averages,
  BoardDevice,
  CommitReport,
  DeviceIdentity,
  RunOptions,
  RunReport,
} from '../driver/device-api.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import type { BoardModel } from './board-model.js';
import { type BoardUse, HeldCouplings } from './board-use.js';
import { modelOf } from './calibrated-model.js';
import type { SolverCost } from './cost.js';
import { type SentAhead, sendCouplings } from './couplings-ahead.js';
import { repeated } from './lost-work.js';
import type { SystemCodes } from './quantize.js';
import type { AveragePlan, Readings, RunPlan } from './run-plan.js';
import { type RunAddress, runSeedOf } from './run-seed.js';
import { takeTurn } from './turns.js';

/**
 * Programs are loaded into the first bank. Couplings that are sent ahead go into the second bank, and their
 * program stays there.
 */
const BANK = { own: 0, ahead: 1 } as const;

/** The shared couplings that each board has from its last use. */
const lastHeld = new WeakMap<BoardDevice, HeldCouplings>();

/**
 * One use of a board, while the board belongs to nobody else. `inSession` opens it.
 *
 * All programs and board runs of the use go through this class. The class gives each board run the address of
 * its noise, sends couplings only if they changed, and adds up the cost of the use. `ranged` repeats at a
 * larger scale after an overload.
 *
 * If the device has `recover`, a lost program or board run is repeated, with a limited number of repeats in a
 * row (`repeated`). The board gets the program again. A continued board run is first run again, without
 * readings, up to the tick where it was. The readings are the same bit for bit, because the noise has the
 * same run seed and ticks. The costs are the same too, because they leave out lost work; `repeats` counts it.
 */
export class BoardSession {
  readonly identity: DeviceIdentity;
  /** The host's model of this board. */
  readonly model: BoardModel;
  readonly #device: BoardDevice;
  readonly #signal: AbortSignal | undefined;
  readonly #cost = {
    ticks: 0,
    overloadRetries: 0,
    repeats: 0,
    clampedCodes: 0,
    mapMs: 0,
    uploadMs: 0,
    boardMs: 0,
    readoutMs: 0,
  };
  #address: RunAddress;
  readonly #held: HeldCouplings;
  readonly #sendsChangesOnly: boolean;
  /** Couplings whose upload the cost includes already. */
  #uploadedAhead: ProgramImage['couplings'] | undefined;
  /** The last program that this use put into the board. */
  #image: ProgramImage | undefined;
  /** Bytes of codes that the programs need if nothing is lost. */
  #uploadBytes = 0;
  readonly #bank: number;
  /** Lets the next use take the other bank. */
  readonly #lend: (() => void) | undefined;
  #attempt = 0;
  #runSeed = 0;
  #nextTick = 0;

  /** A session has to be created within the turn of this use. */
  constructor(
    device: BoardDevice,
    { address, signal, held = new HeldCouplings(), sendsChangesOnly = false, lends = false }: BoardUse,
    model: BoardModel,
    { mapMs, ahead, lend }: { mapMs: number; ahead: SentAhead | undefined; lend: () => void },
  ) {
    if (lastHeld.get(device) !== held) held.couplings = undefined;
    lastHeld.set(device, held);
    this.#held = held;
    this.#sendsChangesOnly = sendsChangesOnly;
    this.identity = device.identity;
    this.model = model;
    this.#device = device;
    this.#address = address;
    this.#signal = signal;
    this.#cost.mapMs = mapMs;
    this.#bank = ahead === undefined ? BANK.own : BANK.ahead;
    this.#lend = lends ? lend : undefined;
    if (ahead !== undefined) this.#note(ahead);
  }

  /** The cost of the use so far. */
  get cost(): SolverCost {
    const { tauNs, tickLog2 } = this.identity;
    return {
      ...this.#cost,
      boardSeconds: this.#cost.ticks * 2 ** -tickLog2 * tauNs * 1e-9,
      uploadBytes: this.#uploadBytes,
    };
  }

  /** Later board runs have the noise of another address. */
  readdress(address: RunAddress): void {
    this.#address = address;
    this.#attempt = 0;
  }

  /**
   * Runs `work` and adds its host time to the cost: `mapMs` before a program is sent, `readoutMs` after
   * readings came.
   */
  charge<Result>(phase: 'mapMs' | 'readoutMs', work: () => Result): Result {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.#cost[phase] += performance.now() - start;
    }
  }

  /**
   * Sends the couplings of a system to the board before its program. `program` then sends the rest of
   * an image with the same couplings, and sends lost couplings again.
   */
  async uploadCouplings(codes: SystemCodes): Promise<void> {
    if (this.#uploadedAhead === codes.couplings) return;
    throwIfAborted(this.#signal);
    this.#held.couplings = undefined;
    this.#note(await sendCouplings(this.#device, this.#bank, codes, this.#signal));
  }

  #note({ codes, image, isThere, sessionCount, uploadMs }: SentAhead): void {
    this.#uploadBytes += image.couplings.byteLength;
    this.#uploadedAhead = codes.couplings;
    this.#held.sessionCount = sessionCount;
    if (isThere) {
      this.#held.couplings = codes.couplings;
      this.#held.linearRows = linearRowsOf(image);
    }
    this.#cost.uploadMs += uploadMs;
  }

  /**
   * Loads a program into the board. If the board has the same `couplings` array already, only the other parts
   * that changed are sent. The cost includes the number of clamped codes.
   */
  async program(image: ProgramImage): Promise<CommitReport> {
    throwIfAborted(this.#signal);
    const start = performance.now();
    const isLoaded = this.#isHeld(image) || this.#uploadedAhead === image.couplings;
    this.#uploadedAhead = undefined;
    const since = isLoaded ? this.#since(image) : undefined;
    const report = await this.#repeated(
      () => this.#put(image),
      async () => undefined,
    );
    this.#uploadBytes += sentBytes(image.drive, since?.drive);
    this.#uploadBytes += sentBytes(image.initialState, since?.initialState);
    if (image.rowElement) {
      this.#uploadBytes += sentBytes(image.rowElement.table, since?.rowElement?.table);
      this.#uploadBytes += sentBytes(image.rowElement.drive, since?.rowElement?.drive);
    }
    if (!isLoaded && !this.#held.isCounted) this.#uploadBytes += image.couplings.byteLength;
    this.#held.isCounted = false;
    const clamped = report.clampedCouplings + report.clampedNoiseCodes;
    this.#cost.clampedCodes = Math.max(this.#cost.clampedCodes, clamped);
    this.#cost.uploadMs += performance.now() - start;
    return report;
  }

  async #put(image: ProgramImage): Promise<CommitReport> {
    const { sessionCount } = this.#device;
    const isLoaded = this.#isHeld(image) && this.#held.sessionCount === sessionCount;
    const since = this.#since(image);
    // The content of the bank is unknown until the commit is answered.
    this.#held.couplings = undefined;
    this.#held.sessionCount = sessionCount;
    const report = isLoaded
      ? await this.#device.rewriteProgram(this.#bank, image, {
          signal: this.#signal,
          ...(since && { since }),
        })
      : await this.#device.loadProgram(this.#bank, image, { signal: this.#signal });
    this.#held.couplings = image.couplings;
    this.#held.linearRows = linearRowsOf(image);
    this.#image = image;
    return report;
  }

  /** Whether the board has a program of this shape and these couplings. */
  #isHeld(image: ProgramImage): boolean {
    return this.#held.couplings === image.couplings && this.#held.linearRows === linearRowsOf(image);
  }

  /** The program whose drive and initial state are in the board, if only differences are to be sent. */
  #since({ couplings }: ProgramImage): ProgramImage | undefined {
    return this.#sendsChangesOnly && this.#image?.couplings === couplings ? this.#image : undefined;
  }

  /** Does `work`. After each loss it makes the board ready, calls `restore`, and does `work` again. */
  #repeated<Result>(work: () => Promise<Result>, restore: () => Promise<void>): Promise<Result> {
    return repeated(this.#device, this.#signal, {
      work,
      restore: () => {
        this.#cost.repeats++;
        return restore();
      },
      sessionCount: () => this.#held.sessionCount,
    });
  }

  /**
   * Runs the program and reads samples. An overload is an answer here, not an error. Errors: those of
   * `BoardDevice.acquire` for any other early end.
   */
  async acquire(plan: RunPlan): Promise<Readings> {
    const onLoss = this.identity.keepBlocksMax > 0 ? 'reRequest' : 'fail';
    const { codes, report } = await this.#run(plan, (run) => this.#device.acquire({ ...run, onLoss }));
    return { codes, overloaded: report.outcome === 'overload', report };
  }

  /**
   * Runs the program, and reads sums of its samples that the board has added up (`BoardDevice.average`).
   * Errors: UNSUPPORTED if the board cannot add up samples; those of `acquire`.
   */
  average({ batches, secondMoments, ...plan }: AveragePlan): Promise<Averages> {
    const device = this.#device;
    if (device.average === undefined)
      throw new ThermolinkError('UNSUPPORTED', 'This board does not add up its samples.', {
        hint: 'Draw the samples themselves.',
      });
    return this.#run(plan, (run) => device.average!({ ...run, batches, secondMoments }));
  }

  /** Does a board run, again after each loss, and adds up its cost. */
  async #run<Result extends { readonly report: RunReport }>(
    plan: RunPlan,
    start: (run: RunOptions) => Promise<Result>,
  ): Promise<Result> {
    throwIfAborted(this.#signal);
    const startMs = performance.now();
    const { burnInTicks, sampleCount, ticksPerSample, continues = false, onOverload } = plan;
    if (!continues) {
      this.#runSeed = runSeedOf(this.#address, this.#attempt++);
      this.#nextTick = 0;
    }
    const run = { signal: this.#signal, bank: this.#bank, runSeed: this.#runSeed };
    const firstTick = this.#nextTick;
    this.#lend?.();
    const result = await this.#repeated(
      () =>
        start({
          ...run,
          firstTick,
          keepState: continues,
          burnInTicks,
          sampleCount,
          ticksPerSample,
          onOverload,
        }),
      async () => {
        if (this.#image === undefined) return;
        this.#held.couplings = undefined;
        await this.#put(this.#image);
        if (firstTick === 0) return;
        const upToHere = { burnInTicks: firstTick, sampleCount: 0, ticksPerSample: 0 };
        await this.#device.acquire({ ...run, ...upToHere, onOverload: 'mark' });
      },
    );
    const { report } = result;
    this.#nextTick += report.ticksDone;
    this.#cost.ticks += report.ticksDone;
    this.#cost.boardMs += performance.now() - startMs;
    if (report.outcome === 'overload') this.#cost.overloadRetries++;
    return result;
  }
}

/** Number of bytes of codes to send to a board that has the program `before`. */
function sentBytes(codes: Int16Array, before: Int16Array | undefined): number {
  const { first, end } = changedSpan(codes, before);
  return (end - first) * codes.BYTES_PER_ELEMENT;
}

/**
 * Checks, waits for the board, and runs. `check` is called at once, before anything is sent; it also checks
 * `use`. `run` is called with the result of `check` after every earlier use of `device` has ended. `run` must
 * not ask for the same device again.
 *
 * `ahead` makes the codes of couplings that may be sent early, while the previous use runs, if that use
 * `lends`. They go into the second bank.
 *
 * Errors: BAD_ARGUMENT for a value that is not a device; BAD_CALIBRATION for a calibration of another board;
 * ABORTED while it waits, without touching the board; those of `check` and `run`.
 */
export async function inSession<Checked, Result>(
  device: BoardDevice,
  use: BoardUse,
  check: () => Checked,
  run: (session: BoardSession, checked: Checked) => Promise<Result>,
  ahead?: (checked: Checked, model: BoardModel) => SystemCodes,
): Promise<Result> {
  checkDevice(device);
  const start = performance.now();
  const checked = check();
  const model = modelOf(device.identity, use.calibration);
  let mapMs = performance.now() - start;
  let sent: SentAhead | undefined;
  const sendAhead = async (codesOf: NonNullable<typeof ahead>): Promise<void> => {
    const begun = performance.now();
    const codes = codesOf(checked, model);
    mapMs += performance.now() - begun;
    sent = await sendCouplings(device, BANK.ahead, codes, use.signal);
  };
  return takeTurn(
    device,
    use.signal,
    (lend) => run(new BoardSession(device, use, model, { mapMs, ahead: sent, lend }), checked),
    ahead && device.identity.banks > BANK.ahead ? () => sendAhead(ahead) : undefined,
  );
}
