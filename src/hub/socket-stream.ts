import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/**
 * The binary messages of a WebSocket as a stream of bytes. Messages of text are no bytes of the board and are
 * left out. If the reader waits, the other end cannot send more.
 */
export function socketStream(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _, done) => socket.send(chunk, done),
    final: (done) => {
      socket.close(1000);
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary && !stream.push(data)) socket.pause();
  });
  socket.on('close', () => {
    if (!stream.readableEnded) stream.push(null);
    stream.destroy();
  });
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}
