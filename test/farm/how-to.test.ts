import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withPrintedOutput } from '../docs/shown-commands.js';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { hasNats, type NatsServer, serverOfFile } from './nats-server.js';

const PAGE = 'docs/how-to/run-a-farm.md';
const serverFor = serverOfFile();

describe.runIf(isBuilt && hasNats)('the page on farms', { tags: 'long' }, () => {
  let server: NatsServer;
  let end: () => void = () => undefined;

  beforeAll(async () => {
    server = await serverFor();
    const args = ['farm', 'worker', '--nats', server.url, '--device', 'emulator:ideal-64', '--json'];
    const worker = new JsonProcess([BUILT_CLI, ...args], (ended) => (end = ended));
    await worker.next('offered');
  });
  afterAll(() => end());

  it('shows what its commands print (vitest run test/farm/how-to.test.ts -u)', async () => {
    const text = await withPrintedOutput(readRepositoryFile(PAGE), {
      '127.0.0.1:4222': `127.0.0.1:${server.port}`,
    });
    await expect(text).toMatchFileSnapshot(path.join(ROOT, PAGE));
  });
});
