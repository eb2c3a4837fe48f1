import { truncateSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { answerFile } from '../../src/hub/http-answers.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { withHub } from './shared-board.js';

const file = fileWriter();

it('a chunked body that is too long gets a refusal', () =>
  withHub(async ({ url }) => {
    const { hostname, port, host } = new URL(url);
    const head = `POST /api/boards/a/recording HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const heard = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes.toString();
      });
      socket.on('end', () => resolve(text)).on('error', reject);
      // The end of the body never comes.
      socket.write(`${head}${chunk.repeat(5)}`);
    });
    expect(heard.slice(9, 12)).toBe('413');
    expect(heard).toContain('BAD_ARGUMENT');
  }));

it('a download that nobody reads is ended', async () => {
  const trace = file('large', '');
  // The file is larger than the buffer that the system keeps for a reader.
  truncateSync(trace, 64 << 20);
  let server: Server | undefined;
  try {
    const ended = new Promise<boolean>((resolve) => {
      server = createServer((_, response) => {
        response.on('close', () => resolve(response.writableFinished));
        void answerFile(response, trace, 'a.mcap', 50);
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const socket = connect((server!.address() as AddressInfo).port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await ended).toBe(false);
    socket.destroy();
  } finally {
    server?.close();
  }
});
