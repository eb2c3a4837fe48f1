import type { Port } from '../../firmware-protocol/port.js';
import { checkText } from '../argument-checks.js';
import { nextTurn } from '../platform.js';
import { EventPort } from './event-port.js';

/** The largest frame of the protocol. There is no wire that a long frame could block. */
const FRAME_BYTES_MAX = 65536;

/**
 * Makes two ports in this process, each the far end of the other. A write settles when the other side has
 * received it. Delivery takes one turn of the event loop, so timers and signals can run between frames.
 * `name` is the name of the ports in errors. Errors: BAD_ARGUMENT.
 */
export function memoryPortPair(name = 'memory'): [Port, Port] {
  checkText('name', name);
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
      nextTurn(() => {
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
