import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ThermolinkError } from '../../src/errors.js';
import { connectFarm } from '../../src/farm/index.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';

const INTERRUPTED = 130;
const HELLO = { server_id: 'X', version: '2.9.10', proto: 1, max_payload: 1_048_576 };

/** A server that accepts connections and sends `words` to each. It sends nothing more. */
async function silentServer(words: string) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.resume().write(words);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { readonly port: number };
  return { url: `nats://127.0.0.1:${port}`, server };
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

describe.each([
  ['says nothing', ''],
  ['says who it is, and no more', `INFO ${JSON.stringify(HELLO)}\r\n`],
  ['begins TLS and goes silent', `INFO ${JSON.stringify({ ...HELLO, tls_required: true })}\r\n`],
])('a server that %s', (_, words) => {
  it('does not hold a client that aborts, and the socket is closed', async () => {
    const { url, server } = await silentServer(words);
    const controller = new AbortController();
    const connecting = connectFarm({ url }, { signal: controller.signal });
    const [socket] = (await once(server, 'connection')) as [Socket];
    const isClosed = closed(socket);
    controller.abort(new ThermolinkError('ABORTED', 'enough'));
    await expect(connecting).rejects.toMatchObject({ code: 'ABORTED' });
    await isClosed;
  });

  describe.runIf(isBuilt)('and a command', { tags: 'long' }, () => {
    it('that Ctrl-C ends at once', async () => {
      const { url, server } = await silentServer(words);
      const status = new JsonProcess([BUILT_CLI, 'farm', 'status', '--nats', url]);
      await once(server, 'connection');
      const startMs = performance.now();
      expect(await status.end('SIGINT')).toBe(INTERRUPTED);
      // The deadline is ten seconds.
      expect(performance.now() - startMs).toBeLessThan(5000);
    });

    it('that ends at its deadline', { timeout: 60_000 }, async () => {
      const { url } = await silentServer(words);
      const status = new JsonProcess([BUILT_CLI, 'farm', 'status', '--nats', url]);
      expect(await status.ended()).toBe(1);
      expect(status.stderr).toContain('CANNOT_CONNECT');
    });
  });
});

it('a server of another protocol is refused', async () => {
  const { url } = await silentServer('HTTP/1.1 400 Bad Request\r\n\r\n');
  await expect(connectFarm({ url })).rejects.toMatchObject({ code: 'CANNOT_CONNECT' });
});
