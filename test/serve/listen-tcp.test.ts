import { Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function boardServer(): BoardServer {
  return new BoardServer(new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 }));
}

describe('listening', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('reports an error and goes on', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const errors: Error[] = [];
    const listener = await listenTcp(boardServer(), LOOPBACK, { onError: (error) => errors.push(error) });
    const silent = await listenTcp(boardServer(), LOOPBACK);
    try {
      const [first, second] = listen.mock.contexts as Server[];
      const trouble = new Error('accept EMFILE');
      // Without a listener `emit` would throw, as an uncaught exception does.
      first.emit('error', trouble);
      second.emit('error', trouble);
      expect(errors).toEqual([trouble]);
      expect([first.listening, second.listening]).toEqual([true, true]);
    } finally {
      await listener.close();
      await silent.close();
    }
  });

  it('says when the port number is taken', async () => {
    const listener = await listenTcp(boardServer(), LOOPBACK);
    try {
      const port = Number(new URL(listener.uri).port);
      await expect(listenTcp(boardServer(), { ...LOOPBACK, port })).rejects.toMatchObject({
        code: 'CANNOT_LISTEN',
        data: { reason: 'EADDRINUSE' },
      });
    } finally {
      await listener.close();
    }
  });
});
