import type { Socket } from 'node:net';
import { networkOf } from './tokens.js';

/** Connections that have not shown yet who they are. The oldest makes room for a new one. */
export const STRANGERS_MAX = 64;
/** Connections from one address. The oldest stranger among them makes room. */
export const CONNECTIONS_PER_ADDRESS_MAX = 128;

interface Known {
  readonly socket: Socket;
  readonly place: string;
}

/**
 * Bounds how many connections there are. A connection is a stranger until it has shown a token that is known,
 * or was answered; strangers make room for others, so that those who only connect keep nobody out.
 */
export class ConnectionGuard {
  /** In the order in which they came. */
  readonly #strangers = new Map<string, Known>();
  readonly #byPlace = new Map<string, number>();
  /** How many were closed to make room. */
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

  /** The connection has shown who it is, and stays. */
  admit(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void {
    this.#strangers.delete(keyOf(socket));
  }

  /** Closes the oldest stranger that fits; the one that came last, if no other does. */
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
