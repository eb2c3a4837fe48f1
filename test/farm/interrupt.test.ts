import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { hasNats, NatsServer } from './nats-server.js';
import { PacedDevice } from './paced-device.js';

/** The board is slow: a solve takes some seconds. */
const TICKS_PER_MS = 0.02;
const INTERRUPTED = 130;

async function startWorker(server: NatsServer): Promise<JsonProcess> {
  const board = new BoardServer(new PacedDevice('ideal-8', TICKS_PER_MS));
  const listener = await listenTcp(board, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await listener.close();
    await board.close();
  });
  const args = ['farm', 'worker', '--nats', server.url, '--device', listener.uri, '--json'];
  const worker = new JsonProcess([BUILT_CLI, ...args]);
  await worker.next('offered');
  return worker;
}

function startClient(server: NatsServer): JsonProcess {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-farm-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [matrix, rhs] = [path.join(directory, 'A.csv'), path.join(directory, 'b.csv')];
  writeFileSync(matrix, '4,1\n1,3\n');
  writeFileSync(rhs, '1\n2\n');
  const args = ['--matrix', matrix, '--rhs', rhs, '--tolerance', '1e-2', '--nats', server.url];
  return new JsonProcess([BUILT_CLI, 'farm', 'submit', 'solve', ...args]);
}

describe.runIf(isBuilt && hasNats)('Ctrl-C in a farm', { tags: 'long' }, () => {
  it('at a client withdraws the job', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const worker = await startWorker(server);
    const client = startClient(server);
    await worker.next('began');
    expect(await client.end('SIGINT')).toBe(INTERRUPTED);
    expect(client.stderr).toContain('have left the queue');
    expect(await worker.next('ended')).toMatchObject({ how: 'withdrawn' });
    expect(await worker.end('SIGINT')).toBe(0);
  });

  it('ends a worker that does a job while the server is away', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const worker = await startWorker(server);
    startClient(server);
    await worker.next('began');
    await server.kill();
    await worker.said('is away');
    expect(await worker.end('SIGINT')).toBe(0);
    expect(await worker.next('closed')).toMatchObject({ done: 0, returned: 1 });
  });
});
