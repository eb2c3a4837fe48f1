import type { Clock } from '../../firmware-protocol/clock.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { Logger } from './logger.js';
import { CREDIT_BLOCKS, type RunStream } from './run-stream.js';

/** After this much silence during a run the board is asked whether it is alive. */
const SILENCE_MS = 2000;
/** How long the board may take to answer. This is longer than all retransmissions of the link. */
const SIGN_OF_LIFE_MS = 15_000;

/**
 * Keeps the board runs in progress: passes received messages to them, feeds the board's watchdog
 * (protocol.md, "Watchdog and reset"), and notices a board that has died. A run stays here until the board
 * has reported it and its missing blocks have come, also if it has no reader any more.
 */
export class RunKeeper {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #runs = new Map<number, RunStream>();
  /** The highest run number of this session. The board counts up. */
  #newestRunId = 0;
  /** Blocks that arrived before the answer to the start of their run. */
  readonly #early: Event<'sampleBlock'>[] = [];
  #cancelBeat: (() => void) | undefined;
  #asking = false;
  /**
   * Delay of the last feeding of the watchdog, in ms. A process that computes, or is stopped, feeds it late.
   */
  lateMs = 0;

  constructor(connection: Connection, log: Logger) {
    this.#connection = connection;
    this.#clock = connection.clock;
    this.#log = log;
  }

  get isEmpty(): boolean {
    return this.#runs.size === 0;
  }

  add(run: RunStream, watchdogMs: number): void {
    this.#runs.set(run.runId, run);
    this.#newestRunId = run.runId;
    for (const block of this.#early.splice(0)) if (block.runId === run.runId) run.takeBlock(block);
    run.onDone = () => this.#remove(run);
    this.#beatEvery(watchdogMs / 4);
  }

  /** Feeds the watchdog no more, until the next run. */
  stopFeeding(): void {
    this.#cancelBeat?.();
  }

  takeBlock(block: Event<'sampleBlock'>): void {
    const run = this.#runs.get(block.runId);
    if (run) run.takeBlock(block);
    else if (block.runId > this.#newestRunId) this.#takeEarly(block);
  }

  /**
   * Keeps a block of a run whose start is not answered yet. The board sends no more than its
   * first credit until then.
   */
  #takeEarly(block: Event<'sampleBlock'>): void {
    const isKnown = this.#early.some((other) => other.runId === block.runId && other.block === block.block);
    if (!isKnown && this.#early.length < CREDIT_BLOCKS)
      this.#early.push({ ...block, codes: block.codes.slice() });
  }

  takePosition({ runId, blocks }: Event<'blocksSent'>): void {
    this.#runs.get(runId)?.takePosition(blocks);
  }

  takeReport(report: Event<'runEnded'>): void {
    this.#runs.get(report.runId)?.takeReport(report);
  }

  #remove(run: RunStream): void {
    this.#runs.delete(run.runId);
    if (this.isEmpty) this.#cancelBeat?.();
  }

  fail(error: ThermolinkError): void {
    this.#cancelBeat?.();
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    this.#early.length = 0;
    this.#newestRunId = 0;
    for (const run of runs) run.fail(error);
  }

  #beatEvery(intervalMs: number): void {
    this.#cancelBeat?.();
    const dueMs = this.#clock.nowMs() + intervalMs;
    const stoppedMs = stoppedMsOf(this.#clock);
    this.#cancelBeat = this.#clock.schedule(intervalMs, () => {
      const nowMs = this.#clock.nowMs();
      this.lateMs = nowMs - dueMs + stoppedMsOf(this.#clock) - stoppedMs;
      if (this.lateMs > intervalMs)
        this.#log.warn({ lateMs: this.lateMs }, 'this process was busy or stopped and fed the watchdog late');
      if (nowMs - (this.#connection.link.lastHeardMs ?? 0) > SILENCE_MS) this.#ask();
      this.#connection.keepAlive();
      this.#beatEvery(intervalMs);
    });
  }

  /**
   * Asks the board for a sign of life by a command. Commands are acknowledged, so the link notices when
   * nobody is there. A keep-alive is not acknowledged and shows nothing.
   */
  #ask(): void {
    if (this.#asking || this.#connection.suspended) return;
    this.#asking = true;
    const askedAtMs = this.#clock.nowMs();
    this.#connection
      .request('ping', { token: 0 }, { timeoutMs: SIGN_OF_LIFE_MS })
      .catch((cause: unknown) => {
        const heard = (this.#connection.link.lastHeardMs ?? 0) >= askedAtMs;
        const isSilent = cause instanceof ThermolinkError && cause.code === 'TIMEOUT' && !heard;
        // Any other error does not show a dead board. If its port is lost, the search for it has begun
        // already.
        if (!isSilent || this.#connection.suspended) return;
        this.#connection.lose(
          new ThermolinkError(
            'LINK_LOST',
            `The board on ${this.#connection.port.name} fell silent during a run.`,
            {
              cause,
              retryable: true,
              hint: 'Check its power and its cable; it may have restarted and lost its program.',
            },
          ),
        );
      })
      .finally(() => {
        this.#asking = false;
      });
  }
}

/** The time in which this process has not run so far, according to the clock. */
export function stoppedMsOf(clock: Clock): number {
  return clock.stoppedMs?.() ?? 0;
}
