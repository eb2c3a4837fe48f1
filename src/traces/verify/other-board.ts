import type { Clock } from '../../../firmware-protocol/clock.js';
import type { Answer, Command, CommandName, Event } from '../../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import type { Port } from '../../../firmware-protocol/port.js';
import { Connection } from '../../driver/connection.js';
import { HELLO_TIMEOUT_MS, newNonce } from '../../driver/hello.js';
import { SILENT_LOGGER } from '../../driver/logger.js';
import { type OpenedSession, openSession } from '../../driver/open-session.js';
import { RunKeeper } from '../../driver/run-keeper.js';
import { RunStream } from '../../driver/run-stream.js';
import { Stopper } from '../../driver/stopper.js';
import { SYSTEM_CLOCK } from '../../driver/system-clock.js';
import { WRITE_OVERHEAD_BYTES, WRITE_PLACE } from '../../driver/upload.js';
import { ThermolinkError } from '../../errors.js';
import type { FieldValue } from '../trace-message.js';
import { RunRecord } from './run-samples.js';

type Fields = Readonly<Record<string, FieldValue>>;

/** The answer of the board: its fields, or the reason of a refusal. */
export type Reply =
  | { readonly kind: 'answer'; readonly fields: Fields }
  | { readonly kind: 'refusal'; readonly fields: Fields };

/** A board run on the other board. */
export interface OtherRun {
  readonly samples: RunRecord;
  /** The fields of `runEnded`, when it has arrived. */
  readonly ended: Promise<Event<'runEnded'>>;
  /** Resolves when every sample that was sent has arrived. */
  readonly read: Promise<void>;
  /** Resolves when `samples` samples have arrived, or when the run has ended. */
  reached(samples: number): Promise<void>;
}

/** Longest wait for an answer. The wait is long, because the board may compute a run first. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * The board that a recorded session is compared with. It gets the commands of the trace. The parts of the
 * link (session, acknowledgements, credits, keep-alives, size of frames) are those of the new session.
 */
export class OtherBoard {
  readonly #connection: Connection;
  readonly #signal: AbortSignal | undefined;
  readonly #stopper: Stopper;
  readonly #runs: RunKeeper;
  readonly #endings = new Map<number, (report: Event<'runEnded'>) => void>();
  #nonce: Uint8Array = new Uint8Array(8);

  constructor(
    port: Port,
    { clock = SYSTEM_CLOCK, signal }: { clock?: Clock; signal?: AbortSignal | undefined },
  ) {
    const connection = new Connection(port, clock);
    const runs = new RunKeeper(connection, SILENT_LOGGER);
    this.#connection = connection;
    this.#signal = signal;
    this.#runs = runs;
    this.#stopper = new Stopper(connection, () => this.#nonce);
    connection.events = {
      sampleBlock: (block) => runs.takeBlock(block),
      blocksSent: (position) => runs.takePosition(position),
      runEnded: (report) => {
        // The lists are copied, because they lie in the frame, which is valid only during this call.
        const { overloadedCells, overloadedRows } = report;
        this.#endings.get(report.runId)?.({
          ...report,
          overloadedCells: overloadedCells.slice(),
          overloadedRows: overloadedRows.slice(),
        });
        runs.takeReport(report);
      },
      failed: (error) => runs.fail(error),
    };
  }

  get name(): string {
    return this.#connection.port.name;
  }

  /** Opens a new session. Errors: those of `openSession`. */
  async open(): Promise<OpenedSession> {
    const session = await openSession(this.#connection, newNonce(), {
      timeoutMs: HELLO_TIMEOUT_MS,
      signal: this.#signal,
    });
    this.#nonce = session.nonce;
    this.#stopper.beginSession();
    this.#connection.openSession(session.nonce, session.limits);
    return session;
  }

  /** Sends a command. A refusal is a reply. Errors: those of the link. */
  async send(name: CommandName, fields: Fields): Promise<Reply> {
    const parts = this.#partsOf(name, fields);
    let reply: Reply = { kind: 'answer', fields: {} };
    const replies = await Promise.all(parts.map((part) => this.#request(name, part)));
    for (const each of replies) if (reply.kind === 'answer') reply = each;
    return reply;
  }

  /** Sends stop, and repeats it until the board answers. Errors: those of the link. */
  stop(): Promise<void> {
    return this.#stopper.stop({ timeoutMs: REQUEST_TIMEOUT_MS, signal: this.#signal });
  }

  /**
   * Sends nothing until the run has ended, like a host that has stopped. Waits at most `timeoutMs`. Returns
   * whether the run has ended. Errors: those of the link.
   */
  async fallSilent({ ended }: OtherRun, timeoutMs: number): Promise<boolean> {
    const connection = this.#connection;
    this.#runs.stopFeeding();
    connection.detach();
    let cancel: () => void = () => undefined;
    const late = new Promise<false>((resolve) => {
      cancel = connection.clock.schedule(timeoutMs, () => resolve(false));
    });
    try {
      return await Promise.race([ended.then(() => true), late]);
    } finally {
      cancel();
      connection.reattach();
    }
  }

  /** Starts a run of a program with `cells` cells. Errors: those of the link. */
  async start(fields: Command<'start'>, cells: number): Promise<{ reply: Reply; run?: OtherRun }> {
    let run: OtherRun | undefined;
    const reply = await this.#request('start', fields, ({ runId }) => {
      run = this.#follow(runId, fields, cells);
    });
    return run ? { reply, run } : { reply };
  }

  async close(): Promise<void> {
    if (!this.#runs.isEmpty && !this.#connection.failure)
      await this.#stopper.stop({ timeoutMs: 500 }).catch(() => undefined);
    this.#connection.fail(new ThermolinkError('ABORTED', 'The verification has ended.'));
    await this.#connection.port.close().catch(() => undefined);
  }

  #follow(runId: number, fields: Command<'start'>, cells: number): OtherRun {
    const stream = new RunStream(this.#connection, runId, cells, fields.keepBlocks, {
      ...fields,
      signal: this.#signal,
      keepState: false,
      onOverload: 'mark',
      onNoCredit: 'lose',
      onLoss: fields.keepBlocks > 0 ? 'reRequest' : 'mark',
    });
    const samples = new RunRecord(cells);
    const waiting: { readonly samples: number; readonly resolve: () => void }[] = [];
    let isRead = false;
    const wake = (): void => {
      for (const wait of waiting.splice(0))
        if (isRead || samples.samples >= wait.samples) wait.resolve();
        else waiting.push(wait);
    };
    const ended = new Promise<Event<'runEnded'>>((resolve, reject) => {
      this.#endings.set(runId, (report) => {
        this.#endings.delete(runId);
        resolve(report);
      });
      stream.finished.catch(reject);
    });
    ended.catch(() => undefined);
    this.#runs.add(stream, fields.watchdogMs);
    const read = (async () => {
      try {
        for await (const block of stream.blocks) {
          samples.take(block);
          wake();
        }
      } finally {
        isRead = true;
        wake();
      }
    })();
    read.catch(() => undefined);
    const reached = (count: number): Promise<void> =>
      new Promise((resolve) => {
        waiting.push({ samples: count, resolve });
        wake();
      });
    return { samples, ended, read, reached };
  }

  async #request<N extends CommandName>(
    name: N,
    fields: Fields,
    onAnswer?: (answer: Answer<N>) => void,
  ): Promise<Reply> {
    try {
      const answer = await this.#connection.request(name, fields as unknown as Command<N>, {
        timeoutMs: REQUEST_TIMEOUT_MS,
        signal: this.#signal,
        onAnswer,
      });
      return { kind: 'answer', fields: answer as unknown as Fields };
    } catch (error) {
      const reason = error instanceof ThermolinkError ? error.data?.['reason'] : undefined;
      if (typeof reason !== 'string' || !(reason in REFUSAL)) throw error;
      return { kind: 'refusal', fields: { reason: REFUSAL[reason as keyof typeof REFUSAL] } };
    }
  }

  /** Splits a long write into commands that fit into the frames of this session. */
  #partsOf(name: CommandName, fields: Fields): Fields[] {
    const { codes } = fields;
    const place = (WRITE_PLACE as Readonly<Record<string, string>>)[name];
    const room = this.#connection.link.payloadBytesMax - WRITE_OVERHEAD_BYTES;
    if (place === undefined || !(codes instanceof Uint8Array) || codes.length <= room) return [fields];
    const bytesPerCode = name === 'writeCouplings' ? this.#couplingBytes : 2;
    const step = Math.floor(room / bytesPerCode) * bytesPerCode;
    const parts: Fields[] = [];
    for (let from = 0; from < codes.length; from += step)
      parts.push({
        ...fields,
        [place]: (fields[place] as number) + from / bytesPerCode,
        codes: codes.subarray(from, from + step),
      });
    return parts;
  }

  #couplingBytes = 2;

  /**
   * Records the coupling bits of a program, which decide whether a coupling takes one byte or two in a frame.
   */
  noteCouplingBits(bits: number): void {
    this.#couplingBytes = bits <= 8 ? 1 : 2;
  }
}
