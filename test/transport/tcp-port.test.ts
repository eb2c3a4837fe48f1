import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ThermolinkError } from '../../src/errors.js';
import { openTcpPort, parseHostPort, tcpUri } from '../../src/transport/tcp-port.js';
import { within } from './port-contract.js';

async function withServer(test: (port: number, server: Server) => Promise<void>): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    if (address === null || typeof address === 'string') throw new Error('no address');
    await test(address.port, server);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('tcp port', () => {
  it('reports that nothing listens, and which program to start', async () => {
    let port = 0;
    await withServer(async (free) => void (port = free));
    const opening = openTcpPort({ host: '127.0.0.1', port });
    await expect(within(opening, 'refusal')).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      retryable: true,
      hint: expect.stringContaining('thermolink emulate'),
    });
  });

  it('ends at once when it is cancelled, and leaves nothing open', () =>
    withServer(async (port, server) => {
      const controller = new AbortController();
      const opening = openTcpPort({ host: '127.0.0.1', port }, { signal: controller.signal });
      controller.abort(new ThermolinkError('ABORTED', 'enough'));
      await expect(within(opening, 'abort')).rejects.toMatchObject({ code: 'ABORTED' });
      await expect(
        within(openTcpPort({ host: '127.0.0.1', port }, { signal: controller.signal }), 'abort'),
      ).rejects.toMatchObject({ code: 'ABORTED' });
      const left = await new Promise<number>((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
      expect(left).toBe(0);
    }));

  it('gives up at its deadline', async () => {
    // No machine answers at an address of TEST-NET-1 (RFC 5737). Without a route the system reports an error.
    const opening = openTcpPort({ host: '192.0.2.1', port: 9 }, { timeoutMs: 50 });
    await expect(within(opening, 'deadline', 2000)).rejects.toMatchObject({
      code: expect.stringMatching(/^(NO_ANSWER|CANNOT_CONNECT)$/),
      retryable: true,
    });
  });

  it('delivers bytes that arrived before there was a listener', () =>
    withServer(async (port, server) => {
      server.on('connection', (socket) => socket.end(Uint8Array.of(1, 2, 3)));
      const opened = await within(openTcpPort({ host: '127.0.0.1', port }), 'connection');
      await new Promise((resolve) => setImmediate(resolve));
      const bytes: number[] = [];
      const ended = new Promise<void>((resolve) => opened.onClose(() => resolve()));
      opened.onData((chunk) => bytes.push(...chunk));
      await within(ended, 'end');
      expect(bytes).toEqual([1, 2, 3]);
    }));

  it.each([
    ['127.0.0.1:7000', { host: '127.0.0.1', port: 7000 }],
    ['[::1]:0', { host: '::1', port: 0 }],
  ])('%s is the same after the conversion to a URI and back', (text, address) => {
    expect(parseHostPort(text)).toEqual(address);
    expect(tcpUri(address)).toBe(`tcp://${text}`);
  });

  it.each(['', '7000', ':7000', '127.0.0.1', '::1:7000', 'a b:1', 'h:65536', 'h:-1', 'h:1x'])(
    '%j is not an address',
    (text) => expect(parseHostPort(text)).toBeUndefined(),
  );
});
