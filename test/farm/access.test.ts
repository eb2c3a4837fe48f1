import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectFarm, type FarmAddress, FarmClient } from '../../src/farm/index.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { hasNats, NatsServer } from './nats-server.js';

const LOOPBACK = ['-a', '127.0.0.1'];
const TOKEN = 'a-token-of-the-lab';

/** Makes a key and a certificate, which is signed by `signer` or by its own key. */
function makeCertificate(directory: string, name: string, signer?: string): void {
  const at = (file: string): string => path.join(directory, file);
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    at(`${name}.key`),
  ];
  const request = ['req', ...key, '-subj', `/CN=${name}`];
  if (signer === undefined) {
    run(...request, '-x509', '-days', '2', '-out', at(`${name}.pem`));
    return;
  }
  run(...request, '-out', at(`${name}.csr`));
  writeFileSync(at(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const by = ['-CA', at(`${signer}.pem`), '-CAkey', at(`${signer}.key`), '-CAcreateserial', '-days', '2'];
  run(
    'x509',
    '-req',
    '-in',
    at(`${name}.csr`),
    ...by,
    '-extfile',
    at(`${name}.ext`),
    '-out',
    at(`${name}.pem`),
  );
}

const refused = { code: 'CANNOT_CONNECT' };

async function boardsOf(address: FarmAddress): Promise<number> {
  const farm = await connectFarm(address);
  try {
    return (await new FarmClient(farm, 'test').boards()).length;
  } finally {
    await farm.close();
  }
}

describe.runIf(hasNats)('a farm', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-farm-'));
  const file = (name: string): string => path.join(directory, name);
  const pem = (name: string): string => readFileSync(file(name), 'utf8');

  beforeAll(() => {
    makeCertificate(directory, 'ca');
    makeCertificate(directory, 'other-ca');
    makeCertificate(directory, 'server', 'ca');
    makeCertificate(directory, 'client', 'ca');
    makeCertificate(directory, 'stranger', 'other-ca');
    writeFileSync(file('token'), `${TOKEN}\n`, { mode: 0o600 });
    writeFileSync(file('wrong-token'), 'another\n', { mode: 0o600 });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const start = async (...options: string[]): Promise<NatsServer> => {
    const server = await NatsServer.start([...LOOPBACK, ...options]);
    onTestFinished(() => server.remove());
    return server;
  };
  const tlsOf = (...more: string[]): string[] => [
    ...['--tls', '--tlscert', file('server.pem'), '--tlskey', file('server.key')],
    ...more,
  ];

  it('lets in clients with its token, and nobody else', async () => {
    const { url } = await start('--auth', TOKEN);
    expect(await boardsOf({ url, token: TOKEN })).toBe(0);
    await expect(boardsOf({ url, token: 'another' })).rejects.toMatchObject(refused);
    await expect(boardsOf({ url })).rejects.toMatchObject(refused);
  });

  it('is trusted by clients that know its authority, and by nobody else', async () => {
    const { port } = await start(...tlsOf());
    const url = `tls://127.0.0.1:${port}`;
    expect(await boardsOf({ url, tls: { ca: pem('ca.pem') } })).toBe(0);
    await expect(boardsOf({ url, tls: { ca: pem('other-ca.pem') } })).rejects.toMatchObject(refused);
    await expect(boardsOf({ url, tls: {} })).rejects.toMatchObject(refused);
  });

  it('that asks for certificates accepts clients with a certificate of its authority', async () => {
    const { port } = await start(...tlsOf('--tlsverify', '--tlscacert', file('ca.pem')));
    const url = `tls://127.0.0.1:${port}`;
    const ca = pem('ca.pem');
    const own = { ca, cert: pem('client.pem'), key: pem('client.key') };
    expect(await boardsOf({ url, tls: own })).toBe(0);
    const strange = { ca, cert: pem('stranger.pem'), key: pem('stranger.key') };
    await expect(boardsOf({ url, tls: strange })).rejects.toMatchObject(refused);
    await expect(boardsOf({ url, tls: { ca } })).rejects.toMatchObject(refused);
  });

  it('without TLS gets no token from a client that asks for TLS', async () => {
    const { port } = await start('--auth', TOKEN);
    const tls = { ca: pem('ca.pem') };
    const address = { url: `tls://127.0.0.1:${port}`, token: TOKEN, tls };
    await expect(boardsOf(address)).rejects.toMatchObject(refused);
  });

  it.runIf(isBuilt)('with token and TLS works for worker and client', { tags: 'long' }, async () => {
    const { port } = await start('--auth', TOKEN, ...tlsOf());
    const command = (name: string, token: string, ca: string, ...rest: string[]) =>
      new JsonProcess([
        ...[BUILT_CLI, 'farm', name, '--nats', `tls://127.0.0.1:${port}`],
        ...['--token-file', file(token), '--tls-ca', file(ca), ...rest],
      ]);
    const worker = command('worker', 'token', 'ca.pem', '--device', 'emulator:ideal-8', '--json');
    await worker.next('offered');
    expect(await command('status', 'token', 'ca.pem', '--json').ended()).toBe(0);
    for (const [token, ca] of [
      ['wrong-token', 'ca.pem'],
      ['token', 'other-ca.pem'],
    ]) {
      const status = command('status', token, ca);
      expect(await status.ended()).toBe(1);
      expect(status.stderr).toContain('CANNOT_CONNECT');
      expect(status.stderr).not.toContain(TOKEN);
    }
    expect(await worker.end('SIGINT')).toBe(0);
  });
});
