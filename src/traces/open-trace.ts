import { ThermolinkError } from '../errors.js';
import { LinkDecoder } from './link-decoder.js';
import {
  type FileFinding,
  MCAP_OPCODE,
  type McapChannel,
  type McapMessage,
  McapReader,
  type TopRecord,
} from './mcap-reader.js';
import { BadRecord, RecordCursor } from './record-cursor.js';
import type { LinkChunk, LinkFindings, TraceMessage } from './trace-message.js';

/** Largest number of attachments and metadata records of a trace together. */
const PARTS_MAX = 256;
/** Longest attachment that is read, in bytes. */
const ATTACHMENT_BYTES_MAX = 16 * 1024 * 1024;

/** A file inside a trace. */
export interface TraceAttachment {
  /** A plain file name: no folder, no control characters, at most 128 characters. */
  readonly name: string;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
  /** Reads the content. Errors: BAD_FILE. */
  read(): Uint8Array;
}

/** A recorded session, open for reading. Each iteration starts at the beginning. */
export interface Trace {
  readonly path: string;
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Facts about the recording by the name of their record: versions, seeds, the device. */
  readonly metadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly attachments: readonly TraceAttachment[];
  /** Faults of the file, in the parts that were read so far. */
  readonly findings: readonly FileFinding[];
  /** Findings of the link in the last complete iteration of `messages`. */
  readonly link: LinkFindings | undefined;
  /**
   * The bytes that passed the ports, in order of time. A chunk is valid until the next one is read. Errors:
   * BAD_FILE for a file without a link, with a compression that Node does not support, or that changed during
   * reading.
   */
  chunks(): Iterable<LinkChunk>;
  /** The messages in causal order, decoded from the bytes. Errors: those of `chunks`. */
  messages(): Iterable<TraceMessage>;
  /** Closes the file. Errors: none. */
  close(): void;
}

/**
 * Opens a recorded session. A recording that was cut off is read up to its end, and a damaged part is
 * skipped. `findings` reports both. Errors: BAD_FILE if the file is not an MCAP file, can't be read, uses a
 * compression that Node does not support, or holds no link.
 */
export function openTrace(path: string): Promise<Trace> {
  return new Promise((resolve) => resolve(new TraceFile(path)));
}

class TraceFile implements Trace {
  readonly path: string;
  readonly bytes: number;
  readonly metadata = new Map<string, ReadonlyMap<string, string>>();
  readonly attachments: TraceAttachment[] = [];
  readonly #reader: McapReader;
  readonly #findings = new Map<string, FileFinding>();
  link: LinkFindings | undefined;

  constructor(path: string) {
    this.path = path;
    this.#reader = new McapReader(path);
    this.bytes = this.#reader.size;
    try {
      for (const record of this.#reader.records(this.#found)) this.#notePart(record);
    } catch (error) {
      this.#reader.close();
      throw error;
    }
  }

  get findings(): readonly FileFinding[] {
    return [...this.#findings.values()];
  }

  readonly #found = (finding: FileFinding): void => {
    this.#findings.set(`${finding.kind} ${finding.offset}`, finding);
  };

  #notePart(record: TopRecord): void {
    const { opcode, offset, length } = record;
    if (opcode !== MCAP_OPCODE.attachment && opcode !== MCAP_OPCODE.metadata) return;
    try {
      if (this.attachments.length + this.metadata.size >= PARTS_MAX)
        throw new BadRecord(
          `is one too many: a trace has at most ${PARTS_MAX} attachments and metadata records`,
        );
      if (length > ATTACHMENT_BYTES_MAX) throw new BadRecord(`is ${length} bytes long`);
      const cursor = new RecordCursor(this.#reader.content(record));
      if (opcode === MCAP_OPCODE.metadata) {
        this.metadata.set(cursor.text(), cursor.textMap());
        return;
      }
      this.attachments.push(this.#attachment(record, cursor));
    } catch (error) {
      if (!(error instanceof BadRecord)) throw error;
      const what = opcode === MCAP_OPCODE.metadata ? 'metadata' : 'attachment';
      this.#found({
        kind: 'badAttachment',
        offset,
        bytesLost: length,
        problem: `the ${what} at byte ${offset} ${error.message}`,
      });
    }
  }

  #attachment(record: TopRecord, cursor: RecordCursor): TraceAttachment {
    cursor.u64();
    cursor.u64();
    const name = cursor.text();
    const mediaType = cursor.text();
    if (!isPlainName(name))
      throw new BadRecord(`has a name that is not a plain file name: ${JSON.stringify(name.slice(0, 80))}`);
    const { length: size } = cursor.bytes(cursor.size());
    const read = (): Uint8Array => {
      const again = new RecordCursor(this.#reader.content(record));
      again.bytes(16);
      again.text();
      again.text();
      again.u64();
      return again.bytes(size);
    };
    return { name, mediaType, size, read };
  }

  *chunks(): Generator<LinkChunk> {
    let isLink = false;
    for (const chunk of linkChunks(this.#reader.messages(this.#found))) {
      isLink = true;
      yield chunk;
    }
    if (isLink) return;
    const [fault] = this.findings;
    throw new ThermolinkError(
      'BAD_FILE',
      `${this.path} holds no recorded link${fault ? `: ${fault.problem}` : ''}.`,
      {
        hint: fault
          ? 'Wait until its first bytes are written, or record the session again.'
          : 'Record one, for example by `thermolink ping --record session.mcap`.',
        data: { file: this.path },
      },
    );
  }

  *messages(): Generator<TraceMessage> {
    const decoder = new LinkDecoder();
    let ready: TraceMessage[] = [];
    for (const chunk of this.chunks()) {
      decoder.push(chunk, (message) => ready.push(message));
      yield* ready;
      ready = [];
    }
    this.link = decoder.findings;
  }

  close(): void {
    this.#reader.close();
  }
}

type LinkEnd = Pick<LinkChunk, 'direction' | 'connection' | 'side' | 'port'>;

/** The bytes of ports among the messages of a file. A chunk is valid until the next one is read. */
export function* linkChunks(messages: Iterable<McapMessage>): Generator<LinkChunk> {
  const links = new Map<McapChannel, LinkEnd | undefined>();
  let timeNs = 0n;
  for (const { channel, logTime, data } of messages) {
    if (!links.has(channel)) links.set(channel, linkOf(channel));
    const link = links.get(channel);
    if (!link) continue;
    if (logTime > timeNs) timeNs = logTime;
    yield { hostTimeNs: timeNs, ...link, bytes: data };
  }
}

/** The port and the side of a channel; undefined for a channel of another kind. */
function linkOf({ topic, metadata }: McapChannel): LinkEnd | undefined {
  const direction = { '/link/to_device': 'toDevice', '/link/to_host': 'toHost' }[topic] as
    | LinkChunk['direction']
    | undefined;
  const connection = Number(metadata.get('connection') ?? 1);
  const side = metadata.get('side') === 'device' ? 'device' : 'host';
  const port = metadata.get('port') ?? 'recorded';
  return direction && Number.isSafeInteger(connection) ? { direction, connection, side, port } : undefined;
}

/** Whether a name means a file in the present folder on every system. */
function isPlainName(name: string): boolean {
  return /^[^\p{Cc}/\\:*?"<>|]{1,128}$/u.test(name) && !/^\.|[. ]$/.test(name);
}
