import { type DecodedItem, FrameDecoder, wireBytesMax } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../../firmware-protocol/limits.js';
import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { LinkChunk } from '../trace-message.js';

/** What is kept of the bytes between two delimiters: the longest frame, and one byte that shows an excess. */
const KEPT_BYTES_MAX = wireBytesMax(FRAME_BYTES_MAX) + 1;
/** How many connections may be in the middle of a frame. The one that was silent for longest is given up. */
const CONNECTIONS_MAX = 16;

/** The bytes between two delimiters as they passed a port, and what they are. */
export interface WireFrame {
  /** When its delimiter passed, in ns since 1970. */
  readonly hostTimeNs: bigint;
  readonly direction: Direction;
  readonly connection: number;
  /** The first bytes, without delimiter; all of them unless there are more than any frame has. */
  readonly block: Uint8Array;
  /** How many bytes there were. */
  readonly blockBytes: number;
  /** A frame, a fault, or bytes behind the last delimiter of a connection. */
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

  /** What the bytes were, now that the delimiter has come. Undefined when there were none. */
  finish(hostTimeNs: bigint): WireFrame | undefined {
    if (this.#bytes === 0) return undefined;
    const { block, blockBytes } = this.#take();
    const [item] = [...this.#decoder.push(block), ...this.#decoder.push(Uint8Array.of(0))];
    const exact = item.kind === 'fault' ? { ...item, bytes: blockBytes } : item;
    return { ...this.#place(hostTimeNs), block, blockBytes, item: exact };
  }

  /** The bytes behind the last delimiter. Undefined when there are none. */
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
 * The frames and faults in the bytes of a trace, in the order of their delimiters, retransmissions and bare
 * acknowledgements included. At the end come the bytes of frames that were never finished. Errors: those of
 * `chunks`; bytes never throw.
 */
export function* wireFrames(chunks: Iterable<LinkChunk>): Generator<WireFrame> {
  const open = new Map<string, OpenBlock>();
  for (const { direction, connection, bytes, hostTimeNs } of chunks) {
    const key = `${connection} ${direction}`;
    const block = open.get(key) ?? new OpenBlock(direction, connection);
    // The one that is used moves to the end: the first one was silent for longest.
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
