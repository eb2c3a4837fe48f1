import { checkText } from '../argument-checks.js';
import {
  BadUri,
  decodedPath,
  encodedPath,
  flag,
  readParameters,
  type UriParts,
  wholeNumber,
} from './transport.js';

/** Settings of a serial line. A missing setting has the default of the port. */
export interface SerialSettings {
  /**
   * Bits per second. Default: 115200 on a wire; no limit if a rate has no meaning (USB, pseudo-terminals).
   */
  readonly baudRate?: number;
  /** Level of the DTR line after opening. Default: as the operating system sets it. */
  readonly dtr?: boolean;
  /** Flow control by the RTS and CTS lines. Default off. */
  readonly rtscts?: boolean;
}

/** A serial port by its path. */
export interface SerialAddress extends SerialSettings {
  /** `/dev/ttyACM0`, `/dev/cu.usbmodem1101`, `COM3`, or a symlink. */
  readonly path: string;
}

/** The identity of a USB device, independent of its socket. */
export interface UsbIdentity {
  /** Four hexadecimal digits, in either case. */
  readonly vendorId: string;
  readonly productId: string;
  readonly serialNumber?: string;
}

/**
 * A serial port in a device URI. The path of a USB device is looked up at each opening, because it changes
 * with replugging.
 */
export type SerialUriAddress =
  | ({ readonly kind: 'serial' } & SerialAddress)
  | ({ readonly kind: 'usb'; readonly usb: UsbIdentity } & SerialSettings);

/** The form of a device URI for a serial port. */
export const SERIAL_FORM = 'serial:PATH[?baud=…&dtr=0|1&rtscts=0|1] or serial:?usb=VID:PID[:SERIAL]';

/** Largest rate of a serial port. */
const BAUD_RATE_MAX = 50_000_000;

/** Takes `serial:PATH?…` or `serial:?usb=…` apart. Throws `BadUri`. */
export function parseSerialUri({ path: escaped, parameters }: UriParts): SerialUriAddress {
  const file = decodedPath(escaped);
  const { usb, baud, ...lines } = readParameters(parameters, {
    baud: wholeNumber({ min: 1, max: BAUD_RATE_MAX }),
    dtr: flag,
    rtscts: flag,
    usb: usbIdentity,
  });
  const settings: SerialSettings = { baudRate: baud, ...lines };
  if (usb && file !== '') throw new BadUri('a path and usb= exclude each other');
  if (usb) return { kind: 'usb', usb, ...settings };
  if (file === '') throw new BadUri('a serial port needs a path (serial:/dev/ttyACM0) or usb=VID:PID');
  if (DEVICE_NAME.test(file)) throw new BadUri(suggestSerialUri(file));
  // The prefix of Windows device paths is removed here, because opening adds it.
  const path = /^[\\/]{2}\./.test(file) ? (windowsName(file) ?? file) : file;
  return { kind: 'serial', path, ...settings };
}

function usbIdentity(text: string, name: string): UsbIdentity {
  // A serial number may hold colons itself.
  const match = /^([0-9a-f]{4}):([0-9a-f]{4})(?::(.+))?$/i.exec(text);
  if (!match)
    throw new BadUri(`${name}=${text} is not VID:PID or VID:PID:SERIAL, four hexadecimal digits each`);
  const [, vendorId, productId, serialNumber] = match;
  return { vendorId, productId, serialNumber };
}

/**
 * The name of a port of Windows in one form: `COM10` for `com10`, `COM10:` and `\\.\COM10`. Undefined for
 * another path.
 */
export function windowsName(path: string): string | undefined {
  return /^(?:[\\/]{2}\.[\\/])?(com\d+):?$/i.exec(path)?.[1].toUpperCase();
}

/** A tty of Linux or macOS without its folder, or with a part of it. */
const DEVICE_NAME = /^(?:dev\/)?((?:tty(?:USB|ACM|S|AMA|O|mxc|THS)\d+)|(?:(?:cu|tty)\..+)|(?:pts\/\d+))$/;
/** The parameters that may come after a path. A path may hold a question mark of its own. */
const SETTINGS = /\?(?:(?:baud|dtr|rtscts)=\d+&?)+$/;

/**
 * Returns a suggestion for a text that is not the URI of a serial port; undefined if there is no suggestion.
 */
export function suggestSerialUri(text: string): string | undefined {
  const identity = /^(?:usb[:=])?([\da-f]{4}:[\da-f]{4}(?::.+)?)$/i.exec(text)?.[1];
  if (identity !== undefined)
    return `the URI of a board with this USB identity is serial:?usb=${encodeURIComponent(identity).replaceAll('%3A', ':')}`;
  const settings = SETTINGS.exec(text)?.[0] ?? '';
  const isOurs = /^serial:/i.test(text);
  const name = text.slice(0, text.length - settings.length).replace(/^serial:/i, '');
  // Some terminal programs write the rate after a colon.
  const [, path, rate] = /^(.*[^:]):(\d{3,8})$/.exec(name) ?? [undefined, name];
  const found = portPath(path) ?? (isOurs && path !== '' ? path : undefined);
  if (found === undefined) return undefined;
  const uri = `${serialUri(found)}${rate === undefined ? settings : `?baud=${rate}`}`;
  return uri === text ? undefined : `the URI of a serial port is ${uri}`;
}

function portPath(text: string): string | undefined {
  const windows = windowsName(text);
  if (windows !== undefined) return windows;
  const name = DEVICE_NAME.exec(text)?.[1];
  if (name !== undefined) return `/dev/${name}`;
  return /^\.{0,2}\//.test(text) ? text : undefined;
}

/** The URI of a serial port by its path. Errors: BAD_ARGUMENT. */
export function serialUri(path: string): string {
  checkText('path', path);
  return `serial:${encodedPath(path)}`;
}

/** The URI of a USB device that has a serial number. */
export function usbUri({ vendorId, productId, serialNumber }: Required<UsbIdentity>): string {
  return `serial:?usb=${vendorId}:${productId}:${encodeURIComponent(serialNumber)}`;
}
