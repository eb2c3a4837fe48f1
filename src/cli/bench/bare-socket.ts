import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { ThermolinkError } from '../../errors.js';

/** A server that counts bytes, in a thread of its own, and answers one byte when it has all of them. */
const COUNTING_READER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer({ noDelay: true }, (socket) => {
  let left = workerData.bytes;
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left === 0) socket.end(Buffer.from([1]));
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const DEADLINE_MS = 60_000;

/** Bytes per second of `frames`, sent in order over loopback TCP to a reader that only counts them. */
export async function bareSocketRate(frames: readonly Uint8Array[], signal: AbortSignal): Promise<number> {
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  const worker = new Worker(COUNTING_READER, { eval: true, workerData: { bytes } });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  try {
    const [port] = (await once(worker, 'message', { signal: deadline })) as [number];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    try {
      await once(socket, 'connect', { signal: deadline });
      const startMs = performance.now();
      const done = once(socket, 'data', { signal: deadline });
      for (const frame of frames) if (!socket.write(frame)) await once(socket, 'drain', { signal: deadline });
      await done;
      return (bytes / (performance.now() - startMs)) * 1000;
    } finally {
      socket.destroy();
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new ThermolinkError('TIMEOUT', `The bare socket did not carry ${bytes} bytes within a minute.`, {
      cause,
    });
  } finally {
    await worker.terminate();
  }
}
