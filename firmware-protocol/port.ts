/**
 * A byte port. Both ends use only this interface; how bytes travel (memory, TCP, serial line,
 * pseudo-terminal) is hidden behind it.
 *
 * Every implementation guarantees:
 * - Bytes arrive in order and unchanged, cut anywhere. A lossy medium may drop or change
 *   bytes. The link repairs that.
 * - `write` may be called again only after its previous promise has settled. A call that comes too early
 *   rejects. The promise settles when the bytes were handed on and the port can take more. A caller that
 *   awaits it therefore goes at the speed of the port.
 * - `write` to a closed port rejects. Nothing is queued silently.
 * - After a write has resolved, the caller may change its buffer again. After a rejection the caller must not
 *   change it, because the port may still read it.
 * - The bytes that `onData` gets must not be changed, and are valid only during the call.
 * - `onClose` is called exactly once, also after `close()`. No `onData` comes after it.
 * - A port is never reopened. A new one is opened instead.
 */
export interface Port {
  /** The name of the port in errors, for example `emulator:ideal-64`. */
  readonly name: string;
  /** The largest frame in bytes that should be sent to this port: header, payload and CRC, before COBS. */
  readonly frameBytesMax: number;
  /**
   * Largest number of unacknowledged command bytes that should be on the way to this port: about 50 ms of a
   * slow line. If it is missing, there is no bound.
   */
  readonly inFlightBytesMax?: number;
  /**
   * The name of the lease, if a server lends the board. The logs of both sides contain it, so a reader can
   * match them.
   */
  readonly lease?: string;
  /** Whether the port has ended. A port that has ended stays closed. */
  readonly closed: boolean;
  /**
   * Sets the one receiver, before the first byte can arrive. A later call replaces it. Errors: none.
   */
  onData(receiver: (bytes: Uint8Array) => void): void;
  /**
   * Sets the function that is called once when the port ends, with the error that ended it, if there is such
   * an error. Errors: none.
   */
  onClose(receiver: (reason?: Error) => void): void;
  /**
   * Writes; resolves when the port can take more. Errors: rejects when the port is
   * closed or closes meanwhile.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the port. Errors: none; a port that is closed already stays closed. Only the port of a replayed
   * session rejects, if recorded requests were not made.
   */
  close(): Promise<void>;
  /**
   * Called when the program makes a request, so that the port can find out which line of code made it. The
   * caller later calls the returned function with the id of the request, before it writes the request.
   * Errors: none.
   */
  noteCall?(): ((requestId: number) => void) | undefined;
}
