import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { CHANNEL, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { serialLimits } from '../../src/transport/serial-limits.js';
import { diagonalProgram } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LIMITS = serialLimits(115_200);

/** A port with the limits of a slow line. It records the largest number of unacknowledged command bytes. */
function slowLine(port: Port): {
  readonly port: Port;
  readonly most: () => { bytes: number; frame: number };
} {
  const inFlight = new Map<number, number>();
  const most = { bytes: 0, frame: 0 };
  const toHost = new FrameDecoder(65536);
  const toBoard = new FrameDecoder(65536);
  return {
    most: () => most,
    port: {
      name: port.name,
      ...LIMITS,
      get closed() {
        return port.closed;
      },
      onData: (receiver) =>
        port.onData((bytes) => {
          for (const item of toHost.push(bytes))
            if (item.kind === 'frame' && item.frame.channel !== CHANNEL.open)
              for (const seq of inFlight.keys()) if (seq <= item.frame.ack) inFlight.delete(seq);
          receiver(bytes);
        }),
      onClose: (receiver) => port.onClose(receiver),
      close: () => port.close(),
      write(bytes) {
        for (const item of toBoard.push(bytes)) {
          if (item.kind !== 'frame') continue;
          const { channel, seq, payload } = item.frame;
          most.frame = Math.max(most.frame, payload.length + 12);
          if (channel === CHANNEL.command && payload.length > 0) inFlight.set(seq, payload.length + 12);
        }
        const bytesInFlight = [...inFlight.values()].reduce((sum, length) => sum + length, 0);
        most.bytes = Math.max(most.bytes, bytesInFlight);
        return port.write(bytes);
      },
    },
  };
}

describe('a slow serial line', () => {
  it('carries small frames, and few unacknowledged bytes', async () => {
    const clock = new VirtualClock();
    const [host, far] = memoryPortPair('slow');
    new ServedDevice(new EmulatedDevice({ profile: findProfile('ideal-64')!, dieSeed: 1 }), far, { clock });
    const { port, most } = slowLine(host);
    const device = await clock.run(Device.open(port, { clock }));
    await clock.run(device.loadProgram(0, diagonalProgram(64)));
    expect(most().frame).toBeLessThanOrEqual(LIMITS.frameBytesMax);
    expect(most().bytes).toBeLessThanOrEqual(LIMITS.inFlightBytesMax);
    // The line must not be idle either, so two frames are on the way at a time.
    expect(most().bytes).toBeGreaterThan(LIMITS.frameBytesMax);
  });
});
