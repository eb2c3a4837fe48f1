import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { crc32 } from '../../firmware-protocol/crc.js';
import { ThermolinkError } from '../errors.js';
import { BadRecord, RecordCursor } from './record-cursor.js';

/** The first and the last bytes of every MCAP file. */
const MAGIC = Uint8Array.of(0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a);
/** The byte at which the first record of a file begins. */
export const MCAP_BEGIN = MAGIC.length;
/** Opcode and length of a record. */
const RECORD_HEAD_BYTES = 9;
/** Longest record that is read into memory, and longest content of a compressed chunk. */
export const RECORD_BYTES_MAX = 64 * 1024 * 1024;
/** Largest number of channels of a file. */
const CHANNELS_MAX = 65_535;

/** The opcodes of the records that are read (https://mcap.dev/spec, "Records"). */
export const MCAP_OPCODE = {
  header: 0x01,
  footer: 0x02,
  schema: 0x03,
  channel: 0x04,
  message: 0x05,
  chunk: 0x06,
  messageIndex: 0x07,
  attachment: 0x09,
  metadata: 0x0c,
  dataEnd: 0x0f,
} as const;

/** A fault of a file, for `trace doctor`. */
export interface FileFinding {
  readonly kind: 'noEnd' | 'truncatedRecord' | 'badRecord' | 'badChunk' | 'badAttachment';
  /** Position in the file, in bytes. */
  readonly offset: number;
  /** Number of bytes of the file that are lost. */
  readonly bytesLost: number;
  /** A sentence for people. */
  readonly problem: string;
}

/** A record that is not inside a chunk. Its content is not read yet. */
export interface TopRecord {
  readonly opcode: number;
  /** Position of the content in the file. */
  readonly offset: number;
  readonly length: number;
}

export interface McapChannel {
  readonly id: number;
  readonly schemaId: number;
  readonly topic: string;
  readonly messageEncoding: string;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface McapMessage {
  readonly channel: McapChannel;
  readonly logTime: bigint;
  /** Valid until the next message is read. */
  readonly data: Uint8Array;
}

/**
 * Reads an MCAP file front to back with bounded memory: at most one record at a time, of at most
 * RECORD_BYTES_MAX. The file is untrusted input: all its claims are checked. A fault becomes a finding. If
 * the length of the faulty record is known, reading continues after it.
 *
 * Errors: BAD_FILE for a file that can't be opened, is not an MCAP file, or uses a compression that Node does
 * not support.
 */
export class McapReader {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;
  #open = true;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'r');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw this.#bad(`can't be read: ${why}`, { cause, hint: 'Check the path.' });
    }
    try {
      const stat = fstatSync(this.#descriptor);
      if (!stat.isFile())
        throw this.#bad('is not a regular file', { hint: 'Name the file of the recording.' });
      this.size = stat.size;
      const magic = this.#read(0, Math.min(MAGIC.length, this.size));
      if (!sameBytes(magic, MAGIC))
        throw this.#bad(this.size === 0 ? 'is empty' : 'is not an MCAP file', {
          hint: 'Name a recorded session (MCAP).',
        });
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  /** The records outside of chunks, up to the end of the data. `from` must be the beginning of a record. */
  *records(found: (finding: FileFinding) => void = () => undefined, from = MCAP_BEGIN): Generator<TopRecord> {
    let at = from;
    while (at + RECORD_HEAD_BYTES <= this.size) {
      const head = this.#read(at, RECORD_HEAD_BYTES);
      const opcode = head[0];
      const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(1, true));
      const offset = at + RECORD_HEAD_BYTES;
      if (offset + length > this.size) {
        const bytesLost = this.size - at;
        const problem = `the record at byte ${at} claims ${length} bytes and the file ends after ${this.size - offset}`;
        found({ kind: 'truncatedRecord', offset: at, bytesLost, problem });
        return;
      }
      if (opcode === MCAP_OPCODE.dataEnd) {
        this.#checkEnd(found);
        return;
      }
      if (opcode === MCAP_OPCODE.footer) return;
      yield { opcode, offset, length };
      at = offset + length;
    }
    if (at < this.size)
      found({
        kind: 'truncatedRecord',
        offset: at,
        bytesLost: this.size - at,
        problem: `${this.size - at} bytes at the end are not a record`,
      });
    else found({ kind: 'noEnd', offset: at, bytesLost: 0, problem: 'the recording was not closed' });
  }

  #checkEnd(found: (finding: FileFinding) => void): void {
    const tail = this.#read(this.size - MAGIC.length, MAGIC.length);
    if (sameBytes(tail, MAGIC)) return;
    found({ kind: 'noEnd', offset: this.size, bytesLost: 0, problem: 'the index at the end is cut off' });
  }

  /** The content of a record. Errors: `BadRecord` for a record that is too long. */
  content({ offset, length }: TopRecord): Uint8Array {
    if (length > RECORD_BYTES_MAX)
      throw new BadRecord(`is ${length} bytes long, more than ${RECORD_BYTES_MAX}`);
    return this.#read(offset, length);
  }

  /** The messages of the file in order, from a record on. Unreadable parts are reported and skipped. */
  *messages(
    found: (finding: FileFinding) => void = () => undefined,
    from = MCAP_BEGIN,
  ): Generator<McapMessage> {
    const channels = new Map<number, McapChannel>();
    for (const record of this.records(found, from)) {
      try {
        if (record.opcode === MCAP_OPCODE.channel) noteChannel(channels, this.content(record));
        else if (record.opcode === MCAP_OPCODE.message) yield messageOf(channels, this.content(record));
        else if (record.opcode === MCAP_OPCODE.chunk)
          yield* chunkMessages(channels, this.#chunkRecords(this.content(record)));
      } catch (error) {
        if (!(error instanceof BadRecord)) throw error;
        const kind = record.opcode === MCAP_OPCODE.chunk ? 'badChunk' : 'badRecord';
        const problem = `the ${kind === 'badChunk' ? 'chunk' : 'record'} at byte ${record.offset} ${error.message}`;
        found({ kind, offset: record.offset, bytesLost: record.length, problem });
      }
    }
  }

  /** The records inside a chunk, decompressed and checked. */
  #chunkRecords(content: Uint8Array): Uint8Array {
    const cursor = new RecordCursor(content);
    cursor.u64();
    cursor.u64();
    const size = cursor.size();
    const crc = cursor.u32();
    const compression = cursor.text();
    const stored = cursor.bytes(cursor.size());
    const records = this.#decompressed(compression, stored, size);
    if (records.length !== size) throw new BadRecord(`holds ${records.length} bytes and claims ${size}`);
    if (crc !== 0 && crc !== crc32(records)) throw new BadRecord('has a wrong checksum');
    return records;
  }

  #decompressed(compression: string, stored: Uint8Array, size: number): Uint8Array {
    if (compression === '') return stored;
    if (size > RECORD_BYTES_MAX) throw new BadRecord(`claims ${size} bytes, more than ${RECORD_BYTES_MAX}`);
    // Node supports zstd from version 22.15 on.
    const { zstdDecompressSync } = zlib as {
      zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
    };
    if (compression !== 'zstd' || !zstdDecompressSync)
      throw this.#bad(
        `is compressed by ${JSON.stringify(compression.slice(0, 32))}, which this version of Node does not support`,
        { hint: 'Write it again without compression, for example by the `mcap` tool.' },
      );
    try {
      return zstdDecompressSync(stored, { maxOutputLength: Math.max(1, size) });
    } catch {
      throw new BadRecord('cannot be decompressed');
    }
  }

  #read(from: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#descriptor, bytes, done, length - done, from + done);
      if (count === 0)
        throw this.#bad('became shorter while it was read', { hint: 'Another program changes it.' });
      done += count;
    }
    return bytes;
  }

  #bad(problem: string, { cause, hint }: { readonly cause?: unknown; readonly hint: string }) {
    return new ThermolinkError('BAD_FILE', `${this.path} ${problem}.`, {
      cause,
      hint,
      data: { file: this.path },
    });
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function noteChannel(channels: Map<number, McapChannel>, content: Uint8Array): void {
  const cursor = new RecordCursor(content);
  const channel = {
    id: cursor.u16(),
    schemaId: cursor.u16(),
    topic: cursor.text(),
    messageEncoding: cursor.text(),
    metadata: cursor.textMap(),
  };
  if (channels.size >= CHANNELS_MAX) throw new BadRecord('exceeds the largest number of channels');
  channels.set(channel.id, channel);
}

function messageOf(channels: ReadonlyMap<number, McapChannel>, content: Uint8Array): McapMessage {
  const cursor = new RecordCursor(content);
  const id = cursor.u16();
  cursor.u32();
  const logTime = cursor.u64();
  cursor.u64();
  const channel = channels.get(id);
  if (!channel) throw new BadRecord(`has a message of channel ${id}, which is not described`);
  return { channel, logTime, data: cursor.bytes(cursor.left) };
}

function* chunkMessages(channels: Map<number, McapChannel>, records: Uint8Array): Generator<McapMessage> {
  const cursor = new RecordCursor(records);
  while (cursor.left > 0) {
    const opcode = cursor.u8();
    const content = cursor.bytes(cursor.size());
    if (opcode === MCAP_OPCODE.channel) noteChannel(channels, content);
    else if (opcode === MCAP_OPCODE.message) yield messageOf(channels, content);
    else if (opcode === MCAP_OPCODE.chunk) throw new BadRecord('holds another chunk');
  }
}
