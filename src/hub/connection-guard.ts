import type { Socket } from 'node:net';
import { networkOf } from './tokens.js';

/** At most this many connections are strangers (`ConnectionGuard`). The oldest is closed for a new one. */
export const STRANGERS_MAX = 64;
/**
 * At most this many connections come from one address; a whole IPv6 /64 counts as one address. The oldest
 * stranger among them is closed for a new one.
 */
export const CONNECTIONS_PER_ADDRESS_MAX = 128;

interface Known {
  readonly socket: Socket;
  readonly place: string;
}

/**
 * Bounds the number of connections. A connection is a stranger until one of its requests has the right that
 * it needs: by its token, or because the server asks for no tokens. Requests that need no right change
 * nothing. Strangers are closed when others come, so clients that only connect cannot keep others out.
 */
export class ConnectionGuard {
  /** In the order in which they came. */
  readonly #strangers = new Map<string, Known>();
  readonly #byPlace = new Map<string, number>();
  /** Number of connections that were closed to make room. */
  sentAway = 0;

  /** Takes a connection that was accepted. */
  add(socket: Socket): void {
    const key = keyOf(socket);
    const place = networkOf(socket.remoteAddress ?? '');
    const count = (this.#byPlace.get(place) ?? 0) + 1;
    this.#byPlace.set(place, count);
    this.#strangers.set(key, { socket, place });
    socket.once('close', () => {
      this.#strangers.delete(key);
      const left = this.#byPlace.get(place)! - 1;
      if (left === 0) this.#byPlace.delete(place);
      else this.#byPlace.set(place, left);
    });
    if (count > CONNECTIONS_PER_ADDRESS_MAX) this.#sendAway((known) => known.place === place);
    else if (this.#strangers.size > STRANGERS_MAX) this.#sendAway(() => true);
  }

  /** Marks a connection whose request has the right that it needs. It stays. */
  admit(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#strangers.delete(keyOf(socket));
  }

  /**
   * Closes the oldest matching stranger. The new connection is a stranger too, so it may itself be closed.
   */
  #sendAway(fits: (known: Known) => boolean): void {
    const oldest = [...this.#strangers].find(([, known]) => fits(known));
    if (oldest === undefined) return;
    this.sentAway++;
    this.#strangers.delete(oldest[0]);
    oldest[1].socket.destroy();
  }
}

/**
 * The key is the far end and not the socket. A connection under TLS has two sockets with the same far end,
 * and `admit` gets another one than `add`.
 */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
