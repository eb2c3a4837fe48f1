import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONNECTIONS_PER_ADDRESS_MAX, STRANGERS_MAX } from '../../../src/hub/connection-guard.js';
import { fileWriter } from '../../cli/support/temporary-files.js';
import { isBuilt } from '../../support/child-process.js';
import { CERT, KEY } from '../test-certificate.js';
import { type AttackedHub, attackedHub } from './attacked-hub.js';
import { openFrom, say } from './attacks.js';

const TOKEN = 'alice-0123456789abcdef-alice';
/** How many handshakes of each kind are begun. THERMOLINK_TEST_HANDSHAKES replaces this number. */
const HANDSHAKES = Number(process.env['THERMOLINK_TEST_HANDSHAKES'] ?? 3000);
const TOGETHER = 32;
/** Number of connections of good clients. One client drives the board, and the other asks for metrics. */
const GOOD = 2;
/** Number of bytes of a TLS ClientHello that an attacker sends before it goes silent. */
const HELLO_BYTES = 100;
/** The server closes all connections within this time. On an idle machine this takes about 6 s. */
const GIVEN_UP_MS = 120_000;

const file = fileWriter();

/** A TLS ClientHello as Node sends it. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const line = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(chunk);
        setImmediate(() => line.destroy());
      },
    });
    connectTls({ socket: line }).on('error', () => undefined);
  });
}

/** The number of connections that the server counts, including the connection of this question. */
function connectionsOf(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const asked = request({ port, path: '/metrics', ca: CERT, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(Number(/^thermolink_connections (\d+)$/m.exec(text)?.[1])));
    });
    asked.on('error', reject).end();
  });
}

/** Runs `attack` `count` times, of which at most TOGETHER run at the same time. */
async function many(count: number, attack: (number: number) => Promise<void>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < count) await attack(begun++);
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
}

describe.runIf(isBuilt && process.platform === 'linux')(
  'a hub with a certificate under attack',
  { tags: 'long' },
  () => {
    let hub: AttackedHub;

    beforeAll(async () => {
      const certificate = file('cert.pem', CERT);
      const tokens = file('tokens', `alice admin ${TOKEN}\n`);
      const tls = ['--tls-cert', certificate, '--tls-key', file('key.pem', KEY)];
      hub = await attackedHub(
        ['--device', 'a=emulator:ideal-8', '--token-file', tokens, ...tls],
        `?token_file=${file('alice', TOKEN)}&ca_file=${certificate}`,
      );
    });

    afterAll(() => hub?.close());

    it(`survives ${HANDSHAKES} handshakes that are begun and left, at each of three places`, async () => {
      const hello = await clientHello();
      const beginnings = { 'no byte': 0, 'half a hello': HELLO_BYTES, 'a whole hello': hello.length };
      for (const [name, length] of Object.entries(beginnings))
        await hub.during(`handshakes left after ${name}`, async () => {
          const open = new Set<object>();
          const ended: Promise<unknown>[] = [];
          let most = 0;
          await many(HANDSHAKES, async () => {
            const socket = await openFrom(hub.target);
            if (socket === undefined) return;
            open.add(socket);
            ended.push(
              new Promise((resolve) =>
                socket.once('close', () => {
                  open.delete(socket);
                  resolve(undefined);
                }),
              ),
            );
            socket.resume();
            if (length > 0) socket.write(hello.subarray(0, length));
          });
          // The server closes all these connections to make room for newer ones, or when their time is over.
          const startMs = performance.now();
          most = open.size;
          const late = new Promise((resolve) => setTimeout(resolve, GIVEN_UP_MS, 'late').unref());
          expect(await Promise.race([Promise.all(ended).then(() => 'closed'), late])).toBe('closed');
          const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
          expect(ended.length).toBe(HANDSHAKES);
          return `${ended.length} begun, ${most} open at the end of them, the last closed by the server ${seconds} s later`;
        });
    }, 400_000);

    it('ends handshakes whose time is over, and keeps a bounded number of them', async () => {
      await hub.during('handshakes left while nobody else comes', async () => {
        const sockets = await Promise.all(Array.from({ length: 400 }, () => openFrom(hub.target)));
        for (const socket of sockets) socket?.resume();
        const isOpen = (socket: (typeof sockets)[number]): boolean =>
          socket !== undefined && !socket.destroyed;
        // This connection comes after the 400 others, so its answer counts those that the server has kept.
        const kept = await connectionsOf(hub.target.port);
        expect(kept).toBeLessThanOrEqual(Math.min(STRANGERS_MAX, CONNECTIONS_PER_ADDRESS_MAX) + GOOD);
        const startMs = performance.now();
        await Promise.all(
          sockets.filter(isOpen).map((socket) => new Promise((resolve) => socket!.once('close', resolve))),
        );
        const seconds = (performance.now() - startMs) / 1000;
        expect(seconds).toBeLessThan(GIVEN_UP_MS / 1000);
        return `the server kept ${kept} connections of 402, the last was closed ${seconds.toFixed(1)} s later`;
      });
    }, 200_000);

    it(`survives ${HANDSHAKES} handshakes that are garbage`, async () => {
      const hello = await clientHello();
      await hub.during('garbage as TLS', async () => {
        const kinds: Record<string, () => Uint8Array> = {
          noise: () => randomBytes(600),
          // `length` has a wrong length of the record. `changed` has one changed byte.
          length: () => Buffer.concat([Uint8Array.of(22, 3, 1, 0xff, 0xff), randomBytes(600)]),
          changed: () => {
            const bytes = Buffer.from(hello);
            bytes[5 + (randomBytes(2).readUInt16LE() % (bytes.length - 5))] ^= 0xff;
            return bytes;
          },
          plain: () => Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
        };
        const names = Object.keys(kinds);
        const closed: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
        await many(HANDSHAKES, async (number) => {
          const name = names[number % names.length];
          await say(hub.target, kinds[name](), 200);
          closed[name]++;
        });
        return JSON.stringify(closed);
      });
    }, 400_000);

    it('survives clients that complete the handshake and then send nothing', async () => {
      await hub.during('whole handshakes, then silence', async () => {
        let whole = 0;
        const open: TLSSocket[] = [];
        await many(HANDSHAKES / 5, async () => {
          const raw = await openFrom(hub.target);
          if (raw === undefined) return;
          const secure = connectTls({ socket: raw, rejectUnauthorized: false });
          open.push(secure);
          await new Promise<void>((resolve) => {
            secure.once('secureConnect', () => {
              whole++;
              resolve();
            });
            secure.once('close', () => resolve());
            secure.on('error', () => undefined);
          });
        });
        for (const socket of open) socket.destroy();
        expect(whole).toBeGreaterThan(0);
        return `${whole} of ${HANDSHAKES / 5} whole`;
      });
    }, 400_000);
  },
);
