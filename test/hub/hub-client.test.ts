import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { ThermolinkError } from '../../src/errors.js';
import type { HubEvent } from '../../src/hub/api.js';
import { openHub } from '../../src/hub/client/index.js';
import { Tokens } from '../../src/hub/tokens.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { fileWriter, temporaryDirectory } from '../cli/support/temporary-files.js';
import { drive, runForLong, withHub } from './shared-board.js';
import { CERT, KEY } from './test-certificate.js';

const file = fileWriter();
const directory = temporaryDirectory();
const serverOf = (uri: string): string => uri.replace(/\/a(?=$|\?)/, '');

/** Runs `test` with the URI of a server that is not a hub. */
async function withServer(server: Server, test: (uri: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  try {
    await test(`hub://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the client of a server of shared boards', () => {
  it('lists boards and their health, with the URI of the server or of a board', () =>
    withHub(async (hub) => {
      const device = await drive(hub.uri());
      for (const uri of [hub.uri(), serverOf(hub.uri()), `${serverOf(hub.uri())}/`]) {
        const client = openHub(uri);
        expect(await client.boards()).toMatchObject([
          { name: 'a', health: 'good', lease: { owner: 'local' } },
        ]);
        expect(await client.health()).toMatchObject({ ok: true, boards: 1, states: { a: 'good' } });
        expect(await client.health({ board: 'a' })).toMatchObject({ ok: true });
        expect(await client.health({ all: true })).toMatchObject({ ok: true });
      }
      await device.close();
    }));

  it('reports that a board is not reached, without an error', () =>
    withHub(
      async (hub) => {
        expect(await openHub(hub.uri()).health()).toMatchObject({ ok: false, boardsGood: 0 });
      },
      { openPort: () => Promise.reject(new ThermolinkError('PORT_NOT_FOUND', 'It is not there.')) },
    ));

  it('watches and stops a board that another program drives', () =>
    withHub(async (hub) => {
      const client = openHub(hub.uri());
      const events = client.events();
      expect((await events.next()).value).toMatchObject({ type: 'hello', right: 'admin' });
      const device = await drive(hub.uri());
      const run = await runForLong(device);
      expect(await client.stop('a')).toBe('safe');
      expect(await run.finished).toMatchObject({ outcome: 'stopped' });
      expect(await client.tell('a', [{ training: 't', step: 1, values: { loss: 1 } }])).toBe(1);
      await device.close();
      // A view of the board may come after the end of the lease, because the server leaves some time between
      // two views.
      const missing = new Set(['board', 'runBegan', 'runEnded', 'note', 'stopped', 'leaseEnded']);
      for await (const event of events) {
        missing.delete(event.type === 'incident' ? event.what : event.type);
        if (missing.size === 0) break;
      }
      expect([...missing]).toEqual([]);
    }));

  it('switches a recording and saves it whole', () =>
    withHub(async (hub) => {
      const client = openHub(hub.uri());
      const saved = path.join(directory, 'session.mcap');
      await expect(client.saveRecording('a', saved)).rejects.toMatchObject({
        code: 'CANNOT_CONNECT',
        data: { statusCode: 404, reason: 'NOT_FOUND' },
      });
      expect(await client.record('a', true)).toMatchObject({ on: true });
      const device = await drive(hub.uri());
      await device.ping();
      await device.close();
      expect(await client.record('a', false)).toMatchObject({ on: false, hasTrace: true });
      await client.saveRecording('a', saved);
      const trace = await openTrace(saved);
      expect(trace).toBeDefined();
      expect(readFileSync(saved).subarray(1, 5).toString()).toBe('MCAP');
      await expect(client.saveRecording('a', path.join(directory, 'none', 'x.mcap'))).rejects.toMatchObject({
        code: 'BAD_FILE',
        message: expect.stringContaining('ENOENT'),
      });
    }));

  it('is told which right it lacks', async () => {
    const token = 'wall-0123456789abcdef-wall';
    return withHub(
      async (hub) => {
        const client = openHub(hub.uri(`?token_file=${file('wall', token)}`));
        expect(await client.boards()).toHaveLength(1);
        await expect(client.stop('a')).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
        const stranger = openHub(hub.uri(`?token_file=${file('wrong', 'x-0123456789abcdef-x')}`));
        await expect(stranger.boards()).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
        await expect(stranger.events().next()).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
      },
      { tokens: await Tokens.read(file('tokens', `wall observe ${token}\n`)) },
    );
  });

  it('reaches a server with a certificate', () =>
    withHub(
      async (hub) => {
        const client = openHub(hub.uri(`?ca_file=${file('cert.pem', CERT)}`));
        expect(await client.boards()).toHaveLength(1);
        const events = client.events();
        expect((await events.next()).value).toMatchObject({ type: 'hello' });
        await events.return();
        await expect(openHub(hub.uri()).boards()).rejects.toMatchObject({
          code: 'CANNOT_CONNECT',
          hint: expect.stringContaining('ca_file'),
        });
      },
      { tls: { cert: CERT, key: KEY } },
    ));

  it('ends a loop of events when it is aborted, and when the server ends', async () => {
    let events: AsyncGenerator<HubEvent> | undefined;
    await withHub(async (hub) => {
      const stop = new AbortController();
      const aborted = openHub(hub.uri()).events({ signal: stop.signal });
      await aborted.next();
      const rest = (async () => {
        for await (const event of aborted) expect(event.type).toBeDefined();
      })();
      stop.abort();
      await expect(rest).rejects.toMatchObject({ code: 'ABORTED' });
      events = openHub(hub.uri()).events();
      await events.next();
    });
    const all = (async () => {
      for await (const event of events!) expect(event.type).toBeDefined();
    })();
    await expect(all).rejects.toMatchObject({ code: 'LINK_LOST', retryable: true });
  });

  it('reads no more than a bounded number of events ahead of a slow loop', async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    // These are 16 MB, which is more than the buffers of the system for a connection.
    const text = 'x'.repeat(4000);
    sockets.on('connection', (socket) => {
      for (let timeMs = 0; timeMs < 4000; timeMs++)
        socket.send(
          JSON.stringify({ type: 'incident', timeMs, board: null, what: 'stopped', owner: null, text }),
        );
    });
    await withServer(server, async (uri) => {
      const events = openHub(uri).events();
      for (let timeMs = 0; timeMs < 200; timeMs++)
        expect((await events.next()).value).toMatchObject({ timeMs });
      const [socket] = sockets.clients;
      expect(socket.bufferedAmount).toBeGreaterThan(4 << 20);
      await events.return();
      socket.terminate();
    });
  });

  it.each([
    ['another program', 200, 'hello'],
    ['another version', 200, '{"boards":[{"name":"a"}]}'],
    ['an error page', 500, '<html>'],
  ])('refuses the answer of %s', (_, status, text) =>
    withServer(
      createServer((__, response) => response.writeHead(status).end(text)),
      async (uri) => {
        await expect(openHub(uri).boards()).rejects.toMatchObject({
          code: 'CANNOT_CONNECT',
          hint: expect.stringContaining('thermolink serve'),
        });
        await expect(openHub(uri).events().next()).rejects.toMatchObject({ code: 'CANNOT_CONNECT' });
      },
    ),
  );

  it('waits for an answer until its deadline, and ends when it is aborted', () =>
    withServer(
      createServer((request, response) => {
        // The request for the boards gets an answer that never ends. The request for the health gets none.
        if (request.url === '/api/boards') response.writeHead(200).write('{');
      }),
      async (uri) => {
        const client = openHub(uri);
        for (const ask of [
          (options: object) => client.boards(options),
          (options: object) => client.health(options),
        ]) {
          await expect(ask({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'NO_ANSWER' });
          await expect(ask({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'ABORTED' });
          await expect(ask({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
        }
      },
    ));

  it('leaves nothing of a recording that ends early, and keeps the older file', () =>
    withServer(
      createServer((_, response) => {
        response.writeHead(200, { 'Content-Length': 1000 });
        response.write('half', () => response.destroy());
      }),
      async (uri) => {
        const saved = file('older.mcap', 'older');
        await expect(openHub(uri).saveRecording('a', saved)).rejects.toMatchObject({ code: 'LINK_LOST' });
        expect(readFileSync(saved, 'utf8')).toBe('older');
        expect(readdirSync(path.dirname(saved)).filter((name) => name.endsWith('.part'))).toEqual([]);
        expect(existsSync(saved)).toBe(true);
      },
    ));

  it('refuses wrong arguments before it connects', async () => {
    expect(() => openHub('tcp://127.0.0.1:1')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
    expect(() => openHub('hub://127.0.0.1:1?token=x')).toThrow(
      expect.objectContaining({ code: 'BAD_DEVICE_URI' }),
    );
    expect(() => openHub(7 as never)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
    const client = openHub('hub://127.0.0.1:1');
    await expect(client.stop('../a')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(client.boards({ timeoutMs: Number.NaN })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(client.record('a', 1 as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(client.saveRecording('a', '')).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(client.tell('a', [])).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(client.health({ board: 'a', all: true })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });
});
