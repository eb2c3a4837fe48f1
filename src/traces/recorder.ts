import type { Clock } from '../../firmware-protocol/clock.js';
import type { Direction } from '../../firmware-protocol/message-table.js';
import type { Port } from '../../firmware-protocol/port.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { ThermolinkError } from '../errors.js';
import type { WritePart } from '../files/replace-file.js';
import { McapFile } from './mcap-file.js';
import type { SampleDetail } from './message-json.js';
import { TappedPort } from './tapped-port.js';
import { TraceWriter } from './trace-writer.js';

/** A chunk of the file is closed after this time. */
const CHUNK_MS = 500;
/** Two chunks that events close lie at least this far apart. */
const CHUNK_MS_MIN = 50;
/** After so many ports (reconnects, clients) the recording ends: each takes two channels of the file. */
export const CONNECTIONS_RECORDED_MAX = 10_000;

/** So many identities are attached at most. */
const IDENTITIES_MAX = 100;

/** A file that a recording takes along. */
export interface RecordedFile {
  /** A plain file name, such as `calibration.json`. */
  readonly name: string;
  /** For example `application/json`. */
  readonly mediaType: string;
  /** At most 16 MiB: readers refuse longer ones. */
  readonly data: Uint8Array | string;
}

/** How a session is recorded. */
export interface RecordOptions {
  /** The file. It must not exist. */
  readonly file: string;
  /** Whether messages are written as JSON beside the bytes. Default true. */
  readonly messages?: boolean;
  /** What the JSON of a sample block holds beside its header; the raw bytes hold everything. */
  readonly samples?: SampleDetail;
  /** What else belongs to the session, as attachments: the calibration that the program uses. */
  readonly attachments?: readonly RecordedFile[];
  /** Called once when the recording ends early, for example on a full disk. The experiment goes on. */
  readonly onWarning?: (error: ThermolinkError) => void;
  /** Default: the machine's clock, from the time of day on. With a clock of the caller time begins at 0. */
  readonly clock?: Clock;
}

/**
 * Records what passes ports into an MCAP file (docs/reference/traces.md): the bytes of both directions, and
 * the messages in them as JSON. It only listens. When writing fails, the recording ends with a warning and
 * the ports go on. Errors: BAD_FILE from the constructor.
 */
export class Recorder {
  readonly file: string;
  readonly #mcap: McapFile;
  readonly #clock: Clock;
  readonly #wallStartNs: bigint;
  readonly #clockStartMs: number;
  readonly #writer: TraceWriter;
  readonly #onWarning: (error: ThermolinkError) => void;
  #connections = 0;
  #identities = 0;
  #lastClosedMs = 0;
  #cancelTimer: (() => void) | undefined;
  /** When the timer fires, in ms of the clock. */
  #timerDueMs = Infinity;
  #ended = false;

  constructor(
    {
      file,
      messages = true,
      samples = {},
      attachments = [],
      onWarning = () => undefined,
      clock,
    }: RecordOptions,
    { write }: { readonly write?: WritePart } = {},
  ) {
    this.file = file;
    this.#onWarning = onWarning;
    this.#clock = clock ?? SYSTEM_CLOCK;
    this.#clockStartMs = this.#clock.nowMs();
    this.#wallStartNs = clock ? 0n : BigInt(Date.now()) * 1_000_000n;
    this.#mcap = new McapFile(file, write ? { write } : {});
    this.#writer = new TraceWriter(this.#mcap, messages ? samples : undefined, (json) =>
      this.#attachIdentity(json),
    );
    this.#guard(() =>
      this.#mcap.addMetadata('thermolink', {
        format: '1',
        protocol: `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}`,
        tableHash: Buffer.from(TABLE_HASH).toString('hex'),
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
      }),
    );
    for (const { name, mediaType, data } of attachments) this.attach(name, mediaType, data);
  }

  /** Whether nothing is recorded any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * A port that passes everything on and is recorded. `side`: whether the port is the host's end (what it
   * writes goes to the device) or the device's.
   */
  tap(port: Port, side: 'host' | 'device' = 'host'): Port {
    if (this.#ended) return port;
    if (this.#connections >= CONNECTIONS_RECORDED_MAX) {
      this.#stop(new Error(`more than ${CONNECTIONS_RECORDED_MAX} ports were opened`));
      return port;
    }
    const connection = ++this.#connections;
    this.#writer.addConnection(connection, port.name, side);
    const [written, received]: Direction[] =
      side === 'host' ? ['toDevice', 'toHost'] : ['toHost', 'toDevice'];
    return new TappedPort(port, {
      wrote: (bytes) => this.#take(written, connection, bytes, true),
      received: (bytes) => this.#take(received, connection, bytes, false),
      closed: () => this.#closeChunkSoon(),
    });
  }

  /** Writes facts about the session. Errors: none; a failure ends the recording with a warning. */
  addMetadata(name: string, facts: Readonly<Record<string, string>>): void {
    this.#guard(() => this.#mcap.addMetadata(name, facts));
  }

  /** Attaches a file: a profile, a calibration. Errors: none. */
  attach(name: string, mediaType: string, data: Uint8Array | string): void {
    const logTime = this.#nowNs();
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.#guard(() => this.#mcap.attach({ name, mediaType, logTime, createTime: logTime, data: bytes }));
  }

  /** Writes what is left and the end of the file. Errors: none; a failure is a warning. */
  close(): Promise<void> {
    this.#cancelTimer?.();
    this.#guard(() => this.#mcap.finish());
    this.#ended = true;
    return Promise.resolve();
  }

  #nowNs(): bigint {
    return this.#wallStartNs + BigInt(Math.round((this.#clock.nowMs() - this.#clockStartMs) * 1e6));
  }

  #take(direction: Direction, connection: number, bytes: Uint8Array, own: boolean): void {
    if (this.#ended || bytes.length === 0) return;
    const hostTimeNs = this.#nowNs();
    this.#guard(() => {
      if (this.#writer.add({ hostTimeNs, direction, connection, bytes }, own)) this.#closeChunkSoon();
      else this.#closeChunkBy(CHUNK_MS);
    });
  }

  /** The identity of the board, and again at each session. */
  #attachIdentity(json: string): void {
    const name = this.#identities === 0 ? 'identity.json' : `identity-${this.#identities + 1}.json`;
    if (this.#identities++ < IDENTITIES_MAX) this.attach(name, 'application/json', json);
  }

  /** Closes the open chunk at once, or as soon as the last one was closed CHUNK_MS_MIN ago. */
  #closeChunkSoon(): void {
    const sinceMs = this.#clock.nowMs() - this.#lastClosedMs;
    if (sinceMs >= CHUNK_MS_MIN) this.#closeChunk();
    else this.#closeChunkBy(CHUNK_MS_MIN - sinceMs);
  }

  #closeChunkBy(delayMs: number): void {
    if (this.#mcap.pendingBytes === 0) return;
    const dueMs = this.#clock.nowMs() + delayMs;
    if (this.#timerDueMs <= dueMs) {
      // The timer is late where the thread computes without a pause.
      if (this.#clock.nowMs() > this.#timerDueMs) this.#closeChunk();
      return;
    }
    this.#cancelTimer?.();
    this.#timerDueMs = dueMs;
    this.#cancelTimer = this.#clock.schedule(delayMs, () => this.#closeChunk());
  }

  #closeChunk(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerDueMs = Infinity;
    this.#lastClosedMs = this.#clock.nowMs();
    this.#guard(() => this.#mcap.closeChunk());
  }

  #guard(write: () => void): void {
    if (this.#ended) return;
    try {
      write();
    } catch (error) {
      this.#stop(error);
    }
  }

  #stop(cause: unknown): void {
    this.#ended = true;
    this.#cancelTimer?.();
    this.#mcap.abandon();
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#onWarning(
      new ThermolinkError('BAD_FILE', `The recording ${this.file} ends here: ${reason}.`, {
        cause,
        hint: 'What was recorded before is readable; make room for the next recording.',
        data: { file: this.file, bytes: this.#mcap.size },
      }),
    );
  }
}
