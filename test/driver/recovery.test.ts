import { expect, it } from 'vitest';
import { CHANNEL, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { failure, type PluggedOptions, pause, pluggedBoard } from '../support/plugged-board.js';
import { diagonalProgram, openTestBoard, pass, tamperedPort } from '../support/test-board.js';

// Each of these cases failed in an earlier version.

const PROGRAM = diagonalProgram(8);
const RUN = { bank: 0, runSeed: 3, burnInTicks: 10, sampleCount: 100, ticksPerSample: 1 };
const LONG = { ...RUN, burnInTicks: 1e12, sampleCount: 1 };

const plugged = (options?: PluggedOptions) => pluggedBoard(PROGRAM, options);

it('a board that stops acknowledging for seconds is found again, although its port stays open', async () => {
  let mute = false;
  const { device, clock, kinds } = await plugged({
    wrap: (port) => tamperedPort(port, (_, bytes) => (mute ? [] : [bytes])),
  });
  mute = true;
  const loading = device.loadProgram(1, PROGRAM, { timeoutMs: 60_000 });
  void clock.schedule(7000, () => {
    mute = false;
  });
  await clock.run(loading);
  expect(kinds()).toEqual(['disconnected', 'resumed']);
});

it('a board that gave up sending answers continues when it hears its host again', async () => {
  let answersGetLost = false;
  const { device, board, clock } = await openTestBoard('ideal-8', {
    // Acknowledgements pass, so the host sees nothing wrong with the line.
    toHost: (frame, bytes) => (answersGetLost && frame && frame.payload.length > 0 ? [] : [bytes]),
  });
  answersGetLost = true;
  expect(await clock.run(failure(device.ping()))).toMatchObject({ code: 'TIMEOUT' });
  for (let second = 0; second < 30 && !board.link.failed; second++) await pause(clock, 1000);
  expect(board.link.failed).toBe(true);
  answersGetLost = false;
  await clock.run(device.ping());
  expect(board.link.failed).toBe(false);
  await pause(clock, 3000);
  expect(board.link.unacknowledged).toBe(0);
});

it('a caller that catches SESSION_LOST can load and run at once', async () => {
  const { device, board, clock, hub } = await plugged();
  const codes: string[] = [];
  const work = (async () => {
    try {
      return await device.acquire({ ...LONG, watchdogMs: 60_000 });
    } catch (error) {
      codes.push((error as { code: string }).code);
      await device.loadProgram(0, PROGRAM);
      return device.acquire(RUN);
    }
  })();
  await pause(clock, 200);
  await hub.pull('A');
  board.disconnect();
  hub.plugIn('A', '/dev/ttyACM1');
  expect((await clock.run(work)).report.outcome).toBe('completed');
  expect(codes).toEqual(['SESSION_LOST']);
});

it('a run whose start is executed after its caller got LINK_LOST is ended', async () => {
  const { device, board, clock, hub } = await plugged();
  await hub.pull('A');
  const starting = failure(device.run(LONG));
  void clock.schedule(7000, () => hub.plugIn('A', '/dev/ttyACM1'));
  expect(await clock.run(starting)).toMatchObject({ code: 'LINK_LOST', retryable: false });
  await pause(clock, 4000);
  expect(board.board.state).toBe('done');
  expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
});

it('calls that wait for room do not pass into the next session', async () => {
  const { device, board, clock, hub } = await plugged();
  await hub.pull('A');
  const pings = Array.from({ length: 64 }, () => failure(device.ping({ timeoutMs: 20_000 })));
  const waiting = failure(device.rewriteProgram(0, diagonalProgram(8, 5), { timeoutMs: 20_000 }));
  board.disconnect();
  hub.plugIn('A', '/dev/ttyACM1');
  for (const error of await clock.run(Promise.all([...pings, waiting])))
    expect(error).toMatchObject({ code: 'SESSION_LOST' });
  expect(board.board.memory.image(0).drive[0]).toBe(1000);
});

it('a port that is lost in the turn in which the session was resumed is noticed', async () => {
  let armed = false;
  const wrap = (port: Port): Port => ({
    ...tamperedPort(port, pass),
    get closed() {
      return port.closed;
    },
    onData: (receiver) =>
      port.onData((bytes) => {
        receiver(bytes);
        const items = armed ? new FrameDecoder(65536).push(bytes) : [];
        if (!items.some((item) => item.kind === 'frame' && item.frame.channel === CHANNEL.open)) return;
        armed = false;
        void port.close();
      }),
  });
  const { device, clock, hub, kinds } = await plugged({ wrap });
  await hub.pull('A');
  armed = true;
  hub.plugIn('A', '/dev/ttyACM1');
  await pause(clock, 10_000);
  await clock.run(device.ping());
  expect(kinds().at(-1)).toBe('resumed');
});

it('closing while a start is on its way leaves no run on the board', async () => {
  const { device, board, clock } = await plugged();
  const starting = failure(device.run({ ...LONG, watchdogMs: 60_000 }));
  await new Promise((resolve) => setImmediate(resolve));
  await clock.run(device.close());
  await clock.run(starting);
  expect(board.board.state).not.toBe('running');
});

it('closing in the middle of a search ends it at once, also from within its own event', async () => {
  const { device, clock, hub, events } = await plugged({
    onEvent: ({ kind }) => {
      if (kind === 'disconnected') void device.close();
    },
  });
  await hub.pull('A');
  await pause(clock, 5000);
  expect(events.map(({ kind }) => kind)).toEqual(['disconnected']);
});

it('a listener that throws does not lose the board', async () => {
  const { device, clock, hub, kinds } = await plugged({
    onEvent: () => {
      throw new Error('a mistake of the user');
    },
  });
  await hub.pull('A');
  hub.plugIn('A', '/dev/ttyACM1');
  await clock.run(device.ping({ timeoutMs: 10_000 }));
  expect(kinds()).toEqual(['disconnected', 'resumed']);
});

it('a ping of a silent run that is refused because of a stop shows that the board is alive', async () => {
  let holds = false;
  const { device, board, clock } = await openTestBoard('ideal-8', {
    toDevice: (frame, bytes) =>
      holds && frame?.channel === CHANNEL.command && frame.payload.length > 0 ? [] : [bytes],
  });
  await clock.run(device.loadProgram(0, PROGRAM));
  await clock.run(device.run({ ...LONG, watchdogMs: 60_000 }));
  await pause(clock, 14_500);
  holds = true;
  await pause(clock, 1000);
  holds = false;
  await clock.run(device.stop());
  await pause(clock, 20_000);
  expect(board.board.state).toBe('safe');
  await clock.run(device.ping());
});

it.each([0, -1, Number.NaN])('timeoutMs %s is refused, and Infinity means no timeout', async (timeoutMs) => {
  const { device, clock } = await openTestBoard('ideal-8');
  expect(await failure(device.ping({ timeoutMs }))).toMatchObject({ code: 'BAD_ARGUMENT' });
  await clock.run(device.ping({ timeoutMs: Number.POSITIVE_INFINITY }));
});
