import { make, missingTools, SANITIZED } from '../reference-firmware/build.js';
import { DeviceProcess } from '../reference-firmware/device-process.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';

/** A device program that the foreign client is tried against. */
export interface ForeignDevice {
  readonly name: string;
  /** The missing tools or files to run it, or undefined. */
  readonly missing: () => string | undefined;
  /**
   * Serves a board of at least four cells until the test ends. Returns its address, `tcp://HOST:PORT` or
   * `serial:PATH`.
   */
  readonly serve: (at: { readonly tcp: string } | { readonly pty: string }) => Promise<string>;
  /** The facts that the answer to HELLO must tell about this board. */
  readonly identity: Readonly<Record<string, unknown>>;
}

const emulator: ForeignDevice = {
  name: 'the emulator',
  missing: () => (isBuilt ? undefined : 'not built: npm run build'),
  async serve(at) {
    const place = 'tcp' in at ? ['--tcp', at.tcp] : ['--pty', at.pty];
    const server = new JsonProcess([BUILT_CLI, 'emulate', '--json', '--profile', 'ideal-8', ...place]);
    return (await server.next<{ uris: string[] }>('listening')).uris[0];
  },
  identity: { model: 'ideal-8', serialNumber: 'die 1', cells: 8, couplingBits: 16, resumed: 0 },
};

const cDevice: ForeignDevice = {
  ...emulator,
  name: 'the C device',
  missing: missingTools,
  async serve(at) {
    const place = 'tcp' in at ? ['--tcp', at.tcp] : ['--pty', at.pty];
    const program = make('thermolink-device', ...SANITIZED);
    return (await DeviceProcess.start(program, '--profile', 'ideal-8', ...place)).uri;
  },
};

export const FOREIGN_DEVICES: readonly ForeignDevice[] = [emulator, cDevice];
