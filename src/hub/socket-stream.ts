import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../firmware-protocol/clock.js';
import { Bucket, LINK_MESSAGES } from './rates.js';

/**
 * The binary messages of a WebSocket as a stream of bytes. Messages of text are not bytes of the board and
 * are left out. If the reader waits, the other end cannot send more. Above the rate LINK_MESSAGES it has to
 * wait, too.
 */
export function socketStream(socket: WebSocket, clock: Clock): Duplex {
  const pace = new Bucket(LINK_MESSAGES, clock);
  /** Whether the reader wants more, and whether the other end may send. */
  let isWanted = true;
  let isPaced = false;
  const go = (): void => {
    if (isWanted && !isPaced) socket.resume();
    else socket.pause();
  };
  const take = (): void => {
    const debtMs = pace.spend();
    if (debtMs === 0 || isPaced) return;
    isPaced = true;
    go();
    clock.schedule(debtMs, () => {
      isPaced = false;
      go();
    });
  };
  const stream = new Duplex({
    read: () => {
      isWanted = true;
      go();
    },
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
    if (isBinary && !stream.push(data)) {
      isWanted = false;
      go();
    }
    take();
  });
  socket.on('ping', take);
  socket.on('close', () => {
    if (!stream.readableEnded) stream.push(null);
    stream.destroy();
  });
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}
