import { EmulatedDevice, findProfile, PROFILES } from '../emulator/index.js';
import type { Clock } from '../firmware-protocol/clock.js';
import { Device } from './driver/device.js';
import type { Logger } from './driver/logger.js';
import { ThermolinkError } from './errors.js';
import { ServedDevice } from './serve/serve-device.js';
import { memoryPortPair } from './transport/memory-port.js';

/** Where a device is, taken apart from its URI. */
export interface EmulatorAddress {
  readonly kind: 'emulator';
  readonly profile: string;
  /** Which fabricated board; u32. */
  readonly dieSeed: number;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Default: logs nothing. */
  readonly log?: Logger;
}

/** The environment variable that names the device when a command does not. */
export const DEVICE_VARIABLE = 'THERMOLINK_DEVICE';

const U32_MAX = 4294967295;
const FORMS = 'emulator:PROFILE[?die=SEED], for example emulator:ideal-64';

/** Takes a device URI apart. Errors: BAD_DEVICE_URI, UNKNOWN_PROFILE. */
export function parseDeviceUri(uri: string): EmulatorAddress {
  const match = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?([^#]*))?$/i.exec(uri);
  const bad = (why: string): ThermolinkError =>
    new ThermolinkError('BAD_DEVICE_URI', `${JSON.stringify(uri)} is not a device: ${why}.`, {
      hint: `Use ${FORMS}.`,
    });
  if (!match) throw bad('it is not a URI');
  const [, scheme, path, query = ''] = match;
  if (scheme.toLowerCase() !== 'emulator') throw bad(`there is no transport ${scheme}: in this build`);
  if (!findProfile(path))
    throw new ThermolinkError('UNKNOWN_PROFILE', `The emulator has no profile ${JSON.stringify(path)}.`, {
      hint: `Choose one of ${PROFILES.map((profile) => profile.name).join(', ')}.`,
    });
  let dieSeed = 1;
  for (const [key, value] of new URLSearchParams(query)) {
    if (key !== 'die') throw bad(`unknown parameter ${key}`);
    dieSeed = Number(value);
    if (!/^\d{1,10}$/.test(value) || dieSeed > U32_MAX) throw bad(`die=${value} is no u32`);
  }
  return { kind: 'emulator', profile: path, dieSeed };
}

/** Connects to the device that a URI names. An emulator runs in this process, as fast as the machine can. */
export async function connect(uri: string, options: ConnectOptions = {}): Promise<Device> {
  const address = parseDeviceUri(uri);
  const [host, board] = memoryPortPair(uri);
  const profile = findProfile(address.profile)!;
  new ServedDevice(new EmulatedDevice({ profile, dieSeed: address.dieSeed }), board, {
    ...(options.clock ? { clock: options.clock } : {}),
  });
  return Device.open(host, options);
}

/** The URI of the smallest ideal board with dense couplings that holds `cells`, or of the largest there is. */
export function fittingEmulator(cells: number): string {
  const dense = PROFILES.filter((profile) => profile.dense && profile.effects === null);
  const profile = dense.find((candidate) => candidate.cells >= cells) ?? dense.at(-1)!;
  return `emulator:${profile.name}`;
}
