import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/connect.js';
import type { Device } from '../../../src/driver/device.js';
import { CONNECTIONS_PER_ADDRESS_MAX, STRANGERS_MAX } from '../../../src/hub/connection-guard.js';
import { fileWriter } from '../../cli/support/temporary-files.js';
import { isBuilt } from '../../support/child-process.js';
import { diagonalProgram } from '../../support/test-board.js';
import { type AttackedHub, attackedHub } from './attacked-hub.js';
import {
  dropConnections,
  greedyWay,
  HUGE_FRAME,
  openFrom,
  requestText,
  say,
  type Target,
  webSocketRequest,
} from './attacks.js';

const TOKEN = 'alice-0123456789abcdef-alice';
/** How many connections are opened and dropped. THERMOLINK_TEST_CONNECTIONS replaces this number. */
const CONNECTIONS = Number(process.env['THERMOLINK_TEST_CONNECTIONS'] ?? 100_000);

const file = fileWriter();

/**
 * One server in a process of its own is attacked from another address of this machine, while a good client
 * drives its board. The measured numbers are printed.
 */
describe.runIf(isBuilt && process.platform === 'linux')('a hub under attack', { tags: 'long' }, () => {
  let hub: AttackedHub;
  let target: Target;
  let device: Device;
  const during: AttackedHub['during'] = (name, attack) => hub.during(name, attack);

  beforeAll(async () => {
    const boards = ['--device', 'a=emulator:ideal-8', '--device', 'b=emulator:ideal-64'];
    const tokens = file('tokens', `alice admin ${TOKEN}\n`);
    hub = await attackedHub([...boards, '--token-file', tokens], `?token_file=${file('alice', TOKEN)}`);
    ({ target, device } = hub);
  });

  afterAll(() => hub?.close());

  it(`takes ${CONNECTIONS} connections that are opened and dropped`, async () => {
    await during('opened and dropped', async () => {
      const opened = await dropConnections(target, CONNECTIONS, 32);
      expect(opened).toBeGreaterThan(CONNECTIONS / 2);
      return `${opened} of ${CONNECTIONS} opened`;
    });
  }, 240_000);

  it('survives connections that stay silent, or send a request letter by letter', async () => {
    await during('silent and slow', async () => {
      const sockets = await Promise.all(Array.from({ length: 400 }, () => openFrom(target)));
      for (const socket of sockets) socket?.resume();
      const text = requestText('GET', '/api/boards', target.port, { 'X-Long': 'x'.repeat(64) });
      for (let at = 0; at < 40; at++) {
        for (const socket of sockets) if (socket?.writable) socket.write(text[at]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const open = sockets.filter((socket) => socket !== undefined && !socket.destroyed).length;
      for (const socket of sockets) socket?.destroy();
      expect(open).toBeLessThanOrEqual(Math.min(STRANGERS_MAX, CONNECTIONS_PER_ADDRESS_MAX));
      return `${open} of 400 still open`;
    });
  }, 60_000);

  it('survives guessed tokens, and accepts a right token from the same address', async () => {
    await during('guessed tokens', async () => {
      const statuses: Record<string, number> = {};
      for (let i = 0; i < 500; i++) {
        const guess = { Authorization: `Bearer guess-${i}-0123456789`, Connection: 'close' };
        const answer = await say(target, requestText('GET', '/api/boards', target.port, guess));
        const status = answer.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      expect(statuses).toEqual({ 401: 10, 429: 490 });
      const right = { Authorization: `Bearer ${TOKEN}`, Connection: 'close' };
      const answer = await say(target, requestText('GET', '/api/boards', target.port, right));
      expect(answer.slice(9, 12)).toBe('200');
      return JSON.stringify(statuses);
    });
  }, 60_000);

  it('survives announced bodies and WebSocket frames of 4 GiB, and a head of 1 MiB', async () => {
    await during('4 GB announced', async () => {
      const { port } = target;
      const bearer = { Authorization: `Bearer ${TOKEN}` };
      const from = { ...target, from: '127.0.0.67' };
      const body = { ...bearer, 'Content-Length': '4294967296', 'Content-Type': 'application/json' };
      const answers: string[] = [];
      for (let i = 0; i < 20; i++) {
        answers.push(
          (await say(from, requestText('POST', '/api/boards/a/recording', port, body))).slice(9, 12),
        );
        await say(from, `GET / HTTP/1.1\r\nHost: ${'x'.repeat(1 << 20)}`);
        const request = Buffer.from(webSocketRequest('/api/events', port));
        const heard = await say(from, Buffer.concat([request, HUGE_FRAME]));
        expect(heard.slice(9, 12)).toBe('101');
      }
      expect(new Set(answers)).toEqual(new Set(['413']));
      return '60 times refused';
    });
  }, 120_000);

  it('refuses a forged Origin and a foreign Host, even with the right token', async () => {
    await during('forged Origin', async () => {
      const { port } = target;
      const from = { ...target, from: '127.0.0.68' };
      const forged = { Authorization: `Bearer ${TOKEN}`, Origin: 'http://evil.example', Connection: 'close' };
      const foreign = { Authorization: `Bearer ${TOKEN}`, Host: 'evil.example', Connection: 'close' };
      for (let i = 0; i < 50; i++) {
        expect((await say(from, requestText('POST', '/api/boards/a/stop', port, forged))).slice(9, 12)).toBe(
          '403',
        );
        expect((await say(from, requestText('GET', '/api/boards', port, foreign))).slice(9, 12)).toBe('403');
        const socket = webSocketRequest('/api/events', port, { Origin: 'http://evil.example' });
        expect((await say(from, socket)).slice(9, 12)).toBe('403');
      }
      return '150 times refused';
    });
  }, 120_000);

  it('survives observers that read nothing', async () => {
    await during('slow readers', async () => {
      const { port } = target;
      const from = { ...target, from: '127.0.0.69' };
      const sockets = await Promise.all(
        Array.from({ length: 24 }, async () => {
          const socket = await openFrom(from);
          socket?.pause();
          socket?.write(webSocketRequest('/api/events', port, { Authorization: `Bearer ${TOKEN}` }));
          return socket;
        }),
      );
      const endMs = performance.now() + 10_000;
      let pings = 0;
      while (performance.now() < endMs) {
        await device.ping();
        pings++;
      }
      for (const socket of sockets) socket?.destroy();
      return `24 observers read nothing, ${pings} pings of the driver passed`;
    });
  }, 60_000);

  it('survives a driver that asks for all samples at once and stops reading; the driver loses the board, which becomes safe', async () => {
    await during('slow driver', async () => {
      const way = await greedyWay({ ...target, from: '127.0.0.70' });
      const uri = `hub://127.0.0.1:${way.port}/b?token_file=${file('alice', TOKEN)}`;
      const greedy = await connect(uri, { reconnect: false });
      try {
        await greedy.loadProgram(0, diagonalProgram(64));
        const run = await greedy.run({
          bank: 0,
          runSeed: 1,
          burnInTicks: 0,
          sampleCount: 50_000_000,
          ticksPerSample: 1,
        });
        const lost = run.finished.catch((error: unknown) => error);
        const startMs = performance.now();
        way.stopReading();
        expect(await lost).toMatchObject({ code: 'LINK_LOST' });
        const seconds = (performance.now() - startMs) / 1000;
        const bearer = { Authorization: `Bearer ${TOKEN}`, Connection: 'close' };
        let board: string | undefined;
        for (let i = 0; i < 50 && board === undefined; i++) {
          const heard = await say(target, requestText('GET', '/api/boards', target.port, bearer));
          board = /"name":"b".*"state":"safe".*"lease":null/.exec(heard)?.[0];
        }
        expect(board).toBeDefined();
        return `lost the board after ${seconds.toFixed(1)} s`;
      } finally {
        await greedy.close();
        way.close();
      }
    });
  }, 120_000);
});
