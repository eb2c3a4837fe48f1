import path from 'node:path';
import { expect, it } from 'vitest';
import { Device } from '../../src/driver/device.js';
import { Recorder } from '../../src/traces/recorder.js';
import { replayTransport } from '../../src/traces/replay/replay-transport.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { pause, pluggedBoard } from '../support/plugged-board.js';
import { diagonalProgram } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const directory = temporaryDirectory();
const PROGRAM = { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 };
const RUN = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 200, ticksPerSample: 1 };

it('a session that the board has forgotten is replayed together with the next one', async () => {
  const file = path.join(directory, 'forgotten.mcap');
  const clock = new VirtualClock();
  const recorder = new Recorder({ file, clock });
  const { device, board, hub, kinds } = await pluggedBoard(PROGRAM, {
    clock,
    wrap: (port) => recorder.tap(port),
  });
  const work = async (on: Device, time: VirtualClock, lose: () => Promise<void>): Promise<number[][]> => {
    const before = await time.run(on.acquire(RUN));
    await lose();
    await time.run(on.loadProgram(0, PROGRAM));
    const after = await time.run(on.acquire({ ...RUN, runSeed: 4 }));
    return [Array.from(before.codes), Array.from(after.codes)];
  };
  const recorded = await work(device, clock, async () => {
    await hub.pull('A');
    board.disconnect();
    hub.plugIn('A', '/dev/ttyACM1');
    await pause(clock, 1000);
  });
  expect(kinds()).toEqual(['disconnected', 'sessionLost', 'reconnected']);
  await clock.run(device.close());
  await recorder.close();

  const own = new VirtualClock();
  const address = replayTransport.parse({ path: file, parameters: new URLSearchParams() });
  const open = () => replayTransport.open(address, { uri: 'replay:forgotten', clock: own });
  const seen: string[] = [];
  const port = await open();
  const again = await own.run(
    Device.open(port, {
      clock: own,
      reconnect: { openPort: open },
      onEvent: ({ kind }) => seen.push(kind),
    }),
  );
  await own.run(again.loadProgram(0, PROGRAM));
  expect(await work(again, own, () => pause(own, 1000))).toEqual(recorded);
  expect(seen).toContain('sessionLost');
  await own.run(again.close());
});
