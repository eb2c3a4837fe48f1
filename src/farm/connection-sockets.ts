import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** Node tells of each socket that it makes here. */
const NEW_SOCKETS = 'net.client.socket';

/** What is used of a socket; the client opens it. */
interface Socket {
  readonly destroyed: boolean;
  readonly destroy: () => unknown;
}

const owner = new AsyncLocalStorage<ConnectionSockets>();
let isWatching = false;

/**
 * The sockets that a client of NATS opens. The client forgets a socket whose server accepts it and says
 * nothing, and such a socket keeps the process alive; here it can be destroyed all the same.
 */
export class ConnectionSockets {
  readonly #open = new Set<Socket>();
  #isEnded = false;

  /** Runs `work`; the sockets that it opens, also later on, belong here. */
  run<T>(work: () => T): T {
    if (!isWatching)
      subscribe(NEW_SOCKETS, (message) => {
        const { socket } = message as { readonly socket: Socket };
        owner.getStore()?.add(socket);
      });
    isWatching = true;
    return owner.run(this, work);
  }

  /** Whether sockets were opened, and all of them are closed. */
  get areGone(): boolean {
    return this.#open.size > 0 && [...this.#open].every((socket) => socket.destroyed);
  }

  /** Destroys what is open, and what is opened from now on. */
  end(): void {
    this.#isEnded = true;
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  /** Takes a socket that was just made. */
  add(socket: Socket): void {
    // The client removes all listeners of its sockets, so none could tell that one was closed.
    for (const before of this.#open) if (before.destroyed) this.#open.delete(before);
    this.#open.add(socket);
    // It is told of before it connects, which would undo that it was destroyed.
    if (this.#isEnded) setImmediate(() => socket.destroy());
  }
}
