import { connect, DEVICE_VARIABLE } from '../connect.js';
import type { Device } from '../driver/device.js';
import { createLogger, type LogOptions } from './logging.js';
import { describeDeviceEvent } from './output/device-event.js';

/** The device that a command uses: its option, else the environment, else `fallback`. */
export function deviceUri(option: string | undefined, fallback: string): string {
  return option ?? (process.env[DEVICE_VARIABLE] || fallback);
}

/** Connects, works, and closes the device whatever happens; a run in progress is stopped. */
export async function withDevice<T>(
  uri: string,
  log: LogOptions,
  signal: AbortSignal,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await connect(uri, {
    signal,
    log: createLogger(log).child({ device: uri }),
    onEvent: (event) => process.stderr.write(`${describeDeviceEvent(event)}\n`),
  });
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}
