import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardDevice, CommitReport, RunReport } from '../driver/device-api.js';
import { abortError, throwIfAborted } from '../errors.js';
import type { SolverCost } from './cost.js';
import { type RunAddress, runSeedOf } from './run-seed.js';

const BANK = 0;

export interface RunPlan {
  readonly burnInTicks: number;
  readonly sampleCount: number;
  readonly ticksPerSample: number;
  /** Goes on from where the run before ended: same noise, next tick, the board's own state. */
  readonly goesOn?: boolean;
}

export interface Readings {
  /** sampleCount × N ADC codes, fewer rows after an overload. */
  readonly codes: Int16Array;
  readonly overloaded: boolean;
  readonly report: RunReport;
}

/**
 * One solver call's use of the board: every program and run goes through here, gets its own run seed, and is charged
 * to the call. A program whose couplings are on the board already is rewritten instead of loaded.
 */
export class BoardRuns {
  readonly #device: BoardDevice;
  #address: RunAddress;
  readonly #options: { readonly signal?: AbortSignal };
  readonly #uploadedBefore: number;
  readonly #cost = {
    ticks: 0,
    overloadRetries: 0,
    clampedCodes: 0,
    mapMs: 0,
    uploadMs: 0,
    boardMs: 0,
    readoutMs: 0,
  };
  #couplings: ProgramImage['couplings'] | undefined;
  #attempt = 0;
  #runSeed = 0;
  #nextTick = 0;

  constructor(device: BoardDevice, address: RunAddress, signal: AbortSignal | undefined) {
    this.#device = device;
    this.#address = address;
    this.#options = signal === undefined ? {} : { signal };
    this.#uploadedBefore = device.uploadedBytes;
  }

  get cost(): SolverCost {
    const { tauNs, tickLog2 } = this.#device.identity;
    return {
      ...this.#cost,
      boardSeconds: this.#cost.ticks * 2 ** -tickLog2 * tauNs * 1e-9,
      uploadBytes: this.#device.uploadedBytes - this.#uploadedBefore,
    };
  }

  /** Goes on under another address: the runs from here on are those of another use of the board. */
  readdress(address: RunAddress): void {
    this.#address = address;
    this.#attempt = 0;
  }

  /** Runs `work` and charges its time, also that of what it promises, to mapping (or to readout). */
  charge<Result>(phase: 'mapMs' | 'readoutMs', work: () => Result): Result {
    const start = performance.now();
    const settled = (): void => {
      this.#cost[phase] += performance.now() - start;
    };
    const result = work();
    if (result instanceof Promise) result.then(settled, settled);
    else settled();
    return result;
  }

  /** Puts a program into the board; codes that it clamped are counted in the cost. */
  async program(image: ProgramImage): Promise<CommitReport> {
    throwIfAborted(this.#options.signal);
    const start = performance.now();
    const isLoaded = this.#couplings === image.couplings;
    // Until the commit is answered nobody knows what the bank holds.
    this.#couplings = undefined;
    const report = isLoaded
      ? await this.#device.rewriteProgram(BANK, image, this.#options)
      : await this.#device.loadProgram(BANK, image, this.#options);
    this.#couplings = image.couplings;
    const clamped = report.clampedCouplings + report.clampedNoiseCodes;
    this.#cost.clampedCodes = Math.max(this.#cost.clampedCodes, clamped);
    this.#cost.uploadMs += performance.now() - start;
    return report;
  }

  /** Runs the program and reads it out. Overload is an answer; of any other early end `BoardDevice.acquire` makes an error. */
  async acquire(plan: RunPlan): Promise<Readings> {
    throwIfAborted(this.#options.signal);
    const start = performance.now();
    if (!plan.goesOn) {
      this.#runSeed = runSeedOf(this.#address, this.#attempt++);
      this.#nextTick = 0;
    }
    const { codes, report } = await this.#device.acquire({
      ...this.#options,
      bank: BANK,
      runSeed: this.#runSeed,
      firstTick: this.#nextTick,
      keepState: plan.goesOn ?? false,
      burnInTicks: plan.burnInTicks,
      sampleCount: plan.sampleCount,
      ticksPerSample: plan.ticksPerSample,
    });
    this.#nextTick += report.ticksDone;
    this.#cost.ticks += report.ticksDone;
    this.#cost.boardMs += performance.now() - start;
    const overloaded = report.outcome === 'overload';
    if (overloaded) this.#cost.overloadRetries++;
    return { codes, overloaded, report };
  }
}

/** When the last call that asked for a device is done with it; never rejects. */
const lastTurns = new WeakMap<BoardDevice, Promise<void>>();

/**
 * Runs `work` when every call that asked for `device` before has ended, however it ended: a solver call leaves program
 * and state on the board between its commands, and another call's in between would change its answer. First come, first
 * served; `work` may not ask for the same device again.
 *
 * Errors: ABORTED while it waits, without ever touching the board; those of `work`.
 */
export async function takeTurn<Result>(
  device: BoardDevice,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = lastTurns.get(device) ?? Promise.resolve();
  let done: () => void = () => undefined;
  const own = new Promise<void>((resolve) => {
    done = resolve;
  });
  // Behind both: a call that gives up waiting must not let the next one pass those before it.
  lastTurns.set(
    device,
    before.then(() => own),
  );
  try {
    await settledOrAborted(before, signal);
    return await work();
  } finally {
    done();
  }
}

function settledOrAborted(before: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return before;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void before.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
