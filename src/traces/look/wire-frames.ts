import { type DecodedItem, FrameDecoder, wireBytesMax } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../../firmware-protocol/limits.js';
import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { LinkChunk } from '../trace-message.js';

/**
 * Largest number of bytes that are kept between two delimiters: the longest frame, and one more byte to
 * detect a longer one.
 */
const KEPT_BYTES_MAX = wireBytesMax(FRAME_BYTES_MAX) + 1;
/**
 * Largest number of connections whose unfinished frames are kept. If there is one more, the unfinished frames
 * of the connection with the longest silence are dropped.
 */
const CONNECTIONS_MAX = 16;

/** The bytes between two delimiters as they passed a port, with the frame or fault in them. */
export interface WireFrame {
  /** Time of its delimiter, in ns since 1970. */
  readonly hostTimeNs: bigint;
  readonly direction: Direction;
  readonly connection: number;
  /** The bytes without the delimiter. If there are more than in the longest frame, only the first ones. */
  readonly block: Uint8Array;
  /** Number of all bytes. */
  readonly blockBytes: number;
  /** A frame, a fault, or bytes after the last delimiter of a connection. */
  readonly item: DecodedItem | { readonly kind: 'unfinished' };
}

/** The bytes since the last delimiter of one direction of one connection. */
class OpenBlock {
  readonly direction: Direction;
  readonly connection: number;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX);
  #pieces: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;
  #lastTimeNs = 0n;

  constructor(direction: Direction, connection: number) {
    this.direction = direction;
    this.connection = connection;
  }

  append(piece: Uint8Array, hostTimeNs: bigint): void {
    this.#bytes += piece.length;
    this.#lastTimeNs = hostTimeNs;
    const kept = piece.slice(0, KEPT_BYTES_MAX - this.#kept);
    if (kept.length > 0) this.#pieces.push(kept);
    this.#kept += kept.length;
  }

  /** Ends the block at a delimiter, and returns its frame or fault. Undefined if there were no bytes. */
  finish(hostTimeNs: bigint): WireFrame | undefined {
    if (this.#bytes === 0) return undefined;
    const { block, blockBytes } = this.#take();
    const [item] = [...this.#decoder.push(block), ...this.#decoder.push(Uint8Array.of(0))];
    const exact = item.kind === 'fault' ? { ...item, bytes: blockBytes } : item;
    return { ...this.#place(hostTimeNs), block, blockBytes, item: exact };
  }

  /** Returns the bytes after the last delimiter. Undefined if there are none. */
  giveUp(): WireFrame | undefined {
    if (this.#bytes === 0) return undefined;
    return { ...this.#place(this.#lastTimeNs), ...this.#take(), item: { kind: 'unfinished' } };
  }

  #place(hostTimeNs: bigint): Pick<WireFrame, 'hostTimeNs' | 'direction' | 'connection'> {
    return { hostTimeNs, direction: this.direction, connection: this.connection };
  }

  #take(): Pick<WireFrame, 'block' | 'blockBytes'> {
    const block = new Uint8Array(this.#kept);
    let end = 0;
    for (const piece of this.#pieces) {
      block.set(piece, end);
      end += piece.length;
    }
    const blockBytes = this.#bytes;
    this.#pieces = [];
    this.#kept = 0;
    this.#bytes = 0;
    return { block, blockBytes };
  }
}

/**
 * The frames and faults in the bytes of a trace, in the order of their delimiters. Retransmissions and bare
 * acknowledgements are included. The bytes of unfinished frames come at the end. Errors: those of `chunks`;
 * no bytes make it throw.
 */
export function* wireFrames(chunks: Iterable<LinkChunk>): Generator<WireFrame> {
  const open = new Map<string, OpenBlock>();
  for (const { direction, connection, bytes, hostTimeNs } of chunks) {
    const key = `${connection} ${direction}`;
    const block = open.get(key) ?? new OpenBlock(direction, connection);
    // The connection in use moves to the end. The first one then has the longest silence.
    open.delete(key);
    open.set(key, block);
    for (let start = 0; start < bytes.length; ) {
      const zero = bytes.indexOf(0, start);
      const end = zero < 0 ? bytes.length : zero;
      block.append(bytes.subarray(start, end), hostTimeNs);
      const frame = zero < 0 ? undefined : block.finish(hostTimeNs);
      if (frame) yield frame;
      start = end + 1;
    }
    if (open.size > 2 * CONNECTIONS_MAX) {
      const [oldest, silent] = open.entries().next().value!;
      open.delete(oldest);
      const rest = silent.giveUp();
      if (rest) yield rest;
    }
  }
  for (const block of open.values()) {
    const rest = block.giveUp();
    if (rest) yield rest;
  }
}
