import type { Clock } from '../../firmware-protocol/clock.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../firmware-protocol/messages/acquisition.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { abortError, ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { CallOptions, Run, RunOptions, RunOutcome, RunReport, SampleBlock } from './device-api.js';

/** Blocks the board may be ahead of the reader: the bound of what waits here. */
export const CREDIT_BLOCKS = 16;
/** With nothing arriving for this long the last credit is sent again: it may have been lost. */
const CREDIT_REPEAT_MS = 200;

const OUTCOME_NAMES = Object.keys(RUN_OUTCOME) as RunOutcome[];

/** Half-open range of sample indices. */
export interface SampleRange {
  readonly from: number;
  readonly to: number;
}

/** Where in the stream the next code should come from, and what was missing so far. */
class Position {
  sample = 0;
  cell = 0;
  readonly lost: SampleRange[] = [];
  readonly #cells: number;

  constructor(cells: number) {
    this.#cells = cells;
  }

  /** Takes note of a block; false when it lies behind (a duplicate). */
  take(block: SampleBlock): boolean {
    const { firstSample, firstCell } = block;
    if (firstSample < this.sample || (firstSample === this.sample && firstCell < this.cell)) return false;
    if (firstSample !== this.sample || firstCell !== this.cell) {
      // A sample of which a part is missing is lost as a whole, also when its other parts arrived.
      const from = this.sample;
      this.#lose(from, firstCell === 0 ? firstSample : firstSample + 1);
    }
    this.sample = firstSample + block.sampleCount - 1;
    this.cell = firstCell + block.cellCount;
    if (this.cell === this.#cells) {
      this.sample++;
      this.cell = 0;
    }
    return true;
  }

  /** Everything up to `samples` that did not come is lost. */
  end(samples: number): void {
    if (this.sample < samples) this.#lose(this.sample, samples);
  }

  #lose(from: number, to: number): void {
    const last = this.lost.at(-1);
    if (last && last.to >= from) this.lost[this.lost.length - 1] = { from: last.from, to };
    else this.lost.push({ from, to });
  }
}

/** One run as the host sees it. Blocks wait here, at most CREDIT_BLOCKS of them, until they are read. */
export class RunStream implements Run {
  readonly runId: number;
  readonly finished: Promise<RunReport>;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  /** Of the program that runs. */
  readonly cells: number;
  readonly #sampleCount: number;
  readonly #position: Position;
  readonly #arrived: SampleBlock[] = [];
  /** Blocks that the board has sent for all we know: one more than the number of the last that came. */
  #sent = 0;
  #granted = CREDIT_BLOCKS;
  #report: RunReport | undefined;
  #failure: ThermolinkError | undefined;
  #wakeReader: (() => void) | undefined;
  #resolveFinished!: (report: RunReport) => void;
  #rejectFinished!: (error: ThermolinkError) => void;
  readonly #cancelDeadline: () => void;
  readonly #onAbort = (): void => this.#giveUp(abortError(this.#signal!));

  constructor(connection: Connection, runId: number, cells: number, options: RunOptions) {
    const { signal, timeoutMs } = options;
    this.#connection = connection;
    this.#clock = connection.clock;
    this.runId = runId;
    this.cells = cells;
    this.#sampleCount = options.sampleCount;
    this.#position = new Position(cells);
    this.#signal = signal;
    this.finished = new Promise((resolve, reject) => {
      this.#resolveFinished = resolve;
      this.#rejectFinished = reject;
    });
    // Whoever reads only the blocks hears of a failure there.
    this.finished.catch(() => undefined);
    this.#cancelDeadline =
      timeoutMs === undefined
        ? () => undefined
        : this.#clock.schedule(timeoutMs, () => this.#giveUp(this.#tooLate(timeoutMs)));
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  get blocks(): AsyncIterable<SampleBlock> {
    return { [Symbol.asyncIterator]: () => this.#iterate() };
  }

  async abort(options: CallOptions = {}): Promise<void> {
    if (this.#report || this.#connection.failure) return;
    await this.#connection.request('abort', { runId: this.runId }, options);
  }

  /** A block arrived. */
  takeBlock(event: Event<'sampleBlock'>): void {
    // What is still on its way of a run that nobody reads any more.
    if (this.#failure || this.#report) return;
    const block = sampleBlock(event);
    if (!block || !this.#fits(event)) {
      this.#connection.fail(contradiction(this.#connection.port.name, event));
      return;
    }
    this.#sent = Math.max(this.#sent, event.block + 1);
    if (!this.#position.take(block)) return;
    this.#arrived.push(block);
    this.#wake();
  }

  /** Whether the block lies within its run and within the credit that was given: the bound of what waits here. */
  #fits({ block, firstSample, sampleCount, firstCell, cellCount }: Event<'sampleBlock'>): boolean {
    const whole = sampleCount === 1 || (firstCell === 0 && cellCount === this.cells);
    return (
      block < this.#granted &&
      firstSample + sampleCount <= this.#sampleCount &&
      firstCell + cellCount <= this.cells &&
      whole
    );
  }

  /** The board says that the run has ended; every block it sent is here, or lost. */
  takeReport(event: Event<'runEnded'>): void {
    if (this.#report) return;
    this.#report = runReport(event);
    if (event.outcome === RUN_OUTCOME.completed || event.outcome === RUN_OUTCOME.overload)
      this.#position.end(event.samplesTaken);
    this.#finish();
    if (this.#failure) return;
    this.#resolveFinished(this.#report);
    this.#wake();
  }

  fail(error: ThermolinkError): void {
    if (this.#failure || this.#report) return;
    this.#failure = error;
    this.#finish();
    this.#rejectFinished(error);
    this.#wake();
  }

  /** The reader gets the error at once; the board is told to end the run, and its report is awaited by the keeper. */
  #giveUp(error: ThermolinkError): void {
    this.abort().catch(() => undefined);
    this.fail(error);
  }

  async *#iterate(): AsyncGenerator<SampleBlock> {
    try {
      for (;;) {
        this.#throwIfLossy();
        const block = this.#arrived.shift();
        if (block) {
          this.#grant(this.#sent - this.#arrived.length + CREDIT_BLOCKS);
          yield block;
        } else if (this.#failure) throw this.#failure;
        else if (this.#report) return;
        else await this.#wait();
      }
    } finally {
      // A reader that leaves early would leave a run that holds for ever.
      if (!this.#report && !this.#failure) await this.abort().catch(() => undefined);
    }
  }

  #throwIfLossy(): void {
    const samplesLost = this.#position.lost.reduce((sum, { from, to }) => sum + to - from, 0);
    if (Math.max(samplesLost, this.#report?.samplesLost ?? 0) === 0) return;
    throw new ThermolinkError('SAMPLES_LOST', `${samplesLost} samples of run ${this.runId} were lost.`, {
      retryable: true,
      hint: 'The same run seed gives the same samples: run it again, with a slower stream if it happens again.',
      data: { ranges: this.#position.lost, reportedByBoard: this.#report?.samplesLost },
    });
  }

  #grant(blocks: number): void {
    if (this.#report || this.#failure) return;
    // Half a window at a time keeps the board busy and the link quiet.
    if (blocks - this.#granted < CREDIT_BLOCKS / 2) return;
    if (this.#connection.sendCredit({ runId: this.runId, blocks, released: 0 })) this.#granted = blocks;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(CREDIT_REPEAT_MS, () => {
        if (!this.#report && !this.#failure) {
          this.#granted = Math.max(this.#granted, this.#sent + CREDIT_BLOCKS);
          this.#connection.sendCredit({ runId: this.runId, blocks: this.#granted, released: 0 });
        }
        this.#wake();
      });
      this.#wakeReader = () => {
        cancel();
        resolve();
      };
    });
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  #finish(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#cancelDeadline();
  }

  #tooLate(timeoutMs: number): ThermolinkError {
    return new ThermolinkError('TIMEOUT', `Run ${this.runId} was not done within ${timeoutMs} ms.`, {
      hint: 'Ask for fewer ticks, or give it more time.',
    });
  }
}

function contradiction(portName: string, { codes, ...block }: Event<'sampleBlock'>): ThermolinkError {
  return new ThermolinkError(
    'NOT_A_BOARD',
    `The board on ${portName} sent a sample block that contradicts its run.`,
    {
      hint: 'Its firmware does not follow the protocol; see docs/protocol.md.',
      data: { ...block, codeBytes: codes.length },
    },
  );
}

/** The block with its codes as numbers, or undefined when its sizes contradict each other. */
function sampleBlock(event: Event<'sampleBlock'>): SampleBlock | undefined {
  const { runId, firstSample, sampleCount, firstCell, cellCount, tick, flags, codes } = event;
  if (codes.length !== 2 * sampleCount * cellCount) return undefined;
  // Bulk data starts at any byte of the payload; the copy is aligned.
  const aligned = codes.slice();
  return {
    runId,
    firstSample,
    sampleCount,
    firstCell,
    cellCount,
    tick,
    overload: (flags & BLOCK_FLAG.overload) !== 0,
    clipped: (flags & BLOCK_FLAG.clip) !== 0,
    codes: new Int16Array(aligned.buffer, 0, sampleCount * cellCount),
  };
}

function indices(bytes: Uint8Array): number[] {
  return Array.from(
    { length: Math.floor(bytes.length / 2) },
    (_, i) => bytes[2 * i] + 256 * bytes[2 * i + 1],
  );
}

function runReport(event: Event<'runEnded'>): RunReport {
  return {
    runId: event.runId,
    outcome: OUTCOME_NAMES[event.outcome],
    ticksDone: event.ticksDone,
    samplesTaken: event.samplesTaken,
    samplesLost: event.samplesLost,
    overloadedCells: indices(event.overloadedCells),
    overloadedCellCount: event.overloadedCellCount,
    overloadedRows: indices(event.overloadedRows),
    overloadedRowCount: event.overloadedRowCount,
  };
}
