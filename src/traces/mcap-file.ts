import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { McapRecordBuilder, type McapTypes, Opcode } from '@mcap/core';
import { ThermolinkError } from '../errors.js';
import { type WritePart, writeWhole } from '../files/replace-file.js';
import { ChunkBuffer } from './chunk-buffer.js';

/** A chunk of the file is closed when it holds this many bytes. */
export const CHUNK_BYTES_MAX = 256 * 1024;
/** Largest size of the index at the end of a file, in memory. A longer recording ends without an index. */
export const INDEX_BYTES_MAX = 16 * 1024 * 1024;

const LIBRARY = 'thermolink';
const NOTHING = new Uint8Array(0);
/** The name of our layout of channels, metadata and attachments (docs/reference/traces.md). */
export const MCAP_PROFILE = 'thermolink';

/** Description of a channel of the file. */
export interface ChannelDescription {
  readonly topic: string;
  readonly messageEncoding: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The JSON schema of its messages. */
  readonly schema?: { readonly name: string; readonly json: object };
}

interface OpenChannel {
  readonly channel: McapTypes.Channel;
  readonly schema: McapTypes.Schema | undefined;
  /** Whether every chunk describes this channel again. Such a chunk can be read alone. */
  readonly everywhere: boolean;
  messages: number;
  /** The number of the chunk that described it last. */
  describedIn: number;
}

/** The first records of every file. */
function firstRecords(): Uint8Array {
  const records = new McapRecordBuilder();
  records.writeMagic();
  records.writeHeader({ profile: MCAP_PROFILE, library: LIBRARY });
  return records.buffer;
}

/** Creates a file that holds only its head. Returns its descriptor. Errors: BAD_FILE. */
export function beginMcapFile(path: string): number {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'wx');
    writeWhole(descriptor, firstRecords());
    return descriptor;
  } catch (cause) {
    if (descriptor !== undefined) {
      closeSync(descriptor);
      rmSync(path, { force: true });
    }
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new ThermolinkError('BAD_FILE', `${path} ${exists ? 'exists already' : "can't be written"}.`, {
      cause,
      hint: exists
        ? 'A recording never replaces a file: name another one, or remove it.'
        : 'Name a file in a directory that you may write to, on a disk with room.',
      data: { file: path },
    });
  }
}

/**
 * Writes an MCAP file chunk by chunk. A closed chunk stays readable, whatever happens afterwards. (The writer
 * of @mcap/core would keep a small session in memory until its end.) Errors: a failed write throws the error
 * of the system, and leaves a file that ends with a whole chunk.
 */
export class McapFile {
  readonly #descriptor: number;
  readonly #write: WritePart;
  readonly #chunk = new ChunkBuffer();
  readonly #records = new McapRecordBuilder();
  /** The index records of the summary, in their final form. */
  readonly #chunkIndexes = new McapRecordBuilder();
  readonly #attachmentIndexes = new McapRecordBuilder();
  readonly #metadataIndexes = new McapRecordBuilder();
  readonly #channels: OpenChannel[] = [];
  #size: number;
  #chunkNumber = 1;
  #chunkBytes = 0;
  #counts = { messages: 0, chunks: 0, attachments: 0, metadata: 0 };
  #startTime: bigint | undefined;
  #endTime = 0n;
  #open = true;

  /** `descriptor` is that of a file from `beginMcapFile`. `finish` and `abandon` close it. */
  constructor(descriptor: number, { write = writeSync }: { readonly write?: WritePart } = {}) {
    this.#descriptor = descriptor;
    this.#write = write;
    this.#size = firstRecords().length;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that are not written yet. */
  get pendingBytes(): number {
    return this.#chunkBytes;
  }

  /** Opens a channel and returns its id. `everywhere`: every chunk that uses it describes it. */
  addChannel(
    { topic, messageEncoding, metadata = {}, schema }: ChannelDescription,
    everywhere: boolean,
  ): number {
    const id = this.#channels.length + 1;
    const schemaId = schema ? id : 0;
    this.#channels.push({
      channel: { id, schemaId, topic, messageEncoding, metadata: new Map(Object.entries(metadata)) },
      schema: schema && {
        id: schemaId,
        name: schema.name,
        encoding: 'jsonschema',
        data: new TextEncoder().encode(JSON.stringify(schema.json)),
      },
      everywhere,
      messages: 0,
      describedIn: 0,
    });
    return id;
  }

  /** Adds a message to the open chunk, and closes the chunk when it is full. */
  addMessage(channelId: number, logTime: bigint, data: Uint8Array): void {
    const open = this.#channels[channelId - 1];
    if (open.describedIn === 0 || (open.everywhere && open.describedIn !== this.#chunkNumber)) {
      if (open.schema) this.#chunk.addSchema(open.schema);
      this.#chunk.addChannel(open.channel);
      open.describedIn = this.#chunkNumber;
    }
    this.#chunk.addMessage(channelId, open.messages++, logTime, data);
    this.#chunkBytes = this.#chunk.byteLength;
    if (this.#chunkBytes >= CHUNK_BYTES_MAX) this.closeChunk();
  }

  /** Writes the open chunk with its index, if it holds anything. */
  closeChunk(): void {
    if (this.#chunk.messageCount === 0) return;
    const { records, startTime: messageStartTime, endTime: messageEndTime } = this.#chunk;
    const size = BigInt(records.length);
    const chunkStartOffset = BigInt(this.#size);
    // The head of a chunk record. The content follows separately, to avoid a copy.
    this.#records.writeChunk({
      messageStartTime,
      messageEndTime,
      uncompressedSize: size,
      uncompressedCrc: crc32(records),
      compression: '',
      records: NOTHING,
    });
    const head = this.#records.buffer;
    this.#records.reset();
    const view = new DataView(head.buffer, head.byteOffset);
    view.setBigUint64(1, BigInt(head.length - 9) + size, true);
    view.setBigUint64(head.length - 8, size, true);
    const chunkLength = BigInt(head.length) + size;
    const messageIndexOffsets = new Map<number, bigint>();
    for (const index of this.#chunk.indexes) {
      messageIndexOffsets.set(index.channelId, chunkStartOffset + chunkLength + BigInt(this.#records.length));
      this.#records.writeMessageIndex(index);
    }
    const messageIndexLength = BigInt(this.#records.length);
    const indexes = this.#records.buffer;
    this.#records.reset();
    this.#append(head, records, indexes);
    this.#counts.messages += this.#chunk.messageCount;
    this.#counts.chunks++;
    if (this.#startTime === undefined || messageStartTime < this.#startTime)
      this.#startTime = messageStartTime;
    if (messageEndTime > this.#endTime) this.#endTime = messageEndTime;
    if (this.#chunkIndexes.length < INDEX_BYTES_MAX)
      this.#chunkIndexes.writeChunkIndex({
        messageStartTime,
        messageEndTime,
        chunkStartOffset,
        chunkLength,
        messageIndexOffsets,
        messageIndexLength,
        compression: '',
        compressedSize: size,
        uncompressedSize: size,
      });
    this.#chunk.reset();
    this.#chunkBytes = 0;
    this.#chunkNumber++;
  }

  /** Writes an attachment at once. */
  attach(attachment: McapTypes.Attachment): void {
    const offset = BigInt(this.#size);
    const length = this.#records.writeAttachment(attachment);
    this.#flush();
    this.#counts.attachments++;
    const { name, mediaType, logTime, createTime, data } = attachment;
    const dataSize = BigInt(data.length);
    this.#attachmentIndexes.writeAttachmentIndex({
      offset,
      length,
      logTime,
      createTime,
      dataSize,
      name,
      mediaType,
    });
  }

  /** Writes a metadata record at once. */
  addMetadata(name: string, metadata: Readonly<Record<string, string>>): void {
    const offset = BigInt(this.#size);
    const length = this.#records.writeMetadata({ name, metadata: new Map(Object.entries(metadata)) });
    this.#flush();
    this.#counts.metadata++;
    this.#metadataIndexes.writeMetadataIndex({ offset, length, name });
  }

  /** Writes the last chunk, the index and the end, and closes the file. */
  finish(): void {
    this.closeChunk();
    this.#records.writeDataEnd({ dataSectionCrc: 0 });
    this.#flush();
    const isIndexed = this.#chunkIndexes.length < INDEX_BYTES_MAX;
    const groups = isIndexed ? this.#summary() : [];
    const summaryStart = isIndexed ? BigInt(this.#size) : 0n;
    let at = BigInt(this.#size);
    for (const { groupOpcode, bytes } of groups) {
      const groupLength = BigInt(bytes.length);
      this.#records.writeSummaryOffset({ groupOpcode, groupStart: at, groupLength });
      at += groupLength;
    }
    this.#records.writeFooter({ summaryStart, summaryOffsetStart: isIndexed ? at : 0n, summaryCrc: 0 });
    const end = Buffer.concat([...groups.map(({ bytes }) => bytes), this.#records.buffer]);
    this.#records.reset();
    // The CRC covers the summary and the footer up to the CRC itself, which is the last field.
    end.writeUInt32LE(crc32(end.subarray(0, end.length - 4)), end.length - 4);
    this.#append(end);
    this.#records.writeMagic();
    this.#flush();
    this.abandon();
  }

  /** Closes the file without an index. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#descriptor);
  }

  /** The groups of the summary that are not empty, in order. */
  #summary(): { readonly groupOpcode: number; readonly bytes: Uint8Array }[] {
    const used = this.#channels.filter(({ messages }) => messages > 0);
    const schemas = new McapRecordBuilder();
    for (const { schema } of used) if (schema) schemas.writeSchema(schema);
    const channels = new McapRecordBuilder();
    for (const { channel } of used) channels.writeChannel(channel);
    const statistics = new McapRecordBuilder();
    statistics.writeStatistics({
      messageCount: BigInt(this.#counts.messages),
      schemaCount: used.filter(({ schema }) => schema).length,
      channelCount: used.length,
      attachmentCount: this.#counts.attachments,
      metadataCount: this.#counts.metadata,
      chunkCount: this.#counts.chunks,
      messageStartTime: this.#startTime ?? 0n,
      messageEndTime: this.#endTime,
      channelMessageCounts: new Map(used.map(({ channel, messages }) => [channel.id, BigInt(messages)])),
    });
    return [
      { groupOpcode: Opcode.SCHEMA, bytes: schemas.buffer },
      { groupOpcode: Opcode.CHANNEL, bytes: channels.buffer },
      { groupOpcode: Opcode.STATISTICS, bytes: statistics.buffer },
      { groupOpcode: Opcode.CHUNK_INDEX, bytes: this.#chunkIndexes.buffer },
      { groupOpcode: Opcode.ATTACHMENT_INDEX, bytes: this.#attachmentIndexes.buffer },
      { groupOpcode: Opcode.METADATA_INDEX, bytes: this.#metadataIndexes.buffer },
    ].filter(({ bytes }) => bytes.length > 0);
  }

  #flush(): void {
    const bytes = this.#records.buffer;
    this.#records.reset();
    this.#append(bytes);
  }

  /** Appends all bytes. After a failure the file has its previous end. */
  #append(...parts: readonly Uint8Array[]): void {
    try {
      for (const part of parts) writeWhole(this.#descriptor, part, this.#write);
    } catch (error) {
      try {
        ftruncateSync(this.#descriptor, this.#size);
      } catch {
        // The file then ends with a part of a record, which readers skip.
      }
      this.abandon();
      throw error;
    }
    for (const part of parts) this.#size += part.length;
  }
}
