import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';
import { PortEvents } from './port-events.js';

/** Frames as large as the protocol allows: there is no wire to hog. */
const FRAME_BYTES_MAX = 65536;

/**
 * Two ports that are each other's far end, in one process. One write at a time; it settles when the other side has received it; delivery
 * takes one turn of the event loop, so that timers and signals are served between frames.
 */
export function memoryPortPair(name: string): [Port, Port] {
  const a = new MemoryPort(name);
  const b = new MemoryPort(name);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class MemoryPort implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly #events = new PortEvents();
  #writing = false;
  peer!: MemoryPort;

  constructor(name: string) {
    this.name = name;
  }

  get closed(): boolean {
    return this.#events.closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#events.onData(receiver);
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.#events.onClose(receiver);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new ThermolinkError('LINK_LOST', `${this.name} is closed.`));
        return;
      }
      if (this.#writing) {
        reject(new Error('bug: a second write before the first has settled'));
        return;
      }
      this.#writing = true;
      setImmediate(() => {
        this.peer.#events.data(bytes);
        this.#writing = false;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#events.end();
    this.peer.#events.end();
    return Promise.resolve();
  }
}
