import { describe, expect, it } from 'vitest';
import { Device } from '../../src/driver/device.js';
import { failure, type PluggedOptions, pause, pluggedBoard } from '../support/plugged-board.js';
import { diagonalProgram } from '../support/test-board.js';
import { UsbHub } from '../support/usb-hub.js';
import { VirtualClock } from '../support/virtual-clock.js';

const PROGRAM = { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 };
const RUN = { bank: 0, runSeed: 3, burnInTicks: 10, sampleCount: 40_000, ticksPerSample: 1 };
const LONG = { ...RUN, burnInTicks: 1e9, sampleCount: 1 };

const plugged = (reconnect?: PluggedOptions['reconnect']) => pluggedBoard(PROGRAM, { reconnect });

/** The samples of the same run on a cable that stays in. */
async function undisturbed(): Promise<Int16Array> {
  const { device, clock } = await plugged();
  return (await clock.run(device.acquire(RUN))).codes;
}

describe('a board that vanishes and comes back under another path', () => {
  it('while streaming continues where it was, bit for bit', async () => {
    const { device, clock, hub, kinds } = await plugged();
    const acquiring = device.acquire({ ...RUN, onLoss: 'reRequest', watchdogMs: 60_000 });
    for (let pulls = 0; pulls < 3; pulls++) {
      for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
      await hub.pull('A');
      void clock.schedule(400, () => hub.plugIn('A', `/dev/ttyACM${pulls + 1}`));
      await pause(clock, 1000);
    }
    const { codes, report } = await clock.run(acquiring);
    expect(report.outcome).toBe('completed');
    expect(Buffer.compare(Buffer.from(codes.buffer), Buffer.from((await undisturbed()).buffer))).toBe(0);
    expect(device.name).toBe('serial:/dev/ttyACM3');
    expect(kinds()).toEqual(Array(3).fill(['disconnected', 'resumed']).flat());
  });

  it('in mid-upload: the commands are delivered once', async () => {
    const { device, board, clock, hub, kinds } = await plugged();
    const loading = device.loadProgram(1, PROGRAM);
    await hub.pull('A');
    void clock.schedule(3000, () => hub.plugIn('A', '/dev/ttyUSB7'));
    await clock.run(loading);
    expect(kinds()).toEqual(['disconnected', 'resumed']);
    expect(board.board.memory.committedBanks).toBe(3);
  });

  it('stays away longer than the watchdog allows: it is safe, and the run ends in RUN_ENDED', async () => {
    const { device, board, clock, hub } = await plugged();
    const running = failure(device.acquire(LONG));
    await pause(clock, 200);
    await hub.pull('A');
    await pause(clock, 2500);
    expect(board.board.state).toBe('safe');
    hub.plugIn('A', '/dev/ttyACM1');
    expect(await clock.run(running)).toMatchObject({ code: 'RUN_ENDED', message: /watchdog/ });
  });

  it('never comes back: everything ends in LINK_LOST when the time is up', async () => {
    const { device, clock, hub, kinds } = await plugged({ giveUpMs: 5000 });
    const running = failure(device.acquire(LONG));
    await pause(clock, 200);
    await hub.pull('A');
    expect(await clock.run(running)).toMatchObject({ code: 'LINK_LOST', cause: { code: 'PORT_NOT_FOUND' } });
    expect(clock.nowMs()).toBeLessThan(8000);
    expect(kinds()).toEqual(['disconnected', 'gaveUp']);
    expect(await clock.run(failure(device.readStatus()))).toMatchObject({ code: 'LINK_LOST' });
  });

  it('a call during the search waits, and can be aborted', async () => {
    const { device, clock, hub } = await plugged();
    await hub.pull('A');
    const status = device.readStatus({ timeoutMs: 20_000 });
    const controller = new AbortController();
    const aborted = failure(device.ping({ signal: controller.signal, timeoutMs: 20_000 }));
    await pause(clock, 100);
    controller.abort();
    expect(await clock.run(aborted)).toMatchObject({ code: 'ABORTED' });
    hub.plugIn('A', '/dev/ttyACM1');
    expect((await clock.run(status)).state).toBe('configured');
  });

  it('closing the device ends the search', async () => {
    const { device, clock, hub, events } = await plugged();
    await hub.pull('A');
    await pause(clock, 500);
    await clock.run(device.close());
    const attempts = events.length;
    await pause(clock, 10_000);
    expect(events.length).toBe(attempts);
  });
});

describe('a board that has forgotten', () => {
  it('its session: calls in progress fail with SESSION_LOST or OUTCOME_UNKNOWN, and the device stays usable', async () => {
    const { device, board, clock, hub, kinds } = await plugged();
    const running = failure(device.acquire({ ...LONG, watchdogMs: 60_000 }));
    await pause(clock, 200);
    const writing = failure(device.loadProgram(1, PROGRAM));
    await hub.pull('A');
    board.disconnect();
    hub.plugIn('A', '/dev/ttyACM1');
    expect(await clock.run(running)).toMatchObject({ code: 'SESSION_LOST', retryable: true });
    expect(await clock.run(writing)).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await pause(clock, 1000);
    expect(kinds()).toEqual(['disconnected', 'sessionLost', 'reconnected']);
    expect(await clock.run(failure(device.acquire(RUN)))).toMatchObject({ code: 'DEVICE_REFUSED' });
    await clock.run(device.loadProgram(0, PROGRAM));
    const { codes } = await clock.run(device.acquire(RUN));
    expect(Buffer.compare(Buffer.from(codes.buffer), Buffer.from((await undisturbed()).buffer))).toBe(0);
  });

  it('a command that was called while the board was away was not sent, so its outcome is known', async () => {
    const { device, board, clock, hub } = await plugged();
    await hub.pull('A');
    const writing = failure(device.loadProgram(1, PROGRAM));
    await pause(clock, 100);
    board.disconnect();
    hub.plugIn('A', '/dev/ttyACM1');
    expect(await clock.run(writing)).toMatchObject({ code: 'SESSION_LOST', retryable: true });
  });

  it('after a reset the host learns of it from the boot epoch', async () => {
    const { device, clock, hub, events } = await plugged();
    const before = device.identity.bootEpoch;
    await hub.pull('A');
    // Another host resets the board by another cable.
    hub.plugIn('A', '/dev/ttyACM9');
    const other = await clock.run(Device.open(await hub.open('A'), { clock }));
    await clock.run(other.reset());
    hub.plugIn('A', '/dev/ttyACM1');
    await pause(clock, 5000);
    expect(device.identity.bootEpoch).toBe(before + 1);
    expect(events.find(({ kind }) => kind === 'sessionLost')).toMatchObject({
      error: { code: 'SESSION_LOST', message: /restarted \(boot 1, now 2\)/ },
    });
  });

  it('a stop goes through in the new session', async () => {
    const { device, board, clock, hub } = await plugged();
    await hub.pull('A');
    const stopping = device.stop({ timeoutMs: 10_000 });
    board.disconnect();
    hub.plugIn('A', '/dev/ttyACM1');
    await clock.run(stopping);
    expect(board.board.state).toBe('safe');
  });

  it('another board in its place is refused', async () => {
    const { device, clock, hub, kinds } = await plugged({ giveUpMs: 3000, openPort: () => hub.open('B') });
    hub.add('B', 'ideal-64');
    hub.plugIn('B', '/dev/ttyACM0');
    await hub.pull('A');
    const status = failure(device.readStatus({ timeoutMs: 20_000 }));
    expect(await clock.run(status)).toMatchObject({ code: 'LINK_LOST', cause: { code: 'PORT_NOT_FOUND' } });
    expect(kinds()).toEqual(['disconnected', 'gaveUp']);
  });
});

it('without reconnect the device ends with its port', async () => {
  const clock = new VirtualClock();
  const hub = new UsbHub(clock);
  hub.add('A', 'ideal-8');
  hub.plugIn('A', '/dev/ttyACM0');
  const device = await clock.run(Device.open(await hub.open('A'), { clock }));
  await hub.pull('A');
  expect(await clock.run(failure(device.readStatus()))).toMatchObject({ code: 'LINK_LOST' });
});
