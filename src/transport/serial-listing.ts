import { ThermolinkError } from '../errors.js';
import { listLinuxSerialPorts } from './linux-serial-ports.js';
import { loadSerialPort } from './serial-binding.js';
import type { SerialListing, SerialRow } from './serial-row.js';

/** The part of the package serialport that lists ports. */
export interface SerialPortPackage {
  readonly SerialPort: { list(): Promise<readonly SerialRow[]> };
}

/** Options of a listing. Tests pass another platform and package. */
export interface SerialListingOptions {
  readonly platform?: NodeJS.Platform;
  readonly loadPackage?: () => Promise<SerialPortPackage>;
  readonly timeoutMs?: number;
}

const LIST_TIMEOUT_MS = 10_000;

/**
 * Lists the serial ports of this machine without opening them. Linux is read from sysfs without a package,
 * because there `SerialPort.list` runs `udevadm`, and ends the process if `udevadm` is missing. On other
 * systems the package serialport lists the ports. Errors: MISSING_PACKAGE (no serialport), TIMEOUT,
 * CANNOT_CONNECT when the system refuses to list.
 */
export async function listSerialPorts(options: SerialListingOptions = {}): Promise<SerialListing> {
  const { platform = process.platform, loadPackage, timeoutMs = LIST_TIMEOUT_MS } = options;
  if (platform === 'linux' || platform === 'android') return listLinuxSerialPorts();
  const { SerialPort } = await loadSerialPort<SerialPortPackage>(loadPackage);
  return { platform, rows: await beforeDeadline(SerialPort.list(), timeoutMs) };
}

async function beforeDeadline<T>(listing: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new ThermolinkError(
            'TIMEOUT',
            `The system did not list its serial ports within ${timeoutMs / 1000} s.`,
            {
              retryable: true,
              hint: 'A driver may hang: unplug serial adapters, or name the port by its path.',
            },
          ),
        ),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([listing, deadline]);
  } catch (cause) {
    if (cause instanceof ThermolinkError) throw cause;
    throw new ThermolinkError('CANNOT_CONNECT', 'The system did not list its serial ports.', { cause });
  } finally {
    clearTimeout(timer);
  }
}
