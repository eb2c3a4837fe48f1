import { ThermolinkError } from '../errors.js';

/** The optional package serialport, loaded when a port is used. `load` is given in tests. Errors: MISSING_PACKAGE. */
export async function loadSerialPort<T = typeof import('serialport')>(
  load: () => Promise<T> = () => import('serialport') as Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new ThermolinkError(
      'MISSING_PACKAGE',
      'Serial ports need the package serialport, which does not load.',
      { cause, hint: 'Run `npm install serialport@13`.', data: { package: 'serialport' } },
    );
  }
}
