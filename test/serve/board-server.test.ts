import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { encodeCommand } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { TABLE_HASH } from '../../firmware-protocol/version.js';
import { Device } from '../../src/driver/device.js';
import {
  BoardServer,
  BUSY_GRACE_MS,
  CONNECTIONS_MAX,
  HELLO_TIMEOUT_MS,
  LINE_SILENCE_MS,
  type ServerEvent,
} from '../../src/serve/board-server.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { diagonalProgram } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A run that never ends by itself. */
const ENDLESS = {
  bank: 0,
  runSeed: 1,
  burnInTicks: Number.MAX_SAFE_INTEGER,
  sampleCount: 0,
  ticksPerSample: 0,
};

/** A run with so many samples that it never ends in these tests. */
const ENDLESS_SAMPLES = {
  ...ENDLESS,
  burnInTicks: 0,
  sampleCount: 1e9,
  ticksPerSample: 1,
  watchdogMs: 60_000,
};

/** A served board in virtual time, and ports to it. */
function serve() {
  const clock = new VirtualClock();
  const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  const events: ServerEvent[] = [];
  const server = new BoardServer(board, { clock, onEvent: (event) => events.push(event) });
  let count = 0;
  const reach = (add: (port: Port) => void): Port => {
    const [near, far] = memoryPortPair(`client ${++count}`);
    add(far);
    return near;
  };
  return {
    clock,
    board,
    events,
    server,
    connection: () => reach((port) => server.addConnection(port)),
    line: (hasClient?: () => boolean) => reach((port) => server.addLine(port, hasClient)),
    open: (port: Port) => clock.run(Device.open(port, { clock })),
    refusal: (port: Port) =>
      clock.run(
        Device.open(port, { clock }).then(
          () => Promise.reject(new Error('it opened')),
          (error: { code: string }) => error.code,
        ),
      ),
    wait: (ms: number) => clock.run(new Promise<void>((resolve) => clock.schedule(ms, resolve))),
  };
}

const closed = (port: Port): Promise<void> => new Promise((resolve) => port.onClose(() => resolve()));

function helloFrame(major: number): Uint8Array {
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const fields = {
    nonce,
    major,
    minor: 0,
    tableHash: TABLE_HASH,
    frameBytes: 8192,
    window: 1,
    purpose: 0,
  } as const;
  const payload = encodeCommand('hello', 0, fields);
  return encodeFrame({ channel: CHANNEL.open, session: 0, flags: 0, seq: 0, ack: 0, payload });
}

describe('one board, one client', () => {
  it('tells a second client BUSY and closes its connection, and the first client keeps the board', async () => {
    const { clock, connection, open, refusal, board, events } = serve();
    const first = await open(connection());
    await clock.run(first.loadProgram(0, diagonalProgram(8)));
    const second = connection();
    const beforeMs = clock.nowMs();
    expect(await refusal(second)).toBe('BUSY');
    expect(clock.nowMs() - beforeMs).toBe(BUSY_GRACE_MS);
    expect(second.closed).toBe(true);
    expect((await clock.run(first.readStatus())).state).toBe('configured');
    expect(board.link.counters.framesForeign).toBe(0);
    expect(events.map(({ event }) => event)).toEqual(['connected', 'refused']);
  });

  it('a host that connects again before the server notices the end of its old connection gets the board', async () => {
    const { clock, connection, open, events } = serve();
    const old = connection();
    await open(old);
    const again = connection();
    const opening = open(again);
    clock.schedule(BUSY_GRACE_MS - 1, () => void old.close());
    const device = await opening;
    expect((await clock.run(device.readStatus())).state).toBe('idle');
    expect(events.map(({ event }) => event)).toEqual(['connected', 'left', 'connected']);
  });

  it('the first of several waiting clients gets the board, and the others are told BUSY', async () => {
    const { clock, connection, open } = serve();
    const old = connection();
    await open(old);
    clock.schedule(BUSY_GRACE_MS / 2, () => void old.close());
    const opening = Promise.allSettled(
      [connection(), connection()].map((port) => Device.open(port, { clock })),
    );
    const [first, second] = await clock.run(opening);
    expect(first).toMatchObject({ status: 'fulfilled', value: { sessionCount: 1 } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } });
  });

  it('a client of another protocol version is reported as refused, not as the client that has the board', async () => {
    const { clock, connection, events } = serve();
    await clock.run(connection().write(helloFrame(99)));
    expect(events).toEqual([{ event: 'refused', client: 'client 1', reason: 'version' }]);
  });

  it('when a client leaves during a run, the board is safe at once and keeps its programs', async () => {
    const { clock, connection, open, board, events } = serve();
    const port = connection();
    const first = await open(port);
    await clock.run(first.loadProgram(0, diagonalProgram(8)));
    await clock.run(first.run(ENDLESS));
    expect(board.board.state).toBe('running');
    const beforeMs = clock.nowMs();
    await clock.run(port.close());
    expect(board.board).toMatchObject({ state: 'safe', run: undefined, watchdogTrips: 0 });
    expect(clock.nowMs()).toBe(beforeMs);
    expect(events.at(-1)).toMatchObject({ event: 'left', stoppedRunId: 1, state: 'safe' });
    const next = await open(connection());
    expect(await clock.run(next.readStatus())).toMatchObject({ state: 'idle', committedBanks: 1, runId: 0 });
  });

  it('half a frame from the last client, and bytes on the way to it, do not reach the next client', async () => {
    const { clock, connection, open, board } = serve();
    const port = connection();
    const first = await open(port);
    // The line holds an unacknowledged answer and the beginning of a frame.
    void first.ping().catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    await clock.run(port.write(Uint8Array.of(9, 1, 2, 3)));
    await clock.run(port.close());
    const bytes: number[] = [];
    const stranger = connection();
    stranger.onData((chunk) => bytes.push(...chunk));
    // A HELLO of another major version opens no session, so only its refusal may come.
    await clock.run(stranger.write(helloFrame(99)));
    const next = await open(connection());
    await clock.run(next.ping());
    expect(board.link.counters.faults.crc).toBe(0);
    expect(bytes.filter((byte) => byte === 0)).toHaveLength(2);
  });

  it('a HELLO of another protocol version does not block the board for other clients', async () => {
    const { clock, connection, open } = serve();
    const stranger = connection();
    const gone = closed(stranger);
    await clock.run(stranger.write(helloFrame(99)));
    const device = await open(connection());
    await clock.run(gone);
    expect(device.identity.cells).toBe(8);
  });

  it('accepts a HELLO that arrives byte by byte after random bytes of any length', async () => {
    const { clock, connection, board } = serve();
    const port = connection();
    await clock.run(port.write(new Uint8Array(100_000).fill(65)));
    await clock.run(port.write(Uint8Array.of(0, 1, 2, 0)));
    for (const byte of helloFrame(1)) await clock.run(port.write(Uint8Array.of(byte)));
    expect(board.link.sessionOpen).toBe(true);
  });

  it('a reset makes the board free for the next client', async () => {
    const { clock, connection, open, board } = serve();
    const first = await open(connection());
    await clock.run(first.loadProgram(0, diagonalProgram(8)));
    await clock.run(first.reset());
    const next = await open(connection());
    expect(next.identity.bootEpoch).toBe(2);
    expect(board.board.memory.committedBanks).toBe(0);
  });
});

describe('bounds', () => {
  it('closes a connection that sends no HELLO in time, even if it sends other messages', async () => {
    const { clock, connection, events } = serve();
    const port = connection();
    const gone = closed(port);
    await clock.run(port.write(new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')));
    await clock.run(gone);
    expect(clock.nowMs()).toBe(HELLO_TIMEOUT_MS);
    expect(events).toEqual([{ event: 'refused', client: 'client 1', reason: 'silent' }]);
  });

  it('does not close the client that has the board', async () => {
    const { clock, connection, open, wait } = serve();
    const device = await open(connection());
    await wait(3 * HELLO_TIMEOUT_MS);
    expect((await clock.run(device.readStatus())).state).toBe('idle');
  });

  it('limits the number of connections: for a new one it closes the oldest connection without a HELLO', async () => {
    const { connection, events } = serve();
    const ports = Array.from({ length: CONNECTIONS_MAX + 1 }, connection);
    expect(ports.map((port) => port.closed)).toEqual([true, ...Array(CONNECTIONS_MAX).fill(false)]);
    expect(events).toEqual([{ event: 'refused', client: 'client 1', reason: 'silent' }]);
  });

  it('gives the board to a client that sends HELLO among any number of silent connections', async () => {
    const { clock, connection, open, events, wait } = serve();
    const idle = Array.from({ length: CONNECTIONS_MAX }, connection);
    const device = await open(connection());
    expect((await clock.run(device.readStatus())).state).toBe('idle');
    expect(idle.map((port) => port.closed)).toEqual([true, ...Array(CONNECTIONS_MAX - 1).fill(false)]);
    expect(events.map(({ event }) => event)).toEqual(['refused', 'connected']);
    // The client with the board keeps its place, even if it is the oldest and silent.
    await wait(2 * HELLO_TIMEOUT_MS);
    for (let round = 0; round < 3; round++) {
      Array.from({ length: CONNECTIONS_MAX }, connection);
      await wait(1);
    }
    expect((await clock.run(device.readStatus())).state).toBe('idle');
  });

  it('tells a client that the server is full when all connections have sent HELLO', async () => {
    const { clock, connection, open } = serve();
    await open(connection());
    // These clients have sent HELLO and wait for the board.
    const waiting = Array.from({ length: CONNECTIONS_MAX - 1 }, connection);
    await Promise.all(waiting.map((port) => port.write(helloFrame(1))));
    const refused = Device.open(connection(), { clock }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(await clock.run(refused)).toMatchObject({
      code: 'LINK_LOST',
      retryable: true,
      hint: expect.stringContaining('full'),
    });
  });

  it('closes all connections and lines and stops the board when the server ends', async () => {
    const { clock, connection, line, open, server, board } = serve();
    const [first, other, wire] = [connection(), connection(), line()];
    const device = await open(first);
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    await clock.run(device.run(ENDLESS));
    await clock.run(server.close());
    expect([first, other, wire].map((port) => port.closed)).toEqual([true, true, true]);
    expect(board.board.state).toBe('safe');
  });
});

describe('a line that can’t hang up', () => {
  it('keeps the board while it sends, and gives it up after silence', async () => {
    const { clock, connection, line, open, refusal, wait, board } = serve();
    const wire = line();
    const onWire = await open(wire);
    await wait(LINE_SILENCE_MS - 1000);
    expect(await refusal(connection())).toBe('BUSY');
    await clock.run(onWire.ping());
    await wait(LINE_SILENCE_MS - 1000);
    expect(await refusal(connection())).toBe('BUSY');
    await wait(LINE_SILENCE_MS);
    const device = await open(connection());
    expect((await clock.run(device.readStatus())).state).toBe('idle');
    expect(wire.closed).toBe(false);
    expect(board.board.state).toBe('idle');
  });

  it('is told BUSY while a connection has the board, and can get it afterwards', async () => {
    const { clock, connection, line, open, refusal } = serve();
    const [wire, tcp] = [line(), connection()];
    await open(tcp);
    // `Device.open` closes its port when it fails, so it gets a port that leaves the line open.
    expect(await refusal(lent(wire))).toBe('BUSY');
    await clock.run(tcp.close());
    const device = await open(lent(wire));
    expect((await clock.run(device.readStatus())).state).toBe('idle');
  });

  it('gives up the board, also during a run, when its host has gone and another client asks for the board', async () => {
    const { clock, connection, line, open, refusal, board, events, wait } = serve();
    const there = { isThere: true };
    const wire = line(() => there.isThere);
    const device = await open(lent(wire));
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    await clock.run(device.run(ENDLESS_SAMPLES));
    expect(await refusal(connection())).toBe('BUSY');
    there.isThere = false;
    // The server asks whether the host is there only when another client wants the board.
    await wait(1000);
    expect(board.board.state).toBe('running');
    const beforeMs = clock.nowMs();
    const next = await open(connection());
    expect(clock.nowMs()).toBe(beforeMs);
    expect(await clock.run(next.readStatus())).toMatchObject({ state: 'idle', committedBanks: 1 });
    expect(events.find(({ event }) => event === 'left')).toMatchObject({ stoppedRunId: 1, state: 'safe' });
    expect(board.board.watchdogTrips).toBe(0);
    expect(wire.closed).toBe(false);
  });

  it('gives up the board when its port closes while the server asks whether the host is there', async () => {
    const { clock, connection, line, open, events } = serve();
    const wire = line(() => {
      void wire.close();
      return false;
    });
    await open(lent(wire));
    const next = await open(connection());
    expect((await clock.run(next.readStatus())).state).toBe('idle');
    expect(events.map(({ event }) => event)).toEqual(['connected', 'left', 'connected']);
  });

  it('keeps the board during a run, even if its host is silent', async () => {
    const { clock, connection, line, open, refusal, wait, board } = serve();
    const wire = line();
    const device = await open(lent(wire));
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    await clock.run(device.run(ENDLESS_SAMPLES));
    // The host feeds the watchdog every 15 s, a quarter of its time. LINE_SILENCE_MS is shorter.
    await wait(LINE_SILENCE_MS + 1000);
    expect(board.board.state).toBe('running');
    expect(await refusal(connection())).toBe('BUSY');
  });

  it('opens a new session for a new HELLO on the same line', async () => {
    const { clock, line, open } = serve();
    const wire = line();
    const first = await open(lent(wire));
    await clock.run(first.loadProgram(0, diagonalProgram(8)));
    const second = await open(lent(wire));
    expect(await clock.run(second.readStatus())).toMatchObject({ committedBanks: 1, runId: 0 });
  });
});

/** The last write on each line. Two clients of a line write one after the other. */
const lastWrites = new WeakMap<Port, Promise<void>>();

/** A port for one client. Closing it leaves the line open, as with a serial port. */
function lent(wire: Port): Port {
  let isClosed = false;
  return {
    name: wire.name,
    frameBytesMax: wire.frameBytesMax,
    get closed() {
      return isClosed;
    },
    onData: (receiver) => wire.onData(receiver),
    onClose: () => undefined,
    write(bytes) {
      const written = (lastWrites.get(wire) ?? Promise.resolve()).then(() => wire.write(bytes));
      lastWrites.set(
        wire,
        written.catch(() => undefined),
      );
      return written;
    },
    close() {
      isClosed = true;
      return Promise.resolve();
    },
  };
}
