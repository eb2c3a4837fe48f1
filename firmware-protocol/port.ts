/**
 * The byte port: the only thing both ends know of how bytes travel (memory, TCP, serial, pty, trace).
 *
 * The implementer's duty:
 * - bytes arrive in order and unchanged, cut anywhere; a lossy medium may drop or alter them, the link copes;
 * - `write` may be called again only when the promise of the call before has settled, and rejects earlier; it
 *   settles when the bytes were handed on and the port can take more, so awaiting it is the back-pressure;
 * - `write` to a closed port rejects; nothing is queued silently;
 * - the buffer given to `write` is the caller's again when the promise has *resolved*, and may be used for
 *   the next one; after a rejection it may still be read, so it must not be changed;
 * - what `onData` gets may not be changed, and is good only during the call;
 * - `onClose` is called exactly once, also after `close()`; no `onData` comes after it;
 * - a port is never reopened: open a new one.
 */
export interface Port {
  /** What an error message calls it, for example `emulator:ideal-64`. */
  readonly name: string;
  /** Largest frame worth sending here: header, payload and CRC, before COBS. */
  readonly frameBytesMax: number;
  /**
   * Unacknowledged command bytes worth having on the way here (about 50 ms of a slow line);
   * no bound when missing.
   */
  readonly inFlightBytesMax?: number;
  /** Whether the port has ended; it stays so. */
  readonly closed: boolean;
  /** Sets the one receiver, before the first byte can arrive; a later call replaces it. Errors: none. */
  onData(receiver: (bytes: Uint8Array) => void): void;
  /** Sets who is told once that the port has ended, and by what error if by one. Errors: none. */
  onClose(receiver: (reason?: Error) => void): void;
  /** Hands bytes on; resolves when the port can take more. Errors: rejects when the port is closed or closes meanwhile. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the port. Errors: none; a port that is closed already stays closed. */
  close(): Promise<void>;
}
