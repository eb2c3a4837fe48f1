import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { openPort } from '../../src/connect.js';

it('an abort while the token is read ends the request of a shared board', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const controller = new AbortController();
  const opening = openPort(`hub://127.0.0.1:${port}/a`, { signal: controller.signal });
  // The first check of the signal has passed, and the token has not been read yet.
  controller.abort();
  await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
  for (const socket of sockets) socket.destroy();
  silent.close();
});
