import type { Direction } from '../../firmware-protocol/message-table.js';
import { LinkDecoder } from './link-decoder.js';
import type { McapFile } from './mcap-file.js';
import { messageJson, messageSchemas, topicOf } from './message-json.js';
import { readableFields } from './readable-fields.js';
import type { SampleDetail } from './sample-detail.js';
import type { LinkChunk, TraceMessage } from './trace-message.js';

/**
 * Messages after which a chunk is closed: a change of the state of the board, a failure, and the start or end
 * of a run.
 */
const CLOSING: ReadonlySet<string> = new Set([
  'hello answer',
  'helloRefused event',
  'start answer',
  'runEnded event',
  'commit answer',
  'stop answer',
  'acknowledge answer',
  'reset answer',
  'refusal event',
  'bad bad',
]);

/**
 * Writes bytes, and the messages in them as JSON, in the layout of docs/reference/traces.md. Errors: those of
 * `McapFile`.
 */
export class TraceWriter {
  readonly file: McapFile;
  readonly #detail: SampleDetail | undefined;
  readonly #decoder = new LinkDecoder();
  readonly #schemas = messageSchemas();
  readonly #messageChannels = new Map<string, number>();
  readonly #linkChannels = new Map<number, Record<Direction, number>>();
  readonly #text = new TextEncoder();
  /** Called with the identity of a board, as JSON. */
  readonly #onIdentity: (json: string, timeNs: bigint) => void;

  /** Without `detail` only the bytes are written. */
  constructor(
    file: McapFile,
    detail: SampleDetail | undefined,
    onIdentity: (json: string, timeNs: bigint) => void = () => undefined,
  ) {
    this.file = file;
    this.#detail = detail;
    this.#onIdentity = onIdentity;
  }

  /** Opens the channels of a port. */
  addConnection(connection: number, port: string, side: LinkChunk['side']): void {
    const channel = (direction: Direction, topic: string): number =>
      this.file.addChannel(
        {
          topic,
          messageEncoding: 'thermolink-link',
          metadata: { connection: String(connection), direction, port, side },
        },
        true,
      );
    this.#linkChannels.set(connection, {
      toDevice: channel('toDevice', '/link/to_device'),
      toHost: channel('toHost', '/link/to_host'),
    });
  }

  /** Whether the channels of this port are open. */
  hasConnection(connection: number): boolean {
    return this.#linkChannels.has(connection);
  }

  /**
   * Writes bytes and the messages that they complete. `own`: this program has written them to its port.
   * Returns whether the chunk of the file should be closed.
   */
  add(chunk: Omit<LinkChunk, 'side' | 'port'>, own = false): boolean {
    const { hostTimeNs, direction, connection, bytes } = chunk;
    this.file.addMessage(this.#linkChannels.get(connection)![direction], hostTimeNs, bytes);
    let closes = false;
    this.#decoder.push(
      chunk,
      (message) => {
        this.#addMessage(message);
        closes ||= CLOSING.has(`${message.name} ${message.kind}`);
      },
      { copy: false, own },
    );
    return closes;
  }

  #addMessage(message: TraceMessage): void {
    if (this.#detail) this.#addJson(message, this.#detail);
    if (message.name !== 'hello' || message.kind !== 'answer') return;
    const { nonce: _, ...identity } = readableFields(message);
    this.#onIdentity(`${JSON.stringify(identity, null, 2)}\n`, message.hostTimeNs);
  }

  #addJson(message: TraceMessage, detail: SampleDetail): void {
    const topic = topicOf(message);
    let channel = this.#messageChannels.get(topic);
    if (channel === undefined) {
      const schema = { name: topic.slice(1).replaceAll('/', '.'), json: this.#schemas.get(topic)! };
      channel = this.file.addChannel({ topic, messageEncoding: 'json', schema }, false);
      this.#messageChannels.set(topic, channel);
    }
    this.file.addMessage(channel, message.hostTimeNs, this.#text.encode(messageJson(message, detail)));
  }
}
