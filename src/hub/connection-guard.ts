import type { Socket } from 'node:net';
import { networkOf } from './tokens.js';

/** Largest number of connections without a known token so far. The oldest of them is closed for a new one. */
export const STRANGERS_MAX = 64;
/** Largest number of connections from one address. The oldest stranger among them is closed for a new one. */
export const CONNECTIONS_PER_ADDRESS_MAX = 128;

interface Known {
  readonly socket: Socket;
  readonly place: string;
}

/**
 * Bounds the number of connections. A connection is a stranger until it has shown a known token or was
 * answered. Strangers are closed when others come, so clients that only connect cannot keep others out.
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

  /** Marks a connection that has shown a token. It stays. */
  admit(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#strangers.delete(keyOf(socket));
  }

  /** Closes the oldest matching stranger; if no stranger matches, the newest connection. */
  #sendAway(fits: (known: Known) => boolean): void {
    const oldest = [...this.#strangers].find(([, known]) => fits(known));
    if (oldest === undefined) return;
    this.sentAway++;
    this.#strangers.delete(oldest[0]);
    oldest[1].socket.destroy();
  }
}

/** A connection under TLS has two sockets with the same far end. */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
