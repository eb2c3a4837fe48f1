import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** The channel of diagnostics on which Node announces each socket that it makes. */
const NEW_SOCKETS = 'net.client.socket';

/** The part of a socket that is used here. The client opens the socket. */
interface Socket {
  readonly destroyed: boolean;
  readonly destroy: () => unknown;
}

const owner = new AsyncLocalStorage<ConnectionSockets>();
let isWatching = false;

/** A timer of the client. */
interface Timer {
  readonly unref: () => unknown;
}

// The hook is enabled only while a client connects.
const timerHook = createHook({
  init(_id, type, _trigger, resource) {
    if (type === 'Timeout') owner.getStore()?.addTimer(resource as Timer);
  },
});
let connectingCount = 0;

/**
 * The sockets that a client of NATS opens, and the timers that it makes while it connects. The client forgets
 * the socket of a server that accepts it and says nothing, and its timer. Both keep the process alive, so
 * they are ended here.
 */
export class ConnectionSockets {
  readonly #open = new Set<Socket>();
  readonly #timers: Timer[] = [];
  #isConnecting = false;
  #isEnded = false;

  /** Runs `work`; the sockets that it opens, also later on, belong to this object. */
  run<T>(work: () => T): T {
    if (!isWatching)
      subscribe(NEW_SOCKETS, (message) => {
        const { socket } = message as { readonly socket: Socket };
        owner.getStore()?.add(socket);
      });
    isWatching = true;
    this.#isConnecting = true;
    if (connectingCount === 0) timerHook.enable();
    connectingCount += 1;
    return owner.run(this, work);
  }

  /** Stops watching the timers of the client, because it has connected or has failed to connect. */
  settle(): void {
    if (!this.#isConnecting) return;
    this.#isConnecting = false;
    connectingCount -= 1;
    if (connectingCount === 0) timerHook.disable();
    // A client whose connection ends while it connects forgets its timer of ten seconds too.
    if (this.#isEnded) for (const timer of this.#timers) timer.unref();
    this.#timers.length = 0;
  }

  /** Whether sockets were opened, and all of them are closed. */
  get areGone(): boolean {
    return this.#open.size > 0 && [...this.#open].every((socket) => socket.destroyed);
  }

  /** Destroys the open sockets, and all sockets that are opened later. */
  end(): void {
    this.#isEnded = true;
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  /** Takes a timer that was just made. */
  addTimer(timer: Timer): void {
    if (!this.#isConnecting) return;
    if (this.#isEnded) timer.unref();
    else this.#timers.push(timer);
  }

  /** Takes a socket that was just made. */
  add(socket: Socket): void {
    // The client removes all listeners of its sockets, so no listener could tell that a socket was closed.
    for (const before of this.#open) if (before.destroyed) this.#open.delete(before);
    this.#open.add(socket);
    // The socket connects after this call, and connecting would undo its destruction.
    if (this.#isEnded) setImmediate(() => socket.destroy());
  }
}
