import { checkText } from '../argument-checks.js';
import { BadUri, decodedPath, flag, readParameters, type UriParts, wholeNumber } from './transport.js';

/** How a serial line is used; the port's own defaults hold for what is missing. */
export interface SerialSettings {
  /**
   * Bits per second. Default: 115200 on a wire, no limit where a rate means nothing (USB, pseudo-terminals).
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

/** What names a USB device wherever it is plugged in. */
export interface UsbIdentity {
  /** Four hexadecimal digits, in either case. */
  readonly vendorId: string;
  readonly productId: string;
  readonly serialNumber?: string;
}

/**
 * A serial port in a device URI. A USB device's path is looked up at each opening:
 * it changes with replugging.
 */
export type SerialUriAddress =
  | ({ readonly kind: 'serial' } & SerialAddress)
  | ({ readonly kind: 'usb'; readonly usb: UsbIdentity } & SerialSettings);

/** How such a device URI is written. */
export const SERIAL_FORM = 'serial:PATH[?baud=…&dtr=0|1&rtscts=0|1] or serial:?usb=VID:PID[:SERIAL]';

/** No serial port is faster than this. */
const BAUD_RATE_MAX = 50_000_000;

/** Takes `serial:PATH?…` or `serial:?usb=…` apart. Throws `BadUri`. */
export function parseSerialUri({ path, parameters }: UriParts): SerialUriAddress {
  const file = decodedPath(path);
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
  return { kind: 'serial', path: file, ...settings };
}

function usbIdentity(text: string, name: string): UsbIdentity {
  // A serial number may hold colons itself.
  const match = /^([0-9a-f]{4}):([0-9a-f]{4})(?::(.+))?$/i.exec(text);
  if (!match)
    throw new BadUri(`${name}=${text} is not VID:PID or VID:PID:SERIAL, four hexadecimal digits each`);
  const [, vendorId, productId, serialNumber] = match;
  return { vendorId, productId, serialNumber };
}

/** The URI of a serial port by its path. Errors: BAD_ARGUMENT. */
export function serialUri(path: string): string {
  checkText('path', path);
  return `serial:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`;
}

/** The URI of a USB device that has a serial number. */
export function usbUri({ vendorId, productId, serialNumber }: Required<UsbIdentity>): string {
  return `serial:?usb=${vendorId}:${productId}:${encodeURIComponent(serialNumber)}`;
}
