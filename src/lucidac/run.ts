import { ThermolinkError, throwIfAborted } from '../errors.js';
import type { LucidacConnection } from './connection.js';
import { shownText } from './connection-errors.js';
import { type Body, type InitialBody, PREFIX_NANO, RUN_STATE } from './messages.js';
import { readRows } from './samples.js';

/** A request for a run. */
export interface RunRequest {
  /** Identifies the run on this machine. */
  readonly id: string;
  readonly operatingTimeNs: number;
  /** Number N of channels to read. The machine samples a power of two of channels, at least N. */
  readonly channels: number;
  /** Samples per second and channel during the run. */
  readonly sampleRate: number;
}

/** The readings of a run. */
export interface RunReadings {
  /** Samples during the run, rows × channels, in machine units. */
  readonly samples: Float64Array;
  /** The values at the end of the run, one for each channel. */
  readonly end: Float64Array;
  readonly isOverloaded: boolean;
  /** Paths of the overloaded parts. */
  readonly overloaded: readonly string[];
}

/** Time for the integrators to take their initial values, ns. */
const INITIAL_TIME_NS = 100_000;
/** Longest wait for readings after the message that the run is done, ms. */
const LATE_READINGS_MS = 500;
/**
 * Allowed difference in the number of samples: one at each end, because the clock of the machine and the
 * rounding of the host may differ.
 */
const ROWS_SLACK = 2;

/** The command that starts a run. */
export function runCommand(request: RunRequest): InitialBody<'StartRunCommand'> {
  const nanoseconds = (value: number) => ({ value: BigInt(value), prefix: PREFIX_NANO });
  return {
    run: { id: request.id },
    runConfig: {
      initialTime: nanoseconds(INITIAL_TIME_NS),
      operatingTime: nanoseconds(request.operatingTimeNs),
      haltOnOverload: false,
      streaming: true,
      repetitive: false,
      writeRunStateChanges: true,
    },
    daqConfig: {
      channels: 2 ** Math.ceil(Math.log2(request.channels)),
      sampleRate: request.sampleRate,
      sampleOperation: true,
      sampleEnd: true,
    },
  };
}

/** Expected number of samples of a run. */
export function rowsOf({ operatingTimeNs, sampleRate }: RunRequest): number {
  return Math.max(1, Math.floor(operatingTimeNs * 1e-9 * sampleRate));
}

/** Collects the messages of one run. Keeps at most the expected number of samples. */
export class RunCollector {
  readonly #request: RunRequest;
  readonly #rows: Float64Array;
  #rowCount = 0;
  #end: Float64Array | undefined;
  #isDone = false;
  #error: ThermolinkError | undefined;
  #wake: () => void = () => undefined;

  constructor(request: RunRequest) {
    this.#request = request;
    this.#rows = new Float64Array((rowsOf(request) + ROWS_SLACK) * request.channels);
  }

  /** Takes a message of the machine. Messages of other runs are ignored. */
  take({ runState, runData, runEnd }: Body<'Message'>): void {
    const { id } = this.#request;
    if (runState?.run?.id === id) this.#takeState(runState);
    if (runData?.run?.id === id) this.#takeRows(runData);
    if (runEnd?.run?.id === id) this.#takeEnd(runEnd);
    this.#wake();
  }

  /** Tells that the connection has ended. */
  fail(error: ThermolinkError): void {
    this.#error ??= error;
    this.#wake();
  }

  /**
   * Waits until the run is done and its readings have arrived. Errors: RUN_ENDED, SAMPLES_LOST, TIMEOUT,
   * LINK_LOST, ABORTED.
   */
  async finished(
    timeoutMs: number,
    connection: LucidacConnection,
    signal: AbortSignal | undefined,
  ): Promise<Pick<RunReadings, 'samples' | 'end'>> {
    await this.#until(() => this.#isDone, timeoutMs, connection, signal);
    if (!this.#isDone) throw timeoutError(this.#request, timeoutMs);
    await this.#until(() => this.#hasAll, LATE_READINGS_MS, connection, signal);
    if (!this.#hasAll) throw this.#lostError(`the machine sent ${this.#rowCount} of them`);
    const { channels } = this.#request;
    return { samples: this.#rows.slice(0, this.#rowCount * channels), end: this.#end! };
  }

  get #hasAll(): boolean {
    return this.#end !== undefined && this.#rowCount >= rowsOf(this.#request) - ROWS_SLACK;
  }

  /** Waits until `isMet` returns true or the time has passed. */
  async #until(
    isMet: () => boolean,
    timeoutMs: number,
    connection: LucidacConnection,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const passed = new AbortController();
    const timer = connection.wait(timeoutMs, passed.signal).then(
      () => true,
      () => false,
    );
    let hasPassed = false;
    void timer.then((isOver) => {
      hasPassed = isOver;
      this.#wake();
    });
    const onAbort = (): void => this.#wake();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        throwIfAborted(signal);
        if (this.#error !== undefined) throw this.#error;
        if (isMet() || hasPassed) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      passed.abort();
    }
  }

  #takeState({ next, reason }: Body<'RunState'>): void {
    if (next === RUN_STATE.done) this.#isDone = true;
    if (next !== RUN_STATE.error) return;
    const why = shownText(reason);
    this.#error ??= new ThermolinkError(
      'RUN_ENDED',
      `The LUCIDAC ended the run with an error${why === '' ? '' : `: ${why}`}.`,
      {
        retryable: true,
        hint: 'Try again. If it happens again, restart the machine.',
        data: { reason: why },
      },
    );
  }

  #takeRows({ data }: Body<'RunData'>): void {
    const { channels } = this.#request;
    const rows = data && readRows(data, channels);
    if (rows === undefined) this.#refuse('a message with samples cannot be read');
    else if ((this.#rowCount + rows.rows) * channels > this.#rows.length)
      this.#refuse(`the machine sent ${this.#rowCount + rows.rows} or more`);
    else {
      this.#rows.set(rows.values, this.#rowCount * channels);
      this.#rowCount += rows.rows;
    }
  }

  #takeEnd({ data }: Body<'RunData'>): void {
    const rows = data && readRows(data, this.#request.channels);
    if (rows?.rows === 1) this.#end = rows.values;
    else this.#refuse('the values at the end of the run cannot be read');
  }

  #refuse(why: string): void {
    this.#error ??= this.#lostError(why);
  }

  #lostError(why: string): ThermolinkError {
    const expected = rowsOf(this.#request);
    return new ThermolinkError(
      'SAMPLES_LOST',
      `A run should give ${expected} samples of ${this.#request.channels} channels and the values at its end; ${why}.`,
      {
        retryable: true,
        hint: 'Try again. If it happens again, the firmware may be newer than 2.3 and sample in another way.',
        data: { expected, received: this.#rowCount, hasEnd: this.#end !== undefined },
      },
    );
  }
}

function timeoutError({ operatingTimeNs }: RunRequest, timeoutMs: number): ThermolinkError {
  return new ThermolinkError(
    'TIMEOUT',
    `A run of ${operatingTimeNs / 1e6} ms was not done after ${Math.round(timeoutMs)} ms.`,
    { retryable: true, hint: 'The run was stopped. Check the machine, then try again.', data: { timeoutMs } },
  );
}
