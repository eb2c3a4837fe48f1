import { connect, DEVICE_VARIABLE } from '../connect.js';
import type { Device } from '../driver/device.js';
import { ThermolinkError } from '../errors.js';
import { createLogger, type LogOptions } from './logging.js';
import { describeDeviceEvent } from './output/device-event.js';

/** The device that a command uses: its option, else the environment, else `fallback`. */
export function deviceUri(option: string | undefined, fallback: string): string {
  return option ?? (process.env[DEVICE_VARIABLE] || fallback);
}

/** Errors of `work` that are about which device was chosen. */
const CHOICE_ERRORS: readonly string[] = ['TOO_LARGE', 'UNSUPPORTED'];

/**
 * Connects, works, and closes the device whatever happens; a run in progress is stopped. An error about a device that the
 * environment named says so: nobody sees a variable that a profile script has set.
 */
export async function withDevice<T>(
  uri: string,
  log: LogOptions,
  signal: AbortSignal,
  work: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await open(uri, log, signal);
  try {
    return await work(device);
  } catch (error) {
    throw error instanceof ThermolinkError && CHOICE_ERRORS.includes(error.code)
      ? namingVariable(error, uri)
      : error;
  } finally {
    await device.close();
  }
}

async function open(uri: string, log: LogOptions, signal: AbortSignal): Promise<Device> {
  const logger = createLogger(log).child({ device: uri });
  try {
    return await connect(uri, {
      signal,
      log: logger,
      onEvent: (event) => process.stderr.write(`${describeDeviceEvent(event)}\n`),
    });
  } catch (error) {
    throw error instanceof ThermolinkError && error.code !== 'ABORTED' ? namingVariable(error, uri) : error;
  }
}

/** The same error, with the environment variable in its hint where that names the device. */
function namingVariable(error: ThermolinkError, uri: string): ThermolinkError {
  if (process.env[DEVICE_VARIABLE] !== uri) return error;
  const { code, message, cause, hint, retryable, data } = error;
  const source = `The device is the one in the environment variable ${DEVICE_VARIABLE}; --device overrides it.`;
  return new ThermolinkError(code, message, {
    cause,
    retryable,
    hint: hint === undefined ? source : `${hint} ${source}`,
    data: { ...data, deviceFrom: DEVICE_VARIABLE },
  });
}
