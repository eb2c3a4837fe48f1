import type { Duplex } from 'node:stream';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import type { Lease } from './lease.js';

/**
 * Bytes from the board that may wait for a client that reads slowly. A host gives credit for 16 blocks of at
 * most 64 KiB; a client that asks for more than it reads loses the board.
 */
export const LINK_QUEUE_BYTES_MAX = 8 << 20;
/** If bytes wait for a client and it takes none of them for this time, the client loses the board. */
export const LINK_STALL_MS = 30_000;

/**
 * Passes bytes between a client and its board until the lease is over, the client goes or the board is lost.
 * The bytes are not changed. At the end the client's connection is closed. Errors: none.
 */
export function bridge(client: Duplex, board: Port, lease: Lease, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let ended = false;
    const taking = new TakeWatch(clock, () => lease.end('slow'));
    const end = (): void => {
      if (ended) return;
      ended = true;
      taking.end();
      lease.over.removeEventListener('abort', end);
      void board.close();
      // The last bytes of the board, such as the report of a run, are still sent. A client that reads nothing
      // is cut off, so no other client waits for it.
      client.end();
      const timer = setTimeout(() => client.destroy(), CLOSE_MS);
      client.once('close', () => clearTimeout(timer));
      client.resume();
      resolve();
    };
    /**
     * A write is at most as long as the port has room for, so a stop waits only for one such write. The stop
     * is sent between two frames.
     */
    const pass = async (chunk: Uint8Array): Promise<void> => {
      for (const piece of piecesOf(chunk, board.inFlightBytesMax)) if (!ended) await board.write(piece);
    };
    client.on('error', end);
    client.on('close', end);
    client.on('end', end);
    client.on('data', (chunk: Buffer) => {
      if (ended) return;
      lease.heardMs = clock.nowMs();
      client.pause();
      pass(chunk).then(
        () => {
          if (!ended) client.resume();
        },
        () => {
          lease.end('boardLost');
          end();
        },
      );
    });
    board.onData((bytes) => {
      if (ended) return;
      // The bytes are valid only during the call.
      taking.begin();
      client.write(Buffer.from(bytes), () => taking.took());
      if (client.writableLength > LINK_QUEUE_BYTES_MAX) lease.end('slow');
    });
    board.onClose(() => {
      if (!ended) lease.end('boardLost');
      end();
    });
    lease.over.addEventListener('abort', end, { once: true });
    if (lease.over.aborted) end();
    else client.resume();
  });
}

/** Tells when writes wait and the client has taken no byte for LINK_STALL_MS. */
class TakeWatch {
  readonly #clock: Clock;
  readonly #tell: () => void;
  #waiting = 0;
  #movedMs = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  begin(): void {
    if (this.#waiting++ === 0) this.#movedMs = this.#clock.nowMs();
    if (this.#cancel === undefined) this.#look(LINK_STALL_MS);
  }

  took(): void {
    this.#waiting--;
    this.#movedMs = this.#clock.nowMs();
  }

  end(): void {
    this.#cancel?.();
  }

  /** One timer serves many writes. */
  #look(ms: number): void {
    this.#cancel = this.#clock.schedule(ms, () => {
      this.#cancel = undefined;
      if (this.#waiting === 0) return;
      const leftMs = this.#movedMs + LINK_STALL_MS - this.#clock.nowMs();
      if (leftMs > 0) this.#look(leftMs);
      else this.#tell();
    });
  }
}

/** Cuts bytes into pieces of at most `bytesMax`, at the end of a frame if possible. */
export function* piecesOf(bytes: Uint8Array, bytesMax = Infinity): Generator<Uint8Array> {
  let at = 0;
  while (bytes.length - at > bytesMax) {
    const delimiter = bytes.subarray(at, at + bytesMax).lastIndexOf(0);
    const length = delimiter < 0 ? bytesMax : delimiter + 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

/** Time that a client has to read the last bytes of the board. */
const CLOSE_MS = 1000;
