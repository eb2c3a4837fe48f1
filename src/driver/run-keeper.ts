import type { Clock } from '../../firmware-protocol/clock.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { Logger } from './logger.js';
import { CREDIT_BLOCKS, type RunStream } from './run-stream.js';

/** With nothing heard for this long during a run, the board is asked whether it is there. */
const SILENCE_MS = 2000;
/** How long it may take to answer that: past the link's own retransmissions. */
const SIGN_OF_LIFE_MS = 15_000;

/**
 * The runs in progress: hands them what arrives, feeds the board's watchdog while there is one, and finds out when a board
 * has died. A run stays here until the board has reported it, also when nobody reads it any more, and until its missing blocks have come.
 */
export class RunKeeper {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #runs = new Map<number, RunStream>();
  /** Of this session; the board counts them up. */
  #newestRunId = 0;
  /** Blocks of a run that is not known yet. */
  readonly #early: Event<'sampleBlock'>[] = [];
  #cancelBeat: (() => void) | undefined;
  #asking = false;
  /** How late the last beat was: a host that computes cannot feed a watchdog. */
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

  takeBlock(block: Event<'sampleBlock'>): void {
    const run = this.#runs.get(block.runId);
    if (run) run.takeBlock(block);
    else if (block.runId > this.#newestRunId) this.#takeEarly(block);
  }

  /** The answer to its start was lost and comes again; until then the board sends no more than its first credit. */
  #takeEarly(block: Event<'sampleBlock'>): void {
    const isKnown = this.#early.some((other) => other.runId === block.runId && other.block === block.block);
    if (!isKnown && this.#early.length < CREDIT_BLOCKS) this.#early.push(block);
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
    this.#cancelBeat = this.#clock.schedule(intervalMs, () => {
      const nowMs = this.#clock.nowMs();
      this.lateMs = nowMs - dueMs;
      if (this.lateMs > intervalMs)
        this.#log.warn({ lateMs: this.lateMs }, 'this process was busy and fed the watchdog late');
      if (nowMs - (this.#connection.link.lastHeardMs ?? 0) > SILENCE_MS) this.#ask();
      this.#connection.keepAlive();
      this.#beatEvery(intervalMs);
    });
  }

  /** Keep-alives are not acknowledged; a command is, so the link notices when nobody is there. */
  #ask(): void {
    if (this.#asking || this.#connection.suspended) return;
    this.#asking = true;
    const askedAtMs = this.#clock.nowMs();
    this.#connection
      .request('ping', { token: 0 }, { timeoutMs: SIGN_OF_LIFE_MS })
      .catch((cause: unknown) => {
        const heard = (this.#connection.link.lastHeardMs ?? 0) >= askedAtMs;
        const isSilent = cause instanceof ThermolinkError && cause.code === 'TIMEOUT' && !heard;
        // A refusal is a sign of life; a port that was lost is being looked for already.
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
