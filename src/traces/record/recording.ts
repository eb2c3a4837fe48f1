import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { WritePart } from '../../files/replace-file.js';
import { McapFile } from '../mcap-file.js';
import type { SampleDetail } from '../sample-detail.js';
import { TraceWriter } from '../trace-writer.js';

/** A chunk of the file is closed after this time. */
const CHUNK_MS = 500;
/** Two chunks that events close lie at least this far apart. */
const CHUNK_MS_MIN = 50;
/** Largest number of identities that are attached. */
const IDENTITIES_MAX = 100;

/** A note to a recording, beside the bytes of ports. The data of an attachment follow the note. */
export type Note =
  | {
      readonly kind: 'connection';
      readonly connection: number;
      readonly port: string;
      readonly side: 'host' | 'device';
    }
  | { readonly kind: 'portClosed' }
  | { readonly kind: 'metadata'; readonly name: string; readonly facts: Readonly<Record<string, string>> }
  | { readonly kind: 'attachment'; readonly name: string; readonly mediaType: string }
  /** The recording ends here, for a reason that is not a failure of the file. */
  | { readonly kind: 'stop'; readonly reason: string };

/** The tag of notes. The tags of bytes have the number of their connection, from 1, in the upper bits. */
export const NOTE_TAG = 0;
const DIRECTIONS: readonly Direction[] = ['toDevice', 'toHost'];

/** The tag of bytes that passed a port. `own`: this program has written them. */
export function bytesTag(direction: Direction, connection: number, own: boolean): number {
  return connection * 4 + DIRECTIONS.indexOf(direction) * 2 + (own ? 1 : 0);
}

/** Packs a note into the bytes of an entry. */
export function packNote(note: Note, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(note));
  const packed = new Uint8Array(4 + json.length + data.length);
  new DataView(packed.buffer).setUint32(0, json.length, true);
  packed.set(json, 4);
  packed.set(data, 4 + json.length);
  return packed;
}

function unpackNote(packed: Uint8Array): { readonly note: Note; readonly data: Uint8Array } {
  const end = 4 + new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const note: Note = JSON.parse(new TextDecoder().decode(packed.subarray(4, end)));
  return { note, data: packed.subarray(end) };
}

/**
 * The settings of a recording: equal settings and equal entries give equal files. They can be passed to a
 * thread.
 */
export interface RecordingSettings {
  /** Descriptor of a file from `beginMcapFile`. */
  readonly descriptor: number;
  /** Content of the JSON of sample blocks; undefined: no JSON is written. */
  readonly samples: SampleDetail | undefined;
  /** The time of day at the beginning, in ns. */
  readonly startNs: bigint;
}

/** The reason why a recording ended early. */
export interface RecordingFailure {
  readonly reason: string;
  readonly cause?: unknown;
  /** The length of the file, if it is known. */
  readonly fileBytes?: number;
}

/**
 * Writes the bytes of ports to an MCAP file, and closes its chunks in time. It receives bytes and notes as
 * entries (`NOTE_TAG`, `bytesTag`). Errors: none; a failure ends the recording, and is reported once.
 */
export class Recording {
  readonly #mcap: McapFile;
  readonly #writer: TraceWriter;
  readonly #startNs: bigint;
  readonly #nowMs: () => number;
  readonly #onFailure: (failure: RecordingFailure) => void;
  #identities = 0;
  #closedMs = -Infinity;
  #dueMs = Infinity;
  #ended = false;

  constructor(
    { descriptor, samples, startNs }: RecordingSettings,
    nowMs: () => number,
    onFailure: (failure: RecordingFailure) => void,
    write?: WritePart,
  ) {
    this.#startNs = startNs;
    this.#nowMs = nowMs;
    this.#onFailure = onFailure;
    this.#mcap = new McapFile(descriptor, write ? { write } : {});
    this.#writer = new TraceWriter(this.#mcap, samples, (json, timeNs) => this.#attachIdentity(json, timeNs));
  }

  /** Time at which the open chunk must be closed, in ms of the clock. Infinity if no data wait. */
  get dueMs(): number {
    return this.#dueMs;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Takes an entry. `elapsedNs` is the time since the beginning. The bytes are not kept. */
  take(tag: number, elapsedNs: number, bytes: Uint8Array): void {
    this.#guard(() => {
      const timeNs = this.#startNs + BigInt(elapsedNs);
      if (tag === NOTE_TAG) this.#takeNote(unpackNote(bytes), timeNs);
      else this.#takeBytes(tag, timeNs, bytes);
      this.closeWhenDue();
    });
  }

  /** Closes the open chunk if its time has come. */
  closeWhenDue(): void {
    if (this.#dueMs !== Infinity && this.#nowMs() >= this.#dueMs) this.closeChunk();
  }

  /** Closes the open chunk and writes it. */
  closeChunk(): void {
    this.#dueMs = Infinity;
    this.#closedMs = this.#nowMs();
    this.#guard(() => this.#mcap.closeChunk());
  }

  /** Writes the remaining data and the end of the file. */
  finish(): void {
    this.#guard(() => this.#mcap.finish());
    this.#ended = true;
    this.#dueMs = Infinity;
  }

  #takeBytes(tag: number, hostTimeNs: bigint, bytes: Uint8Array): void {
    const chunk = { hostTimeNs, direction: DIRECTIONS[(tag >> 1) & 1], connection: tag >> 2, bytes };
    if (this.#writer.add(chunk, (tag & 1) === 1)) this.#closeSoon();
    else this.#closeBy(this.#nowMs() + CHUNK_MS);
  }

  #takeNote({ note, data }: ReturnType<typeof unpackNote>, timeNs: bigint): void {
    switch (note.kind) {
      case 'connection':
        this.#writer.addConnection(note.connection, note.port, note.side);
        break;
      case 'portClosed':
        this.#closeSoon();
        break;
      case 'metadata':
        this.#mcap.addMetadata(note.name, note.facts);
        break;
      case 'attachment':
        this.#attach(note.name, note.mediaType, data, timeNs);
        break;
      case 'stop':
        this.#mcap.closeChunk();
        throw new Error(note.reason);
    }
  }

  #attach(name: string, mediaType: string, data: Uint8Array, timeNs: bigint): void {
    this.#mcap.attach({ name, mediaType, logTime: timeNs, createTime: timeNs, data });
  }

  /** Attaches the identity of the board, for each session. */
  #attachIdentity(json: string, timeNs: bigint): void {
    const name = this.#identities === 0 ? 'identity.json' : `identity-${this.#identities + 1}.json`;
    if (this.#identities++ < IDENTITIES_MAX)
      this.#attach(name, 'application/json', new TextEncoder().encode(json), timeNs);
  }

  /** Closes the chunk at once, but not earlier than CHUNK_MS_MIN after the last chunk was closed. */
  #closeSoon(): void {
    this.#closeBy(Math.max(this.#nowMs(), this.#closedMs + CHUNK_MS_MIN));
  }

  #closeBy(dueMs: number): void {
    if (this.#mcap.pendingBytes === 0) this.#dueMs = Infinity;
    else this.#dueMs = Math.min(this.#dueMs, dueMs);
  }

  #guard(write: () => void): void {
    if (this.#ended) return;
    try {
      write();
    } catch (cause) {
      this.#ended = true;
      this.#dueMs = Infinity;
      this.#mcap.abandon();
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#onFailure({ reason, cause, fileBytes: this.#mcap.size });
    }
  }
}
