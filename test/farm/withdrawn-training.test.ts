import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { hasNats, NatsServer } from './nats-server.js';

const BOARD = 'emulator:ideal-crossbar';
const TIMEOUT_MS = 300_000;

describe.runIf(isBuilt && hasNats)('a training in a farm', { tags: 'long' }, () => {
  it('stops when it is withdrawn', { timeout: TIMEOUT_MS }, async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server.remove());
    const args = ['farm', 'worker', '--nats', server.url, '--device', BOARD, '--json'];
    const worker = new JsonProcess([BUILT_CLI, ...args]);
    await worker.next('offered', TIMEOUT_MS);
    const submit = (how: string): JsonProcess => {
      const words = ['farm', 'submit', 'train', 'ising', '--nats', server.url, '--json', how];
      return new JsonProcess([BUILT_CLI, ...words]);
    };
    const queued = submit('--detach');
    expect(await queued.ended(), queued.stderr).toBe(0);
    await worker.next('began', TIMEOUT_MS);
    const withdrawn = submit('--withdraw');
    expect(await withdrawn.ended(), withdrawn.stderr).toBe(0);
    expect(await worker.next('ended', TIMEOUT_MS)).toMatchObject({ how: 'withdrawn' });
  });
});
