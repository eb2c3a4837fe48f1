import type { Port } from '../../firmware-protocol/port.js';
import { EventPort } from './event-port.js';

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

class MemoryPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  #writing = false;
  peer!: MemoryPort;

  constructor(name: string) {
    super();
    this.name = name;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.writeRefusal(this.#writing);
      if (refusal) {
        reject(refusal);
        return;
      }
      this.#writing = true;
      setImmediate(() => {
        this.peer.events.data(bytes);
        this.#writing = false;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.events.end();
    this.peer.events.end();
    return Promise.resolve();
  }
}
