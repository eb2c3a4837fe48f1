import { type Die, type DynamicFault, EmulatedDevice, findProfile, PROFILES } from '../emulator/index.js';
import type { Clock } from '../firmware-protocol/clock.js';
import type { Port } from '../firmware-protocol/port.js';
import {
  badArgument,
  checkObject,
  checkOptionalFlag,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from './argument-checks.js';
import { Device } from './driver/device.js';
import type { Logger } from './driver/logger.js';
import type { DeviceEvent, ReconnectOptions } from './driver/reconnect.js';
import { ThermolinkError } from './errors.js';
import { openBoardThread } from './serve/board-thread.js';
import { checkFaults, FAULT_FORM, parseFaults } from './serve/fault-list.js';
import { readProfile } from './serve/profile-file.js';
import { ServedDevice } from './serve/serve-device.js';
import { memoryPortPair } from './transport/memory-port.js';
import { resolveUsb, type UsbIdentity, usbUriOf } from './transport/serial-devices.js';
import { openSerialPort, type SerialAddress } from './transport/serial-port.js';
import { openTcpPort, parseHostPort, type TcpAddress } from './transport/tcp-port.js';

/** Where a device is, taken apart from its URI. */
export type DeviceAddress =
  | {
      readonly kind: 'emulator';
      /** A board type by its name, or by the file that describes it. */
      readonly profile: string | { readonly file: string };
      /** Which fabricated board; u32. */
      readonly dieSeed: number;
      /** What will break while the board works. */
      readonly faults?: readonly DynamicFault[];
    }
  | ({ readonly kind: 'tcp' } & TcpAddress)
  | ({ readonly kind: 'serial' } & SerialAddress)
  /** The path is found when it is opened: it changes when a board is plugged in again. */
  | ({ readonly kind: 'usb'; readonly usb: UsbIdentity } & SerialSettings);

type SerialSettings = Omit<SerialAddress, 'path'>;

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Default: logs nothing. */
  readonly log?: Logger;
  /**
   * Whether a board whose port is lost is found again, and how (default: for 30 s). A board on USB is found by its identity,
   * under whatever path it comes back. A board in this process can't be lost.
   */
  readonly reconnect?: boolean | Omit<ReconnectOptions, 'openPort'>;
  /**
   * Whether an emulated board computes in a thread of its own. Default: if there is one in this thread already. True for all of them
   * where several work at once: then none waits for another's slices. With a `clock` none has: its time is this thread's.
   */
  readonly ownThread?: boolean;
  /** Hears of every step of reconnecting. */
  readonly onEvent?: (event: DeviceEvent) => void;
}

/** The environment variable that names the device when a command does not. */
export const DEVICE_VARIABLE = 'THERMOLINK_DEVICE';

const U32_MAX = 4294967295;
/** Faster than any serial port there is. */
const BAUD_RATE_MAX = 50_000_000;
const FORMS =
  'emulator:PROFILE[?die=SEED&faults=…], emulator:file=PATH[?…], tcp://HOST:PORT, serial:PATH[?baud=…&dtr=0|1&rtscts=0|1] or serial:?usb=VID:PID[:SERIAL]';

/** What is wrong with a URI, as the end of a sentence. */
class BadUri extends Error {}

/**
 * Takes a device URI apart; what it does not know is an error, never ignored.
 * Errors: BAD_ARGUMENT for what is no text; BAD_DEVICE_URI, UNKNOWN_PROFILE.
 */
export function parseDeviceUri(uri: string): DeviceAddress {
  if (typeof uri !== 'string') throw badArgument('The device URI', uri, 'a text', `Use ${FORMS}.`);
  try {
    return parse(uri);
  } catch (error) {
    if (!(error instanceof BadUri)) throw error;
    throw new ThermolinkError('BAD_DEVICE_URI', `${JSON.stringify(uri)} is not a device: ${error.message}.`, {
      hint: `Use ${FORMS}.`,
    });
  }
}

function parse(uri: string): DeviceAddress {
  const match = /^([a-z][a-z0-9+.-]*):([^?#]*)(?:\?([^#]*))?$/i.exec(uri);
  if (!match) throw new BadUri(pathHint(uri) ?? 'it is not a URI');
  const [, scheme, path, query = ''] = match;
  const parameters = new URLSearchParams(query);
  for (const key of new Set(parameters.keys()))
    if (parameters.getAll(key).length > 1) throw new BadUri(`${key} is given twice`);
  switch (scheme.toLowerCase()) {
    case 'emulator':
      return parseEmulator(path, parameters);
    case 'tcp':
      return parseTcp(path, parameters);
    case 'serial':
      return parseSerial(decoded(path), parameters);
    default:
      throw new BadUri(pathHint(uri) ?? `there is no transport ${scheme}: in this build`);
  }
}

/** For a path in place of a URI: what it should have been. */
function pathHint(text: string): string | undefined {
  return /^(\/|COM\d)/i.test(text) ? `a serial port is written serial:${text}` : undefined;
}

function parseEmulator(path: string, parameters: URLSearchParams): DeviceAddress {
  allowOnly(parameters, ['die', 'faults']);
  const file = /^file=(.*)$/s.exec(path)?.[1];
  if (file === '') throw new BadUri('file= needs a path');
  if (file === undefined && !findProfile(path))
    throw new ThermolinkError('UNKNOWN_PROFILE', `The emulator has no profile ${JSON.stringify(path)}.`, {
      hint: `Choose one of ${PROFILES.map(({ name }) => name).join(', ')}, or describe your own: emulator:file=board.json.`,
    });
  const list = parameters.get('faults');
  const faults = list === null ? undefined : parseFaults(list);
  if (list !== null && !faults) throw new BadUri(`faults=${list} is not ${FAULT_FORM}`);
  return {
    kind: 'emulator',
    profile: file === undefined ? path : { file: decoded(file) },
    dieSeed: integer(parameters, 'die', 0, U32_MAX) ?? 1,
    ...(faults ? { faults } : {}),
  };
}

function parseTcp(path: string, parameters: URLSearchParams): DeviceAddress {
  allowOnly(parameters, []);
  const address = parseHostPort(path.replace(/^\/\//, '').replace(/\/$/, ''));
  if (!path.startsWith('//') || !address)
    throw new BadUri('a board on the network is written tcp://HOST:PORT, for example tcp://127.0.0.1:7000');
  if (address.port === 0) throw new BadUri('port 0 can only be listened at; use the number that was printed');
  return { kind: 'tcp', ...address };
}

function parseSerial(path: string, parameters: URLSearchParams): DeviceAddress {
  allowOnly(parameters, ['baud', 'dtr', 'rtscts', 'usb']);
  const baudRate = integer(parameters, 'baud', 1, BAUD_RATE_MAX);
  const dtr = integer(parameters, 'dtr', 0, 1);
  const rtscts = integer(parameters, 'rtscts', 0, 1);
  const settings: SerialSettings = {
    ...(baudRate === undefined ? {} : { baudRate }),
    ...(dtr === undefined ? {} : { dtr: dtr === 1 }),
    ...(rtscts === undefined ? {} : { rtscts: rtscts === 1 }),
  };
  const usb = parameters.get('usb');
  if (usb === null) {
    if (path === '') throw new BadUri('a serial port needs a path (serial:/dev/ttyACM0) or usb=VID:PID');
    return { kind: 'serial', path, ...settings };
  }
  if (path !== '') throw new BadUri('a path and usb= exclude each other');
  // The serial number may hold colons itself.
  const match = /^([0-9a-f]{4}):([0-9a-f]{4})(?::(.+))?$/i.exec(usb);
  if (!match) throw new BadUri(`usb=${usb} is not VID:PID or VID:PID:SERIAL, four hexadecimal digits each`);
  const [, vendorId, productId, serialNumber] = match;
  const identity = { vendorId, productId, ...(serialNumber === undefined ? {} : { serialNumber }) };
  return { kind: 'usb', usb: identity, ...settings };
}

function allowOnly(parameters: URLSearchParams, known: readonly string[]): void {
  for (const key of parameters.keys())
    if (!known.includes(key))
      throw new BadUri(
        `unknown parameter ${key}${known.length === 0 ? '' : ` (there is ${known.join(', ')})`}`,
      );
}

function integer(parameters: URLSearchParams, key: string, min: number, max: number): number | undefined {
  const text = parameters.get(key);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < min || value > max)
    throw new BadUri(`${key}=${text} is no whole number from ${min} to ${max}`);
  return value;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new BadUri('a % in a path is written %25');
  }
}

/** Emulated boards that compute in this thread. What is closed, or held by nobody else, is not kept in memory for it. */
let boardsHere: readonly WeakRef<Port>[] = [];

/**
 * Connects to the device that a URI names, by one code path for all. An emulator runs in this process, as fast as the
 * machine can, several at once in threads of their own. Errors: those of `parseDeviceUri`, of opening the port, and of
 * `Device.open`; nothing stays open after one.
 */
export async function connect(uri: string, options: ConnectOptions = {}): Promise<Device> {
  checkObject('options', options, '{ signal: controller.signal }');
  checkSignal(options.signal);
  checkOptionalFunction('onEvent', options.onEvent);
  checkOptionalFlag('ownThread', options.ownThread);
  const address = parseDeviceUri(uri);
  const { clock, signal, log, onEvent, reconnect = true } = options;
  const port = await openPort(address, uri, options);
  const again = reconnect !== false && address.kind !== 'emulator' ? await findAgain(address) : undefined;
  return Device.open(port, {
    ...(clock ? { clock } : {}),
    ...(signal ? { signal } : {}),
    ...(log ? { log } : {}),
    ...(onEvent ? { onEvent } : {}),
    ...(again
      ? {
          reconnect: {
            ...(reconnect === true ? {} : reconnect),
            openPort: (ended: AbortSignal) => openPort(again, uri, { ...options, signal: ended }),
          },
        }
      : {}),
  });
}

/** How the board is addressed when its port has gone: one on USB by its identity, since its path may change. */
async function findAgain(address: DeviceAddress): Promise<DeviceAddress> {
  if (address.kind !== 'serial') return address;
  const uri = await usbUriOf(address.path);
  const { path: _, ...settings } = address;
  const found = uri === undefined ? undefined : parseDeviceUri(uri);
  return found?.kind === 'usb' ? { ...settings, ...found } : address;
}

async function openPort(address: DeviceAddress, uri: string, options: ConnectOptions): Promise<Port> {
  switch (address.kind) {
    case 'emulator':
      return emulatorPort(address, uri, options);
    case 'tcp':
      return openTcpPort(address, options);
    case 'serial':
      return openSerialPort(address, options);
    case 'usb':
      return openSerialPort({ ...address, path: await resolveUsb(address.usb) }, options);
  }
}

async function emulatorPort(
  address: Extract<DeviceAddress, { kind: 'emulator' }>,
  uri: string,
  { clock, signal, ownThread }: ConnectOptions,
): Promise<Port> {
  const { profile, dieSeed, faults } = address;
  const type = typeof profile === 'string' ? findProfile(profile)! : await readProfile(profile.file);
  const die: Die = { profile: type, dieSeed, ...(faults ? { faults } : {}) };
  checkFaults(die);
  boardsHere = boardsHere.filter((board) => board.deref()?.closed === false);
  if (!clock && (ownThread ?? boardsHere.length > 0))
    return openBoardThread(die, uri, signal ? { signal } : {});
  const [host, board] = memoryPortPair(uri);
  new ServedDevice(new EmulatedDevice(die), board, clock ? { clock } : {});
  // With a clock of the caller's it computes when that says so.
  if (!clock) boardsHere = [...boardsHere, new WeakRef(host)];
  return host;
}

/** The URI of the smallest ideal board with dense couplings that holds `cells`, or of the largest there is. */
export function fittingEmulator(cells: number): string {
  checkWhole('cells', cells, 1);
  const dense = PROFILES.filter((profile) => profile.dense && profile.effects === null);
  const profile = dense.find((candidate) => candidate.cells >= cells) ?? dense.at(-1)!;
  return `emulator:${profile.name}`;
}
