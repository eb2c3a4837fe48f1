import { connect as connectTls } from 'node:tls';
import { expect, it, vi } from 'vitest';
import { connect, openPort } from '../../src/connect.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { withHub } from './shared-board.js';

/**
 * A certificate for 127.0.0.1 that nobody has signed, good until 2126, and its key. It protects nothing:
 * openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=IP:127.0.0.1,DNS:localhost
 */
const CERT = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUWmhcloWu7EHovZiGZgevXY3cp8wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTIzNTcxMVoYDzIxMjYxMTA3
MjM1NzExWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARBdxqxQm7ghLn+QmUbayee3PfEbJz3heHk+wu6v8uw7SI+Yp1iPkF7
0Nbu6nbVkvFwdK17LNpPWpWEtigBgzGFo28wbTAdBgNVHQ4EFgQUhol5EWAW9C70
dW96wNafJfl0UFAwHwYDVR0jBBgwFoAUhol5EWAW9C70dW96wNafJfl0UFAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgFMWoydTXN6gkkDPUKPXwIQqr2r4t3C6udbssD/XEgTgCIQC0
ZCjO9k/Fdeojbn2U3WFjF3FbIimMgUOgB1u9xg5jGQ==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh6oORW/U3NkQYxdP
XA+aZ7+IA1IjYoTLGIJ+3atemJehRANCAARBdxqxQm7ghLn+QmUbayee3PfEbJz3
heHk+wu6v8uw7SI+Yp1iPkF70Nbu6nbVkvFwdK17LNpPWpWEtigBgzGF
-----END PRIVATE KEY-----
`;
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
  ['a certificate that is none', { cert: 'junk', key: KEY }],
  ['a key that is none', { cert: CERT, key: CERT }],
])('%s is refused before a board is opened', async (_, pair) => {
  const opened = vi.fn<typeof openPort>(openPort);
  const started = withHub(() => Promise.resolve(), { tls: pair, openPort: opened });
  await expect(started).rejects.toMatchObject({
    code: 'BAD_FILE',
    message: expect.stringContaining('The certificate and its key'),
  });
  expect(opened).not.toHaveBeenCalled();
});

it('broken versions of TLS are not accepted', () =>
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
