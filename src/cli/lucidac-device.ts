import { parseDeviceUri } from '../connect.js';
import { assert, ThermolinkError } from '../errors.js';
import { type Lucidac, openLucidac } from '../lucidac/lucidac.js';
import { CHOICE_ERRORS, type DeviceOptions, namingVariable } from './device.js';
import { createLogger } from './logging.js';

/**
 * Connects to a LUCIDAC, works, and closes it in any case. Errors: those of `openLucidac`; UNSUPPORTED for a
 * recording or a calibration, which only boards of this project's protocol have.
 */
export async function withLucidac<T>(
  uri: string,
  options: DeviceOptions,
  signal: AbortSignal,
  work: (lucidac: Lucidac) => Promise<T>,
): Promise<T> {
  const address = parseDeviceUri(uri);
  assert(address.kind === 'lucidac', 'the device is a LUCIDAC');
  refuse(options.record, '--record: a session with a LUCIDAC cannot be recorded');
  refuse(options.calibration, '--calibration: a LUCIDAC calibrates itself before a circuit runs');
  const log = (await createLogger(options))?.child({ device: uri });
  const { host, port } = address;
  const lucidac = await openLucidac({ host, port, signal, log }).catch((error: unknown) => {
    throw error instanceof ThermolinkError && error.code !== 'ABORTED' ? namingVariable(error, uri) : error;
  });
  try {
    return await work(lucidac);
  } catch (error) {
    const isAboutChoice = error instanceof ThermolinkError && CHOICE_ERRORS.includes(error.code);
    throw isAboutChoice ? namingVariable(error, uri) : error;
  } finally {
    await lucidac.close();
  }
}

function refuse(value: string | undefined, why: string): void {
  if (value === undefined) return;
  throw new ThermolinkError('UNSUPPORTED', `${why}.`, {
    hint: 'Leave the option out, or use a board of this protocol, for example emulator:ideal-64.',
  });
}
