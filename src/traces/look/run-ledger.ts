import { RUN_OUTCOME, type RunOutcomeCode } from '../../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../../firmware-protocol/messages/acquisition.js';
import type { Answer, Command, Event } from '../../../firmware-protocol/messages/index.js';
import type { TraceMessage } from '../trace-message.js';

const OUTCOMES = Object.keys(RUN_OUTCOME) as (keyof typeof RUN_OUTCOME)[];

/**
 * How a board run ended, according to the messages. `open`: no report of the end has arrived. `refused`: the
 * board refused the start.
 */
export type LedgerOutcome = keyof typeof RUN_OUTCOME | 'open' | 'refused';

/** Facts about one board run from the messages. */
export interface LedgerRun {
  /** The number of the run in the recording, from 1. */
  readonly run: number;
  readonly session: number;
  /** The number that the board gave the run in its session; undefined if the run was not started. */
  runId?: number;
  /** Index of the message that requested the run. */
  readonly message: number;
  readonly request: Command<'start'>;
  readonly startNs: bigint;
  endNs: bigint;
  outcome: LedgerOutcome;
  /** Number of cells of a sample; 0 if no block has arrived. */
  cells: number;
  /**
   * Number of different blocks that arrived, and number of their samples. A sample in several blocks counts
   * once.
   */
  blocks: number;
  samples: number;
  /** The report of the board at the end of the run. */
  report?: Pick<Event<'runEnded'>, 'ticksDone' | 'samplesTaken' | 'samplesLost' | 'overloadedCellCount'>;
  /** Whether a reading was clipped or a cell passed its rail. */
  clipped: boolean;
  overload: boolean;
}

/** The set of block numbers that have arrived: all numbers below a bound, and single numbers above it. */
class BlocksSeen {
  #next = 0;
  readonly #beyond = new Set<number>();

  /** Whether the block is new. */
  add(block: number): boolean {
    if (block < this.#next || this.#beyond.has(block)) return false;
    if (block > this.#next) {
      this.#beyond.add(block);
      return true;
    }
    this.#next++;
    while (this.#beyond.delete(this.#next)) this.#next++;
    return true;
  }
}

/** Finds the board runs in the messages of a recording. The messages must be added in causal order. */
export class RunLedger {
  readonly runs: LedgerRun[] = [];
  /** Requested runs without an answer, by request id. */
  readonly #asked = new Map<number, LedgerRun>();
  /** The runs of the present session, by the number from the board. */
  readonly #started = new Map<number, LedgerRun>();
  readonly #blocks = new Map<LedgerRun, BlocksSeen>();
  #session = 0;

  /** Takes the next message. Returns the run of this message; undefined if it belongs to no run. */
  add(message: TraceMessage): LedgerRun | undefined {
    if (message.session !== this.#session) {
      this.#session = message.session;
      this.#asked.clear();
      this.#started.clear();
      this.#blocks.clear();
    }
    const { kind, name, fields } = message;
    if (name === 'start') return kind === 'command' ? this.#ask(message) : this.#start(message);
    if (name === 'refusal') return this.#refuse(message.requestId);
    if (name === 'sampleBlock') return this.#block(message);
    if (name === 'runEnded') return this.#end(message);
    const { runId } = fields;
    return kind !== 'bad' && typeof runId === 'number' ? this.#started.get(runId) : undefined;
  }

  #ask(message: TraceMessage): LedgerRun {
    const run: LedgerRun = {
      run: this.runs.length + 1,
      session: message.session,
      message: message.index,
      request: message.fields as unknown as Command<'start'>,
      startNs: message.hostTimeNs,
      endNs: message.hostTimeNs,
      outcome: 'open',
      cells: 0,
      blocks: 0,
      samples: 0,
      clipped: false,
      overload: false,
    };
    this.runs.push(run);
    this.#asked.set(message.requestId, run);
    return run;
  }

  #start({ requestId, fields, hostTimeNs }: TraceMessage): LedgerRun | undefined {
    const run = this.#asked.get(requestId);
    if (!run) return undefined;
    const { runId } = fields as unknown as Answer<'start'>;
    this.#asked.delete(requestId);
    this.#started.set(runId, run);
    // After the start of a new run, no blocks of earlier runs arrive (protocol.md, "Kept blocks").
    this.#blocks.clear();
    this.#blocks.set(run, new BlocksSeen());
    run.runId = runId;
    run.endNs = hostTimeNs;
    return run;
  }

  #refuse(requestId: number): LedgerRun | undefined {
    const run = this.#asked.get(requestId);
    if (!run) return undefined;
    this.#asked.delete(requestId);
    run.outcome = 'refused';
    return run;
  }

  #block({ samples, hostTimeNs }: TraceMessage): LedgerRun | undefined {
    if (!samples) return undefined;
    const { runId, block, firstCell, cellCount, sampleCount, flags } = samples.header;
    const run = this.#started.get(runId);
    if (!run) return undefined;
    if (!this.#blocks.get(run)?.add(block)) return run;
    run.blocks++;
    run.cells = Math.max(run.cells, firstCell + cellCount);
    if (firstCell === 0) run.samples += sampleCount;
    run.clipped ||= (flags & BLOCK_FLAG.clip) !== 0;
    run.overload ||= (flags & BLOCK_FLAG.overload) !== 0;
    run.endNs = hostTimeNs;
    return run;
  }

  #end({ fields, hostTimeNs }: TraceMessage): LedgerRun | undefined {
    const ended = fields as unknown as Event<'runEnded'>;
    const run = this.#started.get(ended.runId);
    if (!run) return undefined;
    const { ticksDone, samplesTaken, samplesLost, overloadedCellCount } = ended;
    run.outcome = outcomeName(ended.outcome);
    run.report = { ticksDone, samplesTaken, samplesLost, overloadedCellCount };
    run.overload ||= overloadedCellCount > 0;
    run.endNs = hostTimeNs;
    return run;
  }
}

function outcomeName(code: RunOutcomeCode): keyof typeof RUN_OUTCOME {
  return OUTCOMES[code];
}
