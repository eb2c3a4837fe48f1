import { type OnReadOpts, Socket } from 'node:net';

/** Size of the buffer. The bytes of a larger one would leave the processor's cache before their use. */
const READ_BYTES = 65_536;

/**
 * Reads a socket into the same buffer each time. A stream would allocate 64 KiB for each read, and at
 * hundreds of megabytes a second the garbage collection costs more than the reading. The caller makes the
 * socket with `onread` and pauses it.
 */
export class SocketReads {
  readonly onread: OnReadOpts;
  #receive: (bytes: Uint8Array) => void = () => undefined;

  constructor() {
    const buffer = new Uint8Array(READ_BYTES);
    const callback = (length: number): boolean => {
      this.#receive(buffer.subarray(0, length));
      return true;
    };
    this.onread = { buffer, callback };
  }

  /** Starts the reading. The bytes passed to `receive` are valid only during the call. */
  start(socket: Socket, receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
    socket.resume();
  }
}

/** The field of a socket that holds the handle of its connection. */
const HANDLE = '_handle';

type Handled = Record<typeof HANDLE, { readonly readStart?: unknown } | null>;

/**
 * Returns the accepted connection as a new socket that reads by `reads`. Node takes `onread` only for a
 * socket that connects, so the handle moves from the accepted socket to the new one, as in the cluster module
 * of Node. Undefined if this version of Node has no such handle. The server must have been made with
 * `pauseOnConnect`.
 */
export function readingBy(reads: SocketReads, accepted: Socket): Socket | undefined {
  const owner = accepted as unknown as Handled;
  const handle = owner[HANDLE];
  if (typeof handle?.readStart !== 'function') return undefined;
  owner[HANDLE] = null;
  const settings = { handle, pauseOnCreate: true, readable: true, writable: true, onread: reads.onread };
  const socket = new Socket(settings);
  // The server counts the accepted socket until it is destroyed.
  socket.once('close', () => accepted.destroy());
  return socket;
}
