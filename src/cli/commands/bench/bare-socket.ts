import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { ThermolinkError } from '../../../errors.js';

/** A server in a thread of its own. It counts bytes, and answers one byte when a round of them has come. */
const COUNTING_READER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer({ noDelay: true }, (socket) => {
  let left = workerData.bytes;
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left > 0) return;
    left = workerData.bytes;
    socket.write(Buffer.from([1]));
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const DEADLINE_MS = 60_000;

/**
 * Sends frames in order over loopback TCP to a reader that only counts them. All rounds share one connection,
 * as a board's do. A new connection would begin with small segments and with code that is not compiled yet.
 */
export class BareSocket {
  readonly #frames: readonly Uint8Array[];
  readonly #bytes: number;
  readonly #worker: Worker;
  readonly #socket: Socket;

  private constructor(frames: readonly Uint8Array[], bytes: number, worker: Worker, socket: Socket) {
    this.#frames = frames;
    this.#bytes = bytes;
    this.#worker = worker;
    this.#socket = socket;
  }

  static async open(frames: readonly Uint8Array[], signal: AbortSignal): Promise<BareSocket> {
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    const worker = new Worker(COUNTING_READER, { eval: true, workerData: { bytes } });
    let socket: Socket | undefined;
    try {
      const [port] = (await once(worker, 'message', { signal })) as [number];
      socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect', { signal });
      return new BareSocket(frames, bytes, worker, socket);
    } catch (error) {
      socket?.destroy();
      await worker.terminate();
      throw error;
    }
  }

  /** Bytes per second of one round, until the reader has all of them. Errors: TIMEOUT. */
  async rate(signal: AbortSignal): Promise<number> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    const startMs = performance.now();
    const counted = once(this.#socket, 'data', { signal: deadline });
    this.#send(0);
    try {
      await counted;
    } catch (cause) {
      signal.throwIfAborted();
      const message = `The bare socket did not carry ${this.#bytes} bytes within a minute.`;
      throw new ThermolinkError('TIMEOUT', message, { cause });
    }
    return (this.#bytes / (performance.now() - startMs)) * 1000;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#worker.terminate();
  }

  /** Only writes and waits for room, without a promise for each frame. */
  #send(from: number): void {
    for (let i = from; i < this.#frames.length; i++)
      if (!this.#socket.write(this.#frames[i])) {
        this.#socket.once('drain', () => this.#send(i + 1));
        return;
      }
  }
}
