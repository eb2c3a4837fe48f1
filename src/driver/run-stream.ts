import type { Clock } from '../../firmware-protocol/clock.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../firmware-protocol/messages/acquisition.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { abortError, assert, ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { CallOptions, Run, RunOutcome, RunReport, SampleBlock } from './device-api.js';

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
  readonly #position: Position;
  readonly #arrived: SampleBlock[] = [];
  #read = 0;
  #granted = CREDIT_BLOCKS;
  #report: RunReport | undefined;
  #failure: ThermolinkError | undefined;
  #wakeReader: (() => void) | undefined;
  #resolveFinished!: (report: RunReport) => void;
  #rejectFinished!: (error: ThermolinkError) => void;
  readonly #onEnd: () => void;
  readonly #onAbort = (): void => {
    this.abort().catch(() => undefined);
    this.fail(abortError(this.#signal!));
  };

  constructor(
    connection: Connection,
    runId: number,
    cells: number,
    signal: AbortSignal | undefined,
    onEnd: () => void,
  ) {
    this.#connection = connection;
    this.#clock = connection.clock;
    this.runId = runId;
    this.#position = new Position(cells);
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.finished = new Promise((resolve, reject) => {
      this.#resolveFinished = resolve;
      this.#rejectFinished = reject;
    });
    // Whoever reads only the blocks hears of a failure there.
    this.finished.catch(() => undefined);
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
    const block = sampleBlock(event);
    if (!block || !this.#position.take(block)) return;
    assert(this.#arrived.length <= CREDIT_BLOCKS, 'the board sent more blocks than it had credit for');
    this.#arrived.push(block);
    this.#wake();
  }

  /** The board says that the run has ended; every block it sent is here, or lost. */
  takeReport(event: Event<'runEnded'>): void {
    if (this.#report) return;
    this.#report = runReport(event);
    if (event.outcome === RUN_OUTCOME.completed || event.outcome === RUN_OUTCOME.overload)
      this.#position.end(event.samplesTaken);
    this.#finish();
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

  /** Sample indices that never came, found from the blocks themselves. */
  get lostRanges(): readonly SampleRange[] {
    return this.#position.lost;
  }

  async *#iterate(): AsyncGenerator<SampleBlock> {
    for (;;) {
      this.#throwIfLossy();
      const block = this.#arrived.shift();
      if (block) {
        this.#read++;
        this.#grant(this.#read + CREDIT_BLOCKS);
        yield block;
      } else if (this.#failure) throw this.#failure;
      else if (this.#report) return;
      else await this.#wait();
    }
  }

  #throwIfLossy(): void {
    if (this.#position.lost.length === 0) return;
    const samplesLost = this.#position.lost.reduce((sum, { from, to }) => sum + to - from, 0);
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
    if (this.#connection.sendCredit(this.runId, blocks)) this.#granted = blocks;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(CREDIT_REPEAT_MS, () => {
        if (!this.#report && !this.#failure) {
          this.#granted = this.#read + CREDIT_BLOCKS;
          this.#connection.sendCredit(this.runId, this.#granted);
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
    this.#onEnd();
  }
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
