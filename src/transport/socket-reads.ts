import { type OnReadOpts, Socket } from 'node:net';

/** As much as one read takes from a socket. Larger ones fall out of the processor's cache before they are used. */
const READ_BYTES = 65_536;

/**
 * Reads of one socket, all into the same buffer. A stream would allocate 64 KiB for each, and at hundreds of megabytes a
 * second collecting them costs more than reading them. Give `onread` to the socket and pause it.
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

  /** Starts the flow; what `receive` gets is good only during the call. */
  start(socket: Socket, receive: (bytes: Uint8Array) => void): void {
    this.#receive = receive;
    socket.resume();
  }
}

/** Where a socket keeps the system's side of its connection. */
const HANDLE = '_handle';

type Handled = Record<typeof HANDLE, { readonly readStart?: unknown } | null>;

/**
 * The same connection as a socket that reads by `reads`. Only sockets that connect can be told so; one that a server
 * accepted has to give up its handle to a new one (Node's own cluster module hands connections on like that). Undefined
 * where this Node has no such handle. The server must have been made with `pauseOnConnect`.
 */
export function readingBy(reads: SocketReads, accepted: Socket): Socket | undefined {
  const owner = accepted as unknown as Handled;
  const handle = owner[HANDLE];
  if (typeof handle?.readStart !== 'function') return undefined;
  owner[HANDLE] = null;
  const settings = { handle, pauseOnCreate: true, readable: true, writable: true, onread: reads.onread };
  const socket = new Socket(settings);
  // The server counts the one that it made.
  socket.once('close', () => accepted.destroy());
  return socket;
}
