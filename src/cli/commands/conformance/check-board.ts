import type { Clock } from '../../../../firmware-protocol/clock.js';
import type { Port } from '../../../../firmware-protocol/port.js';
import { ThermolinkError, throwIfAborted } from '../../../errors.js';
import { Bench, type Clause, type Identity, Unseen } from './clause.js';
import { LatenessMeter } from './lateness-meter.js';
import { Violation, WireHost } from './wire-host.js';

/** The result of one rule. */
export interface ClauseResult {
  readonly id: string;
  readonly what: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** The reason why the rule failed or was skipped. */
  readonly reason?: string;
  readonly seconds: number;
}

/** Options of checking a board. */
export interface CheckOptions {
  readonly clauses: readonly Clause[];
  /** Opens a connection to the board. */
  readonly open: () => Promise<Port>;
  /** Whether the board takes several connections at once. */
  readonly severalConnections: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether to leave out rules that take seconds of waiting. */
  readonly skipSlow?: boolean;
  readonly onProgress?: (done: number, id: string) => void;
}

/** Time that a board has to open a session after a reset, or after its last client disconnected, ms. */
const COME_BACK_MS = 15_000;
const TRY_AGAIN_MS = 100;
/** Largest number of repeats of a rule that fails while this machine is late. */
const AGAIN_MAX = 2;

/**
 * Checks a board, one rule after another, each in a session of its own. A rule about time that fails is
 * checked again, twice at most, when this machine was so late meanwhile that a good board could fail.
 * Errors: those of opening the first connection; NO_ANSWER from a board that opens no session at first;
 * ABORTED.
 */
export async function checkBoard(options: CheckOptions): Promise<ClauseResult[]> {
  const line = new Line(options);
  const results: ClauseResult[] = [];
  try {
    await line.open();
    for (const clause of options.clauses) {
      throwIfAborted(options.signal);
      options.onProgress?.(results.length, clause.id);
      const startMs = options.clock.nowMs();
      const verdict = await fairVerdictOn(clause, line, options);
      const seconds = (options.clock.nowMs() - startMs) / 1000;
      results.push({ id: clause.id, what: clause.what, ...verdict, seconds });
    }
  } finally {
    await line.close();
  }
  return results;
}

type Verdict = Pick<ClauseResult, 'status' | 'reason'>;

/** The verdict on the board. A failure while the machine was late does not count. */
async function fairVerdictOn(clause: Clause, line: Line, options: CheckOptions): Promise<Verdict> {
  const { slackMs } = clause;
  if (slackMs === undefined) return verdictOn(clause, line, options);
  for (let again = 0; ; again++) {
    const meter = new LatenessMeter(options.clock, slackMs);
    let verdict: Verdict;
    let lateMs = 0;
    try {
      verdict = await verdictOn(clause, line, options);
    } finally {
      lateMs = meter.end();
    }
    if (verdict.status !== 'failed' || lateMs === 0) return verdict;
    if (again === AGAIN_MAX)
      return {
        ...verdict,
        reason: `${verdict.reason}; this machine was ${lateMs.toFixed(0)} ms late meanwhile`,
      };
  }
}

async function verdictOn(
  clause: Clause,
  line: Line,
  { severalConnections, skipSlow, signal, clock }: CheckOptions,
): Promise<Verdict> {
  if (clause.slow && skipSlow) return { status: 'skipped', reason: 'it takes seconds of waiting' };
  if (clause.connections && !severalConnections)
    return { status: 'skipped', reason: 'this line carries one connection' };
  try {
    const { host, board } = await line.session();
    const reason = clause.skip?.(board);
    if (reason !== undefined) return { status: 'skipped', reason };
    await clause.check(new Bench({ host, board, clock, connect: () => line.connect() }));
    return { status: 'passed' };
  } catch (error) {
    if (error instanceof Unseen) return { status: 'skipped', reason: error.message };
    if (error instanceof Violation) return { status: 'failed', reason: error.message };
    throwIfAborted(signal);
    if (error instanceof ThermolinkError) return { status: 'failed', reason: error.message };
    throw error;
  } finally {
    await line.leaveOthers();
  }
}

/** The connections to a board. */
class Line {
  readonly #options: CheckOptions;
  #host: WireHost | undefined;
  #others: WireHost[] = [];

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  /** The first connection. Errors: those of opening it; NO_ANSWER. */
  async open(): Promise<void> {
    const { clock, signal, open } = this.#options;
    this.#host = new WireHost(await open(), clock, signal);
    try {
      await this.session();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new ThermolinkError('NO_ANSWER', `The board opens no session: ${error.message}.`, {
        hint: 'Check the port with `thermolink info`.',
      });
    }
  }

  /** A new session on the main connection, which is opened again if it was lost. */
  async session(): Promise<{ readonly host: WireHost; readonly board: Identity }> {
    const { clock, signal, open } = this.#options;
    const untilMs = clock.nowMs() + COME_BACK_MS;
    for (;;)
      try {
        if (this.#host === undefined || this.#host.port.closed)
          this.#host = new WireHost(await open(), clock, signal);
        return { host: this.#host, board: await this.#host.hello() };
      } catch (error) {
        throwIfAborted(signal);
        const mayComeBack = error instanceof Violation || error instanceof ThermolinkError;
        if (!mayComeBack || clock.nowMs() > untilMs) throw error;
        await new Promise<void>((resolve) => {
          clock.schedule(TRY_AGAIN_MS, resolve);
        });
      }
  }

  /** Another connection. A line that carries only one connection gives the same one again. */
  async connect(): Promise<WireHost> {
    const { clock, signal, open, severalConnections } = this.#options;
    if (!severalConnections) return (await this.session()).host;
    const other = new WireHost(await open(), clock, signal);
    this.#others.push(other);
    return other;
  }

  async leaveOthers(): Promise<void> {
    for (const { port } of this.#others.splice(0)) await port.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.leaveOthers();
    await this.#host?.port.close().catch(() => undefined);
  }
}
