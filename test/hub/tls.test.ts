import { connect as connectTls } from 'node:tls';
import { expect, it, vi } from 'vitest';
import { connect, openPort } from '../../src/connect.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { withHub } from './shared-board.js';
import { CERT, KEY } from './test-certificate.js';

const tls = { cert: CERT, key: KEY };
const file = fileWriter();

it('clients that trust the certificate of a server reach it by hubs://', () =>
  withHub(
    async (hub) => {
      expect(hub.uri()).toMatch(/^hubs:/);
      const device = await connect(hub.uri(`?ca_file=${file('cert.pem', CERT)}`));
      expect((await device.readStatus()).state).toBe('idle');
      await device.close();
      await expect(connect(hub.uri())).rejects.toMatchObject({
        code: 'CANNOT_CONNECT',
        hint: expect.stringContaining('ca_file'),
      });
    },
    { tls },
  ));

it('a client without TLS is told to use it', () =>
  withHub(
    async (hub) => {
      await expect(connect(hub.uri().replace('hubs:', 'hub:'))).rejects.toMatchObject({
        code: 'CANNOT_CONNECT',
        hint: expect.stringContaining('hubs://'),
      });
    },
    { tls },
  ));

it('a client with TLS at a server without a certificate is told not to use it', () =>
  withHub(async (hub) => {
    await expect(connect(hub.uri().replace('hub:', 'hubs:'))).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      hint: expect.stringContaining('hub://'),
    });
  }));

it.each([
  ['a text that is not a certificate', { cert: 'junk', key: KEY }],
  ['a certificate in place of a key', { cert: CERT, key: CERT }],
])('%s is refused before a board is opened', async (_, pair) => {
  const opened = vi.fn<typeof openPort>(openPort);
  const started = withHub(() => Promise.resolve(), { tls: pair, openPort: opened });
  await expect(started).rejects.toMatchObject({
    code: 'BAD_FILE',
    message: expect.stringContaining('The certificate and its key'),
  });
  expect(opened).not.toHaveBeenCalled();
});

it('old, insecure versions of TLS are not accepted', () =>
  withHub(
    async (hub) => {
      const { hostname: host, port } = new URL(hub.url);
      const socket = connectTls({
        host,
        port: Number(port),
        ca: CERT,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
      });
      await expect(
        new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
      ).rejects.toThrow(/protocol|alert|version/i);
      socket.destroy();
    },
    { tls },
  ));
