import { equalBytes } from '../../firmware-protocol/bytes.js';
import { decodeToDevice, decodeToHost } from '../../firmware-protocol/codec.js';
import { findByte } from '../../firmware-protocol/find-byte.js';
import { CHANNEL, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../firmware-protocol/limits.js';
import type { ChannelName, Direction } from '../../firmware-protocol/message-table.js';
import type { Answer, Command } from '../../firmware-protocol/messages/index.js';
import { HELLO_PURPOSE } from '../../firmware-protocol/messages/system.js';
import { BULK_WIRE_BYTES_MIN, ownBulkFrame } from './own-bulk-frame.js';
import type { FieldValue, LinkChunk, LinkFindings, TraceMessage, TraceSamples } from './trace-message.js';

const CHANNEL_NAMES = Object.keys(CHANNEL) as ChannelName[];

/**
 * Largest number of connections whose unfinished frames are kept. If there is one more, the unfinished frames
 * of the connection with the longest silence are dropped.
 */
const CONNECTIONS_DECODED_MAX = 16;

/** The acknowledgement of a side that has received no command frame. */
const NOTHING_YET = 0xffff;

/** The message without its time and place. */
type Decoded = Pick<TraceMessage, 'kind' | 'name' | 'requestId' | 'fields' | 'samples'>;

/** The frames of one direction of the open session. */
class Lane {
  #expectedSeq = 0;
  #sampleSeq = 0;
  /** Whether a frame after the expected one has arrived. */
  #isBehindGap = false;

  /** Whether the receiver accepts the message of this frame. Go-back-N accepts only the expected frame. */
  takes({ channel, seq }: Frame, findings: LinkFindings): boolean {
    if (channel === CHANNEL.stop) return true;
    if (channel === CHANNEL.sample) {
      const skipped = (seq - this.#sampleSeq) & 0xffff;
      if (skipped < 0x8000) {
        findings.sampleFramesLost += skipped;
        this.#sampleSeq = (seq + 1) & 0xffff;
      }
      return true;
    }
    if (seq === this.#expectedSeq) {
      if (this.#isBehindGap) findings.openGaps--;
      this.#isBehindGap = false;
      this.#expectedSeq = (seq + 1) & 0xffff;
      return true;
    }
    if (((this.#expectedSeq - seq) & 0xffff) <= 0x8000) findings.retransmissions++;
    else {
      findings.framesOutOfOrder++;
      if (!this.#isBehindGap) findings.openGaps++;
      this.#isBehindGap = true;
    }
    return false;
  }

  begin(): void {
    this.#expectedSeq = 0;
    this.#sampleSeq = 0;
    this.#isBehindGap = false;
  }
}

/**
 * A passive listener on the link. It takes the bytes of both directions as they pass a port. It delivers each
 * message once and in causal order, as the receivers get them (protocol.md, "Commands: delivered in order,
 * once"). It sends nothing, never throws on bytes, and needs the memory of a few frames.
 */
export class LinkDecoder {
  readonly findings: LinkFindings = {
    framesReceived: 0,
    framesFaulty: 0,
    framesForeign: 0,
    retransmissions: 0,
    framesOutOfOrder: 0,
    openGaps: 0,
    sampleFramesLost: 0,
  };
  /**
   * The acknowledgement in the newest frame of each direction in the open session (protocol.md, "Frames").
   */
  readonly acknowledged: Record<Direction, number> = { toDevice: NOTHING_YET, toHost: NOTHING_YET };
  readonly #decoders = new Map<string, FrameDecoder>();
  readonly #lanes = { toDevice: new Lane(), toHost: new Lane() };
  /** The last HELLO. */
  #asked: { readonly nonce: Uint8Array; readonly purpose: number } | undefined;
  /** The name of the open session. */
  #nonce: Uint8Array | undefined;
  #session = 0;
  #index = 0;

  /**
   * Takes a chunk, and calls `deliver` for each message that it completes. With `copy: false` the bytes in a
   * message are valid only during the call. `own` means that this program has written the chunk. Then only
   * the head of a long write is decoded, and zeros of the same length replace its codes.
   */
  push(
    chunk: Omit<LinkChunk, 'side' | 'port'>,
    deliver: (message: TraceMessage) => void,
    { copy = true, own = false } = {},
  ): void {
    const { direction, connection, bytes } = chunk;
    const decoder = this.#decoder(connection, direction);
    const take = (frame: Frame): void => this.#take(frame, chunk, copy, deliver);
    let start = 0;
    if (own && direction === 'toDevice') start = takeOwnBulk(decoder, bytes, take);
    decoder.decode(start === 0 ? bytes : bytes.subarray(start), (item) => {
      if (item.kind === 'fault') this.findings.framesFaulty++;
      else take(item.frame);
    });
  }

  #take(
    frame: Frame,
    { direction, connection, hostTimeNs }: Omit<LinkChunk, 'side' | 'port'>,
    copy: boolean,
    deliver: (message: TraceMessage) => void,
  ): void {
    if (frame.channel !== CHANNEL.open && frame.session !== this.#nonce?.[0]) {
      this.findings.framesForeign++;
      return;
    }
    this.findings.framesReceived++;
    if (frame.channel !== CHANNEL.open) this.acknowledged[direction] = frame.ack;
    if (frame.payload.length === 0) return;
    if (frame.channel !== CHANNEL.open && !this.#lanes[direction].takes(frame, this.findings)) return;
    const payload = copy ? frame.payload.slice() : frame.payload;
    const decoded = decodedPayload(direction, payload, copy);
    if (decoded.name === 'hello') this.#noteHello(decoded);
    deliver({
      index: this.#index++,
      hostTimeNs,
      ...deviceTimeOf(decoded),
      connection,
      session: this.#session,
      direction,
      channel: CHANNEL_NAMES[frame.channel],
      ...decoded,
      payloadBytes: payload.length,
    });
  }

  #decoder(connection: number, direction: Direction): FrameDecoder {
    const key = `${connection} ${direction}`;
    const decoder = this.#decoders.get(key) ?? new FrameDecoder(FRAME_BYTES_MAX);
    this.#decoders.delete(key);
    this.#decoders.set(key, decoder);
    if (this.#decoders.size > 2 * CONNECTIONS_DECODED_MAX)
      this.#decoders.delete(this.#decoders.keys().next().value!);
    return decoder;
  }

  /**
   * Records a HELLO, and the session that its answer opens. An answer that names the open session again
   * changes nothing: HELLO was repeated, or the session was resumed. An answer to an earlier HELLO is
   * ignored: another client left it in a buffer.
   */
  #noteHello({ kind, fields }: Decoded): void {
    if (kind === 'command') {
      const { nonce, purpose } = fields as unknown as Command<'hello'>;
      this.#asked = { nonce: nonce.slice(), purpose };
      return;
    }
    const { nonce, resumed } = fields as unknown as Answer<'hello'>;
    const asked = this.#asked;
    if (!asked || !equalBytes(nonce, asked.nonce)) return;
    // A HELLO that only asks whether its session is open does not open a session.
    if (asked.purpose === HELLO_PURPOSE.resume && resumed === 0) return;
    if (resumed === 1 && this.#nonce && equalBytes(nonce, this.#nonce)) return;
    this.#nonce = nonce.slice();
    this.acknowledged.toDevice = NOTHING_YET;
    this.acknowledged.toHost = NOTHING_YET;
    this.#session++;
    this.#lanes.toDevice.begin();
    this.#lanes.toHost.begin();
  }
}

/**
 * Takes the long frames of own bulk data at the beginning of a chunk. Returns the index at which the other
 * frames begin.
 */
function takeOwnBulk(decoder: FrameDecoder, bytes: Uint8Array, take: (frame: Frame) => void): number {
  // The chunk begins in the middle of a frame.
  if (decoder.pendingHead.length > 0) return 0;
  for (let start = 0; ; ) {
    const end = findByte(bytes, 0, start);
    if (end === bytes.length || end - start < BULK_WIRE_BYTES_MIN) return start;
    const frame = ownBulkFrame(bytes, start, end);
    if (!frame) return start;
    take(frame);
    start = end + 1;
  }
}

/**
 * Decodes a payload. The codes of a sample block are moved out of its fields. `keeps`: whether the caller
 * keeps them after this call.
 */
function decodedPayload(direction: Direction, payload: Uint8Array, keeps: boolean): Decoded {
  const message = direction === 'toDevice' ? decodeToDevice(payload) : decodeToHost(payload);
  if (message.kind === 'bad')
    return {
      kind: 'bad',
      name: 'bad',
      requestId: message.requestId ?? 0,
      fields: { reason: message.reason, payload },
    };
  const { kind, name, requestId } = message;
  const fields = message.fields as Readonly<Record<string, FieldValue>>;
  if (name !== 'sampleBlock') return { kind, name, requestId, fields };
  const { codes, ...header } = message.fields;
  const samples: TraceSamples = { header, codes: sampleCodes(codes, keeps) };
  return { kind, name, requestId, fields: header, samples };
}

/** Codes that begin at an odd byte are copied to this array if the caller does not keep them. */
const aligned = new Int16Array(FRAME_BYTES_MAX / 2);

/** The codes in the bytes of a block. They are copied if they begin at an odd byte. */
function sampleCodes(bytes: Uint8Array, keeps: boolean): Int16Array {
  const count = bytes.length >> 1;
  if (bytes.byteOffset % 2 === 0) return new Int16Array(bytes.buffer, bytes.byteOffset, count);
  const codes = keeps ? new Int16Array(count) : aligned.subarray(0, count);
  new Uint8Array(codes.buffer).set(bytes.subarray(0, 2 * count));
  return codes;
}

function deviceTimeOf({ fields }: Decoded): { deviceTimeUs?: number } {
  const { deviceTimeUs } = fields;
  return typeof deviceTimeUs === 'number' ? { deviceTimeUs } : {};
}
