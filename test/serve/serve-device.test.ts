import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { diagonalProgram } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** The board's end of a wire whose reader can be made to stop reading. */
function stallable(port: Port): { readonly port: Port; stall(): void; release(): void } {
  let gate: Promise<void> | undefined;
  let open: () => void = () => undefined;
  return {
    port: {
      name: port.name,
      frameBytesMax: port.frameBytesMax,
      get closed() {
        return port.closed;
      },
      onData: (receiver) => port.onData(receiver),
      onClose: (receiver) => port.onClose(receiver),
      close: () => port.close(),
      async write(bytes) {
        await gate;
        await port.write(bytes);
      },
    },
    stall() {
      gate = new Promise((resolve) => (open = resolve));
    },
    release: () => open(),
  };
}

describe('a host that stops reading', () => {
  it('is silence: the watchdog ends its run while the write still waits', async () => {
    const clock = new VirtualClock();
    const [host, far] = memoryPortPair('test');
    const wire = stallable(far);
    const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    new ServedDevice(board, wire.port, { clock, sliceTicksMax: 64 });
    const device = await clock.run(Device.open(host, { clock }));
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const run = await clock.run(
      device.run({
        bank: 0,
        runSeed: 1,
        burnInTicks: 0,
        sampleCount: 1e9,
        ticksPerSample: 1,
        watchdogMs: 1000,
      }),
    );
    run.finished.catch(() => undefined);
    wire.stall();
    // Nothing reaches the board any more either: the host has stopped.
    host.write = () => new Promise(() => undefined);
    const startMs = clock.nowMs();
    await clock.run(new Promise<void>((resolve) => clock.schedule(2000, resolve)));
    expect(board.board).toMatchObject({ state: 'safe', watchdogTrips: 1 });
    expect(clock.nowMs() - startMs).toBe(2000);
    wire.release();
  });
});
