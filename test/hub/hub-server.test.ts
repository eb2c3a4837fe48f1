import { describe, expect, it } from 'vitest';
import { solve } from '../../src/algorithms/solve/solve.js';
import { connect, openPort } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import type { HubEventOf } from '../../src/hub/api.js';
import { startHub } from '../../src/hub/start-hub.js';
import { matrix } from '../../src/linalg/matrix.js';
import { ask, drive, runForLong, withHub } from './shared-board.js';

describe('a shared board', () => {
  it('gives the bits of the board itself', () =>
    withHub(async (hub) => {
      const shared = await drive(hub.uri());
      const direct = await connect('emulator:ideal-8');
      expect(shared.identity).toEqual(direct.identity);
      expect(await solved(shared)).toEqual(await solved(direct));
      await shared.close();
      await direct.close();
    }));

  it('has one driver, and tells others its name', () =>
    withHub(async (hub) => {
      const first = await drive(hub.uri());
      await expect(drive(hub.uri())).rejects.toMatchObject({
        code: 'BUSY',
        message: expect.stringContaining('local has the board'),
        hint: expect.stringContaining('wait_s'),
      });
      // The first driver can still use the board.
      expect((await first.readStatus()).state).toBe('idle');
      await first.close();
    }));

  it('goes to the waiting client when its driver leaves', () =>
    withHub(async (hub) => {
      const first = await drive(hub.uri());
      const second = drive(hub.uri('?wait_s=60'));
      await hub.event(
        ({ type, ...event }) => type === 'incident' && 'what' in event && event.what === 'queued',
      );
      await first.close();
      expect((await (await second).readStatus()).state).toBe('idle');
      await (await second).close();
    }));

  it('is taken over by another program of its owner, and the program that had it is told', () =>
    withHub(async (hub) => {
      const first = await drive(hub.uri());
      const run = await runForLong(first);
      const second = await drive(hub.uri('?takeover=1'));
      expect((await second.readStatus()).state).toBe('idle');
      await expect(run.finished).rejects.toMatchObject({ code: 'LINK_LOST' });
      await first.close();
      await second.close();
    }));

  it('is safe when its driver vanishes during a run, and works for the next driver', () =>
    withHub(async (hub) => {
      const port = await openPort(hub.uri());
      const first = await Device.open(port);
      const run = await runForLong(first);
      await hub.event((event) => event.type === 'board' && event.board.state === 'running');
      const seen = hub.events.length;
      await port.close();
      await expect(run.finished).rejects.toMatchObject({ code: 'LINK_LOST' });
      await hub.event((event) => event.type === 'board' && isFreeAndSafe(event), seen);
      const second = await drive(hub.uri());
      expect((await solved(second)).length).toBe(2);
      await second.close();
    }));
});

describe('a server without tokens', () => {
  it('is refused if other machines could reach it', async () => {
    const starting = startHub({
      devices: [{ name: 'a', uri: 'emulator:ideal-8' }],
      host: '0.0.0.0',
      version: 'test',
    });
    await expect(starting).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      hint: expect.stringContaining('tokens'),
    });
  });

  it.each([
    ['a page of another origin', { Origin: 'http://evil.example' }],
    ['a page without an origin', { Origin: 'null' }],
    ['a name that points here (DNS rebinding)', { Host: 'evil.example' }],
  ])('refuses %s', (_, headers) =>
    withHub(async (hub) => {
      const { status, body } = await ask(hub, 'GET', '/api/boards', undefined, headers);
      expect(status).toBe(403);
      expect(body).toMatchObject({ code: 'NOT_ALLOWED' });
    }),
  );

  it('answers its own page, and a page that is listed', () =>
    withHub(
      async (hub) => {
        const own = await ask(hub, 'GET', '/api/boards', undefined, { Origin: hub.url });
        expect(own.status).toBe(200);
        expect(own.body).toMatchObject({ boards: [{ name: 'a' }] });
        expect(
          (await ask(hub, 'GET', '/api/boards', undefined, { Origin: 'https://lab.example' })).status,
        ).toBe(200);
      },
      { origins: ['https://lab.example'] },
    ));
});

function isFreeAndSafe({ board }: HubEventOf<'board'>): boolean {
  return board.lease === null && board.state === 'safe';
}

async function solved(device: Device) {
  const a = matrix(2, 2, Float64Array.of(4, 1, 1, 3));
  const { x } = await solve(device, {
    system: { kind: 'dense', matrix: a },
    drive: Float64Array.of(1, 2),
    tolerance: 1e-2,
    address: { seed: 1, step: 1, block: 0 },
  });
  return [...x];
}
