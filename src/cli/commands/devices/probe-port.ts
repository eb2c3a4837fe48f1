import type { ConnectOptions } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import type { SerialDevice } from '../../../transport/serial-devices.js';
import type { Verdict } from '../../../transport/serial-row.js';
import { serialUri } from '../../../transport/serial-uri.js';

export type Connect = (uri: string, options: ConnectOptions) => Promise<Pick<Device, 'identity' | 'close'>>;

/** The answer of a probed port. */
export interface ProbeAnswer {
  readonly verdict: Verdict;
  /** The board that answered HELLO. */
  readonly board?: Pick<DeviceIdentity, 'model' | 'serialNumber' | 'firmwareVersion' | 'cells'>;
  /** Why there is no board, as a sentence, and what to do. */
  readonly finding?: string;
  readonly advice?: string;
}

/** Errors that every other port would have too. */
const FATAL: readonly string[] = ['ABORTED', 'MISSING_PACKAGE', 'BAD_DEVICE_URI'];

/**
 * Opens the port, sends HELLO and closes the port. It does not open a port that another program holds or that
 * this user may not open. Errors: ABORTED, MISSING_PACKAGE. Every other failure is a verdict.
 */
export async function probePort(
  device: SerialDevice,
  platform: NodeJS.Platform,
  connect: Connect,
  options: ConnectOptions,
): Promise<ProbeAnswer> {
  if (device.verdict === 'busy' || device.verdict === 'no permission') return { verdict: device.verdict };
  try {
    const board = await connect(serialUri(device.path), options);
    const { model, serialNumber, firmwareVersion, cells } = board.identity;
    await board.close();
    return { verdict: 'ours', board: { model, serialNumber, firmwareVersion, cells } };
  } catch (error) {
    if (!(error instanceof ThermolinkError) || FATAL.includes(error.code)) throw error;
    const { message: finding, hint: advice } = error;
    return {
      verdict: verdictOf(error, platform),
      finding,
      ...(advice === undefined ? {} : { advice }),
    };
  }
}

function verdictOf({ code }: ThermolinkError, platform: NodeJS.Platform): Verdict {
  // A board of another release is ours too, and so is a board that another client uses.
  if (code === 'VERSION_MISMATCH') return 'ours';
  if (code === 'BUSY' || code === 'PORT_BUSY') return 'busy';
  // Windows says "access denied" of a port that another program holds.
  if (code === 'PORT_DENIED') return platform === 'win32' ? 'busy' : 'no permission';
  return 'unknown';
}
