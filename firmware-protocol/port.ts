/**
 * A byte port. It is all that both ends know of how bytes travel (memory, TCP, serial line, pseudo-terminal).
 *
 * Whoever implements it promises:
 * - Bytes arrive in order and unchanged, cut anywhere. A lossy medium may drop or change
 *   bytes; the link copes.
 * - `write` may be called again only when the promise before has settled; a call before that
 *   rejects. It settles when the bytes were handed on and the port can take more, so a caller that
 *   awaits it is slowed down.
 * - `write` to a closed port rejects. Nothing is queued silently.
 * - When a write has resolved, its buffer is the caller's again. After a rejection the port may still read
 *   the buffer, so it must not be changed.
 * - The bytes that `onData` gets must not be changed, and are valid only during the call.
 * - `onClose` is called exactly once, also after `close()`. No `onData` comes after it.
 * - A port is never reopened. A new one is opened instead.
 */
export interface Port {
  /** What errors call the port, for example `emulator:ideal-64`. */
  readonly name: string;
  /** Largest frame in bytes that should be sent here: header, payload and CRC, before COBS. */
  readonly frameBytesMax: number;
  /**
   * Unacknowledged command bytes that should be on the way here at most: about 50 ms of a slow line.
   * No bound when missing.
   */
  readonly inFlightBytesMax?: number;
  /** The name of the lease, where a server lends the board. Logs of both sides are joined by it. */
  readonly lease?: string;
  /** Whether the port has ended. It stays so. */
  readonly closed: boolean;
  /**
   * Sets the one receiver, before the first byte can arrive. A later call replaces it. Errors: none.
   */
  onData(receiver: (bytes: Uint8Array) => void): void;
  /**
   * Sets the function that is called once when the port ends, with the error if one ended it. Errors: none.
   */
  onClose(receiver: (reason?: Error) => void): void;
  /**
   * Writes; resolves when the port can take more. Errors: rejects when the port is
   * closed or closes meanwhile.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the port. Errors: none; a port that is closed already stays closed. Only the port of a replayed
   * session rejects, when recorded requests were not made.
   */
  close(): Promise<void>;
  /**
   * Called when the program makes a request, so that the port can see who makes it. What it returns is called
   * with the id of the request before that is written, which may be later. Errors: none.
   */
  noteCall?(): ((requestId: number) => void) | undefined;
}
