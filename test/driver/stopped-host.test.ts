import { expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { inSession } from '../../src/board/session.js';
import { Device } from '../../src/driver/device.js';
import { HostClock } from '../../src/driver/system-clock.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { failure, pause } from '../support/plugged-board.js';
import { diagonalProgram, NONCE, tamperedPort } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const PROGRAM = { ...diagonalProgram(8), noiseAmplitude: 20011, noiseShift: 12 };
const RUN = { bank: 0, runSeed: 3, burnInTicks: 10, sampleCount: 100, ticksPerSample: 1 };
/** Runs for longer than the watchdog of 2 s allows, in the virtual time of the board. */
const LONG = { ...RUN, burnInTicks: 1e9 };

/** A board in another process. Its time goes on while the process of its host is stopped for `stoppedMs`. */
async function boardElsewhere() {
  const clock = new VirtualClock();
  let isStopped = false;
  const waiting: (() => void)[] = [];
  const held: Uint8Array[] = [];
  const hostClock = new HostClock({
    nowMs: () => clock.nowMs(),
    wallMs: () => 1e12 + clock.nowMs(),
    setTimer: (delayMs, callback) =>
      clock.schedule(delayMs, () => (isStopped ? void waiting.push(callback) : callback())),
  });
  const [near, far] = memoryPortPair('test:elsewhere');
  const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  // Bytes that arrive while the process is stopped wait until it goes on.
  const toHost = tamperedPort(far, (_, bytes) => {
    held.push(bytes.slice());
    return isStopped ? [] : held.splice(0);
  });
  new ServedDevice(board, toHost, { clock, sliceTicksMax: 1024 });
  const repeats: string[] = [];
  const device = await clock.run(
    Device.open(near, {
      clock: hostClock,
      nonce: NONCE,
      onEvent: (event) => event.kind === 'repeating' && repeats.push(event.reason.message),
    }),
  );
  const stop = async (ms: number): Promise<void> => {
    isStopped = true;
    await pause(clock, ms);
    isStopped = false;
    for (const callback of waiting.splice(0)) callback();
  };
  return { clock, device, board, stop, repeats };
}

it('the error of a run that the watchdog ends while the host is stopped tells how long the host was stopped', async () => {
  const { clock, device, board, stop } = await boardElsewhere();
  await clock.run(device.loadProgram(0, PROGRAM));
  const running = failure(device.acquire(LONG));
  await pause(clock, 1000);
  expect(board.board.state).toBe('running');
  await stop(12_000);
  expect(board.board.state).toBe('safe');
  const error = await clock.run(running);
  expect(error).toMatchObject({
    code: 'RUN_ENDED',
    message: expect.stringMatching(
      /^The watchdog of the board ended run 1: the host was stopped for 1[12](\.\d+)? s\.$/,
    ),
    hint: expect.stringMatching(/^Nothing is wrong with the board/),
    retryable: true,
  });
});

it('a run continues if its host is stopped for less than the watchdog allows', async () => {
  const { clock, device, board, stop } = await boardElsewhere();
  await clock.run(device.loadProgram(0, PROGRAM));
  const running = failure(device.acquire(LONG));
  await pause(clock, 1000);
  await stop(1000);
  await pause(clock, 3000);
  expect(board.board.state).toBe('running');
  await clock.run(device.stop());
  expect(await clock.run(running)).toMatchObject({
    code: 'RUN_ENDED',
    message: 'Run 1 ended early: stopped.',
  });
});

it('an algorithm repeats a run that ended because its host was stopped, and gives the reason', {
  tags: 'long',
}, async () => {
  const { clock, device, stop, repeats } = await boardElsewhere();
  const working = inSession(
    device,
    { address: { seed: 7, step: 3, block: 5 } },
    () => undefined,
    async (session) => {
      await session.program(PROGRAM);
      return session.acquire({ burnInTicks: 5_000_000, sampleCount: 20, ticksPerSample: 3 });
    },
  );
  await pause(clock, 1);
  await stop(12_000);
  const { report } = await clock.run(working);
  expect(report.outcome).toBe('completed');
  expect(repeats).toEqual([expect.stringMatching(/the host was stopped for 1[12](\.\d+)? s/)]);
});
