import { createServer, type Server, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import { readingBy, SocketReads } from '../../src/transport/socket-reads.js';
import { acceptedTcpPort, openTcpPort } from '../../src/transport/tcp-port.js';
import { within } from './port-contract.js';

async function connected(): Promise<{ server: Server; near: Port; accepted: Socket }> {
  const server = createServer({ pauseOnConnect: true });
  const accepting = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const near = await openTcpPort({ host: '127.0.0.1', port });
  return { server, near, accepted: await within(accepting, 'connection') };
}

it('every read of an accepted connection goes into the same memory', async () => {
  const { server, near, accepted } = await connected();
  const far = acceptedTcpPort(accepted, 'tcp:test');
  const memories = new Set<ArrayBufferLike>();
  let count = 0;
  const all = new Promise<void>((resolve) =>
    far.onData((bytes) => {
      memories.add(bytes.buffer);
      count += bytes.length;
      if (count === 300_000) resolve();
    }),
  );
  for (let i = 0; i < 3; i++) await near.write(new Uint8Array(100_000));
  await within(all, 'bytes');
  expect(memories.size).toBe(1);
  await near.close();
  // The server must still count its connections, because it ends only when no connection is open.
  await within(new Promise((resolve) => server.close(resolve)), 'the end of the server');
});

it('a socket without a handle keeps its own reads', async () => {
  const { server, near, accepted } = await connected();
  accepted.destroy();
  expect(readingBy(new SocketReads(), accepted)).toBeUndefined();
  await near.close();
  await within(new Promise((resolve) => server.close(resolve)), 'the end of the server');
});
