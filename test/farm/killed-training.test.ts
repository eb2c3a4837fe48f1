import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newsSubject } from '../../src/farm/farm-names.js';
import { connectFarm } from '../../src/farm/index.js';
import { readNews } from '../../src/farm/messages.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { hasNats, NatsServer } from './nats-server.js';
import { trainedFiles } from './trained-files.js';

const BOARD = 'emulator:ideal-crossbar';
const TIMEOUT_MS = 300_000;
const INTERRUPTED = 130;
const TRAINING = ['ising', '--sites', '8', '--chains', '128', '--ticks', '128', '--steps', '200'];

/** Waits until a board has done about a tenth of its job. */
async function partlyDone(server: NatsServer): Promise<void> {
  const farm = await connectFarm({ url: server.url });
  try {
    for await (const message of farm.connection.subscribe(newsSubject('*'))) {
      const news = readNews(message.string());
      if (news?.is === 'progress' && news.share > 0.1) return;
    }
  } finally {
    await farm.close();
  }
}

describe.runIf(isBuilt && hasNats)('a training in a farm', { tags: 'long' }, () => {
  it('has the files of a local one though worker, clients and server are killed', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const root = mkdtempSync(join(tmpdir(), 'thermolink-train-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const [near, far] = [join(root, 'near'), join(root, 'far')];
    const local = new JsonProcess([
      BUILT_CLI,
      'train',
      ...TRAINING,
      '--device',
      BOARD,
      '--out',
      near,
      '--json',
    ]);
    expect(await local.ended(), local.stderr).toBe(0);
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const startWorker = async (): Promise<JsonProcess> => {
      const args = ['farm', 'worker', '--nats', server.url, '--device', BOARD, '--json'];
      const worker = new JsonProcess([BUILT_CLI, ...args]);
      await worker.next('offered', TIMEOUT_MS);
      return worker;
    };
    const submit = (...more: string[]): JsonProcess => {
      const args = ['farm', 'submit', 'train', ...TRAINING, '--nats', server.url, '--out', far, ...more];
      return new JsonProcess([BUILT_CLI, ...args]);
    };
    const first = await startWorker();
    const killed = submit();
    await first.next('began', TIMEOUT_MS);
    await partlyDone(server);
    await killed.end('SIGKILL');
    await first.end('SIGKILL');
    const second = await startWorker();
    const left = submit();
    await second.next('began', TIMEOUT_MS);
    await left.said('is queued', TIMEOUT_MS);
    expect(await left.end('SIGINT')).toBe(INTERRUPTED);
    expect(left.stderr).toContain('The training stays in the farm');
    await server.kill();
    await second.said('is away', TIMEOUT_MS);
    await server.start();
    const last = submit('--json');
    expect(await last.ended(), last.stderr).toBe(0);
    expect(trainedFiles(far)).toEqual(trainedFiles(near));
  });
});
