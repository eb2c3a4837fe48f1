import type { Clock } from '../../firmware-protocol/clock.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { abortError, ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';
import { BlockOrder, contradiction, runReport, sampleBlock } from './block-order.js';
import type { Connection } from './connection.js';
import type {
  CallOptions,
  LossPolicy,
  Run,
  RunOptions,
  RunReport,
  SampleBlock,
  SampleRange,
} from './device-api.js';

/**
 * Largest number of blocks that the board may be ahead of the reader (protocol.md, "Credits"). It bounds the
 * waiting blocks.
 */
export const CREDIT_BLOCKS = 16;
/**
 * After this silence the host repeats its credit and its request for blocks, because they may have been lost.
 */
const REPEAT_MS = 200;
/** Blocks that have not arrived after this number of requests are lost. */
const REQUESTS_MAX = 25;

/**
 * The host's side of one board run. Blocks wait here, at most CREDIT_BLOCKS of them, until they are read.
 * With `reRequest` they also wait while an earlier block is missing.
 */
export class RunStream implements Run {
  readonly runId: number;
  readonly finished: Promise<RunReport>;
  /** How many cells the program has. */
  readonly cells: number;
  /**
   * Called once, when the run does not need the board any more: the report has arrived, and every block has
   * arrived or is lost.
   */
  onDone: () => void = () => undefined;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #sampleCount: number;
  readonly #policy: LossPolicy;
  readonly #order: BlockOrder;
  readonly #arrived: SampleBlock[] = [];
  /**
   * After this number of blocks the host tells the board which blocks it may forget. This is half of the
   * number of blocks that the board keeps.
   */
  readonly #releaseAfter: number;
  #granted = CREDIT_BLOCKS;
  /** The board was told that it may forget the blocks below this number. */
  #released = 0;
  /** How many requests for missing blocks were sent since one of them came. */
  #requests = 0;
  #report: RunReport | undefined;
  #failure: ThermolinkError | undefined;
  #readerLeft = false;
  #done = false;
  #wakeReader: (() => void) | undefined;
  #resolveFinished!: (report: RunReport) => void;
  #rejectFinished!: (error: ThermolinkError) => void;
  readonly #cancelDeadline: () => void;
  readonly #onAbort = (): void => this.#giveUp(abortError(this.#signal!));

  constructor(connection: Connection, runId: number, cells: number, keepBlocks: number, options: RunOptions) {
    const { signal, timeoutMs, onLoss = 'fail' } = options;
    this.#connection = connection;
    this.#clock = connection.clock;
    this.runId = runId;
    this.cells = cells;
    this.#sampleCount = options.sampleCount;
    this.#releaseAfter = Math.max(1, Math.floor(keepBlocks / 2));
    this.#policy = onLoss;
    this.#order = new BlockOrder(cells, onLoss);
    this.#signal = signal;
    this.finished = new Promise((resolve, reject) => {
      this.#resolveFinished = resolve;
      this.#rejectFinished = reject;
    });
    // A caller that reads only the blocks gets the error there.
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

  get lost(): readonly SampleRange[] {
    return this.#order.lost;
  }

  async abort(options: CallOptions = {}): Promise<void> {
    if (this.#report || this.#connection.failure) return;
    await this.#connection.request('abort', { runId: this.runId }, options);
  }

  /** Takes a block that arrived. */
  takeBlock(event: Event<'sampleBlock'>): void {
    // Blocks may still arrive after the reader of the run has ended.
    if (this.#failure || this.#done) return;
    const block = sampleBlock(event);
    if (!block || !this.#fits(event)) {
      this.#connection.fail(contradiction(this.#connection.port.name, event));
      return;
    }
    const sentBefore = this.#order.sent;
    const deliverable = this.#order.take(block, event.block);
    if (deliverable.length > 0) this.#requests = 0;
    this.#arrived.push(...deliverable);
    this.#request(sentBefore, event.block);
    if (this.#policy === 'reRequest' && this.#order.settled - this.#released >= this.#releaseAfter)
      this.#sendCredit();
    this.#settle();
    this.#wake();
  }

  /**
   * Takes the number of blocks that the board has sent. The board tells it after a credit that changes
   * nothing (protocol.md, "Credits").
   */
  takePosition(blocks: number): void {
    if (this.#failure || this.#report) return;
    this.#noteSent(blocks);
    // A credit that changes nothing would be answered again, without end.
    if (this.#creditBlocks > this.#granted || this.#order.settled > this.#released) this.#sendCredit();
  }

  /**
   * Whether a block is within its run and within the credit. This check prevents a board from filling the
   * memory.
   */
  #fits({ block, firstSample, sampleCount, firstCell, cellCount }: Event<'sampleBlock'>): boolean {
    const whole = sampleCount === 1 || (firstCell === 0 && cellCount === this.cells);
    return (
      block < this.#granted &&
      firstSample + sampleCount <= this.#sampleCount &&
      firstCell + cellCount <= this.cells &&
      whole
    );
  }

  /**
   * Takes the report of the run. After it every sent block has arrived, is lost, or can be requested again.
   */
  takeReport(event: Event<'runEnded'>): void {
    if (this.#report) return;
    this.#report = runReport(event);
    const { outcome } = event;
    if (outcome === RUN_OUTCOME.completed || outcome === RUN_OUTCOME.overload)
      this.#noteSent(event.blocksSent);
    // The board keeps nothing of a run that was cut short (protocol.md, "End of a run").
    else this.#order.drop();
    if (!this.#failure) this.#resolveFinished(this.#report);
    this.#settle();
    this.#wake();
  }

  fail(error: ThermolinkError): void {
    if (this.#failure || this.#done) return;
    this.#failure = error;
    this.#rejectFinished(error);
    this.#settle();
    this.#wake();
  }

  /** Gives the reader the error at once and aborts the run. `RunKeeper` waits for the report. */
  #giveUp(error: ThermolinkError): void {
    this.abort().catch(() => undefined);
    this.fail(error);
  }

  async *#iterate(): AsyncGenerator<SampleBlock> {
    try {
      for (;;) {
        if (this.#policy !== 'mark') this.#throwIfLossy();
        const block = this.#arrived.shift();
        if (block) {
          // Credit for half a window at a time keeps the board busy and takes few frames.
          if (this.#creditBlocks - this.#granted >= CREDIT_BLOCKS / 2) this.#sendCredit();
          yield block;
        } else if (this.#failure) throw this.#failure;
        else if (this.#done) return;
        else await this.#wait();
      }
    } finally {
      this.#readerLeft = true;
      this.#settle();
      // If the reader ends early, no more credit is given, so the run is aborted.
      if (!this.#report && !this.#failure) await this.abort().catch(() => undefined);
    }
  }

  #throwIfLossy(): void {
    const samplesLost = this.#order.lost.reduce((sum, { from, to }) => sum + to - from, 0);
    if (Math.max(samplesLost, this.#report?.samplesLost ?? 0) === 0) return;
    throw new ThermolinkError(
      'SAMPLES_LOST',
      `${counted(samplesLost, 'sample')} of run ${this.runId} were lost.`,
      {
        retryable: true,
        hint: 'The same run seed gives the same samples: run it again, or have lost ones sent again (onLoss: reRequest).',
        data: { ranges: this.#order.lost, reportedByBoard: this.#report?.samplesLost },
      },
    );
  }

  /** The credit that the board may have: CREDIT_BLOCKS more than were read or lost. */
  get #creditBlocks(): number {
    return this.#order.settled - this.#arrived.length + CREDIT_BLOCKS;
  }

  #sendCredit(): void {
    if (this.#report || this.#failure) return;
    const blocks = Math.max(this.#granted, this.#creditBlocks);
    const credit = { runId: this.runId, blocks, released: this.#order.settled };
    if (!this.#connection.sendSampleEvent('credit', credit)) return;
    this.#granted = blocks;
    this.#released = credit.released;
  }

  /** Records that the board has sent the blocks below `blocks`, or below its credit if that is lower. */
  #noteSent(blocks: number): void {
    const sentBefore = this.#order.sent;
    const sent = Math.min(blocks, this.#granted);
    this.#order.takeSent(sent);
    this.#request(sentBefore, sent);
  }

  /** With `reRequest`, asks for the blocks from `first` to `end` − 1 (protocol.md, "Kept blocks"). */
  #request(first: number, end: number): void {
    if (this.#policy !== 'reRequest' || end <= first) return;
    this.#connection.sendSampleEvent('resend', { runId: this.runId, firstBlock: first, count: end - first });
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(REPEAT_MS, () => {
        this.#repeat();
        this.#wake();
      });
      this.#wakeReader = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Repeats the credit and the request for blocks, because they may have been lost. */
  #repeat(): void {
    if (this.#failure || this.#done) return;
    const { missing } = this.#order;
    if (missing && this.#requests++ >= REQUESTS_MAX) this.#arrived.push(...this.#order.giveUp());
    else if (missing) this.#request(missing.firstBlock, missing.firstBlock + missing.count);
    this.#sendCredit();
    this.#settle();
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  /** Ends the run if the board has reported it and every block has arrived or is not wanted. */
  #settle(): void {
    if (this.#failure || this.#report) {
      this.#signal?.removeEventListener('abort', this.#onAbort);
      this.#cancelDeadline();
    }
    if (this.#done || !this.#report) return;
    const abandoned = this.#failure !== undefined || this.#readerLeft;
    if (this.#order.missing && !abandoned) return;
    const { outcome, samplesTaken } = this.#report;
    if (outcome === 'completed' || outcome === 'overload')
      this.#order.end(Math.min(samplesTaken, this.#sampleCount));
    this.#done = true;
    this.onDone();
  }

  #tooLate(timeoutMs: number): ThermolinkError {
    return new ThermolinkError('TIMEOUT', `Run ${this.runId} was not done within ${timeoutMs} ms.`, {
      hint: 'Ask for fewer ticks, or give it more time.',
    });
  }
}
