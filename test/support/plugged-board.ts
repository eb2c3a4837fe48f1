import type { Port } from '../../firmware-protocol/port.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { Device } from '../../src/driver/device.js';
import type { DeviceEvent, ReconnectOptions } from '../../src/driver/reconnect.js';
import { NONCE } from './test-board.js';
import { UsbHub } from './usb-hub.js';
import { VirtualClock } from './virtual-clock.js';

export interface PluggedOptions {
  /** Makes the port that the host uses in place of each port that it opens. */
  readonly wrap?: (port: Port) => Port;
  readonly reconnect?: Partial<ReconnectOptions> | undefined;
  readonly onEvent?: (event: DeviceEvent) => void;
  readonly clock?: VirtualClock;
}

/**
 * Board A on a hub in virtual time, with `program` in bank 0. The driver searches for it when its cable is
 * pulled.
 */
export async function pluggedBoard(program: ProgramImage, options: PluggedOptions = {}) {
  const { wrap = (port) => port, clock = new VirtualClock() } = options;
  const hub = new UsbHub(clock);
  const board = hub.add('A', 'ideal-8');
  hub.plugIn('A', '/dev/ttyACM0');
  const open = async () => wrap(await hub.open('A'));
  const events: DeviceEvent[] = [];
  const device = await clock.run(
    Device.open(await open(), {
      clock,
      nonce: NONCE,
      reconnect: { openPort: open, ...options.reconnect },
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    }),
  );
  await clock.run(device.loadProgram(0, program));
  const kinds = () => events.map(({ kind }) => kind).filter((kind) => kind !== 'reconnecting');
  return { clock, hub, board, device, events, kinds };
}

export const pause = (clock: VirtualClock, ms: number) =>
  clock.run(new Promise<void>((resolve) => void clock.schedule(ms, resolve)));

/** The error with which `promise` rejects; undefined if it does not reject. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
