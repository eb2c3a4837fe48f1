import { describe, expect, it } from 'vitest';
import type { Board } from '../../emulator/firmware/board.js';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { FAULT } from '../../firmware-protocol/messages/system.js';
import { connect } from '../../src/connect.js';
import type { Logger } from '../../src/driver/logger.js';
import { Tokens } from '../../src/hub/tokens.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { ask, drive, runForLong, withHub } from './shared-board.js';

describe('the metrics of a hub', () => {
  it('count the traffic of each board, under the names that the server was given', () =>
    withHub(
      async (hub) => {
        expect((await metricsOf(hub)).get('thermolink_runs_total{board="a"}')).toBe(0);
        const device = await drive(hub.uri());
        await runForLong(device);
        const during = await metricsOf(hub);
        expect(during.get('thermolink_board_leased{board="a"}')).toBe(1);
        expect(during.get('thermolink_board_running{board="a"}')).toBe(1);
        await device.stop();
        await device.close();
        const after = await metricsOf(hub);
        expect(after.get('thermolink_runs_total{board="a"}')).toBe(1);
        expect(after.get('thermolink_runs_total{board="b"}')).toBe(0);
        expect(after.get('thermolink_leases_total{board="a"}')).toBe(1);
        expect(after.get('thermolink_board_up{board="b"}')).toBe(1);
        const trips = after.get('thermolink_round_trip_seconds_count{board="a"}')!;
        expect(trips).toBeGreaterThan(4);
        expect(after.get('thermolink_round_trip_seconds_bucket{le="+Inf",board="a"}')).toBe(trips);
        const boards = [...after.keys()].flatMap((key) => /board="([^"]*)"/.exec(key)?.[1] ?? []);
        expect(new Set(boards)).toEqual(new Set(['a', 'b']));
      },
      {
        devices: [
          { name: 'a', uri: 'emulator:ideal-8' },
          { name: 'b', uri: 'emulator:ideal-8' },
        ],
      },
    ));

  it('count a fault once, and show it while it is latched', async () => {
    const emulated = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    const server = new BoardServer(emulated);
    const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
    try {
      await withHub(
        async (hub) => {
          const device = await drive(hub.uri());
          const faults = async (): Promise<(number | undefined)[]> => {
            await device.readStatus();
            const metrics = await metricsOf(hub);
            return ['faults_total', 'board_fault'].map((name) =>
              metrics.get(`thermolink_${name}{board="a"}`),
            );
          };
          expect(await faults()).toEqual([0, 0]);
          // No command can cause this fault, so the test sets it directly.
          const board = emulated.board as Board;
          board.fault = FAULT.selfTest;
          board.input('faulted');
          expect(await faults()).toEqual([1, 1]);
          expect(await faults()).toEqual([1, 1]);
          await device.acknowledge();
          expect(await faults()).toEqual([1, 0]);
          await device.close();
        },
        { devices: [{ name: 'a', uri: listener.uri }] },
      );
    } finally {
      const closing = listener.close();
      await server.close();
      await closing;
    }
  });

  it('are given only with a token', () =>
    withHub(
      async (hub) => {
        expect(await ask(hub, 'GET', '/metrics')).toMatchObject({ status: 401 });
        expect(
          await ask(hub, 'GET', '/metrics', undefined, { Authorization: 'Bearer secret-of-the-wall' }),
        ).toMatchObject({ status: 200 });
      },
      { tokens: Tokens.single('secret-of-the-wall', 'a test') },
    ));
});

describe('the logs of a hub', () => {
  it('join each request of a client with its lease, and hold no token', async () => {
    const served: Line[] = [];
    const client: Line[] = [];
    process.env['THERMOLINK_TOKEN'] = 'secret-of-the-driver';
    try {
      await withHub(
        async (hub) => {
          const device = await drive(hub.uri(), { log: loggerTo(client) });
          await device.readStatus();
          await device.close();
        },
        { log: loggerTo(served), tokens: Tokens.single('secret-of-the-driver', 'a test') },
      );
    } finally {
      delete process.env['THERMOLINK_TOKEN'];
    }
    const lease = client.find(({ text }) => text === 'session opened')!.facts['lease'];
    expect(lease).toMatch(/^[0-9a-f]{8}$/);
    const sent = client.find(
      ({ text, facts }) => text === 'frame sent' && facts['message'] === 'readStatus',
    )!;
    expect(served).toContainEqual({
      text: 'answered',
      facts: {
        ...{ board: 'a', lease, command: 'readStatus', requestId: sent.facts['requestId'], refused: false },
        seconds: expect.any(Number),
      },
    });
    expect(JSON.stringify([served, client])).not.toContain('secret-of-the-driver');
  });

  it('contain the lease of a program that has found its board again', () => {
    const served: Line[] = [];
    const client: Line[] = [];
    return withHub(
      async (hub) => {
        let found = (): void => undefined;
        const again = new Promise<void>((resolve) => (found = resolve));
        const device = await connect(hub.uri('?wait_s=30'), {
          reconnect: { delayMsFirst: 1 },
          log: loggerTo(client),
          onEvent: ({ kind }) => {
            if (kind === 'reconnected' || kind === 'resumed') found();
          },
        });
        await (await drive(hub.uri('?takeover=1'))).close();
        await again;
        await device.readStatus();
        await device.close();
        const [first, second] = client
          .filter(({ text }) => /^(session opened|board (reconnected|resumed))$/.test(text))
          .map(({ facts }) => facts['lease']);
        expect(second).toMatch(/^[0-9a-f]{8}$/);
        expect(second).not.toBe(first);
        const read = served.findLast(({ facts }) => facts['command'] === 'readStatus' && facts['lease']);
        expect(read!.facts['lease']).toBe(second);
      },
      { log: loggerTo(served) },
    );
  });
});

interface Line {
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

function loggerTo(lines: Line[]): Logger {
  const log = (facts: object, text: string): void => {
    lines.push({ text, facts: facts as Line['facts'] });
  };
  return { isLevelEnabled: () => true, trace: log, debug: log, info: log, warn: log };
}

/** All figures by name and labels, read as Prometheus reads them. */
async function metricsOf(hub: Parameters<typeof ask>[0]): Promise<Map<string, number>> {
  const { bytes } = await ask(hub, 'GET', '/metrics');
  const lines = bytes!.toString().split('\n');
  return new Map(
    lines.flatMap((line) => {
      const match = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
      return match === null ? [] : [[match[1], Number(match[2])] as const];
    }),
  );
}
