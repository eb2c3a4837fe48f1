import { realpath } from 'node:fs/promises';
import { badArgument, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { portAdvice } from './serial-advice.js';
import { listSerialPorts } from './serial-listing.js';
import type { ListSerialPorts, SerialListing, SerialRow, Verdict } from './serial-row.js';
import { serialUri, type UsbIdentity, usbUri, windowsName } from './serial-uri.js';
import { fingerprint, SCORE, SCORE_OURS_MIN } from './usb-fingerprints.js';

/** A serial port, with the facts that are known without opening it. */
export interface SerialDevice {
  /** The path to open. On macOS it is the call-out path (/dev/cu.…), which does not wait for a carrier. */
  readonly path: string;
  /**
   * The device URI. It stays valid after replugging if the serial number is unique, or if udev has made a
   * link that no other device of the kind can take over.
   */
  readonly uri: string;
  readonly verdict: Verdict;
  /** Similarity to one of our boards: a whole number from 0 to 100. */
  readonly score: number;
  /** The name from the device itself, or the name of its chip. */
  readonly name: string | undefined;
  /** Four lower-case hexadecimal digits each; undefined off USB. */
  readonly vendorId: string | undefined;
  readonly productId: string | undefined;
  /** Undefined if there is no serial number, or if the system generated it. */
  readonly serialNumber: string | undefined;
  /** Advice for this verdict, in one or two sentences. */
  readonly advice: string;
}

/** Judges every port of a listing. The likeliest boards come first. Errors: BAD_ARGUMENT. */
export function serialDevices(listing: SerialListing): SerialDevice[] {
  checkObject('listing', listing, 'await listSerialPorts()');
  const { platform } = listing;
  const rows = namedRows(listing);
  const devices = rows.map((row): SerialDevice => {
    const product = row.product ?? row.friendlyName;
    const { score, name } = fingerprint({ ...row, product });
    const verdict = judge(row, score);
    const uri = uriOf(row, lastingPlace(row, rows));
    const { path, vendorId, productId, serialNumber, group, holders = [] } = row;
    const advice = portAdvice({ verdict, platform, path, uri, score, group, holders });
    return { path, uri, verdict, score, name, vendorId, productId, serialNumber, advice };
  });
  // The sort is stable, so ports of equal score stay in the order of the system.
  return devices.sort((a, b) => b.score - a.score);
}

/**
 * The ports with the highest score. The list is empty when no port looks like a board. Errors: BAD_ARGUMENT.
 */
export function bestCandidates(devices: readonly SerialDevice[]): SerialDevice[] {
  if (!Array.isArray(devices))
    throw badArgument('devices', devices, 'a list', 'Pass the result of serialDevices.');
  const best = Math.max(SCORE.stranger, ...devices.map((device) => device.score));
  return best === SCORE.stranger ? [] : devices.filter((device) => device.score === best);
}

/**
 * Finds the path of the only port with a USB identity. If several ports fit, this is an error. Errors:
 * PORT_NOT_FOUND, PORT_AMBIGUOUS (with the names of all ports that fit), PORT_DENIED, and those of listing.
 */
export async function resolveUsb(
  wanted: UsbIdentity,
  list: ListSerialPorts = listSerialPorts,
): Promise<string> {
  const listing = await list();
  const devices = serialDevices(listing);
  const { serialNumber } = wanted;
  const identity = { ...wanted, ...usbIds(wanted) };
  const found = devices.filter((device) => matches(device, identity));
  const asked = `${identity.vendorId}:${identity.productId}${serialNumber === undefined ? '' : `:${serialNumber}`}`;
  const [first] = found;
  if (first === undefined) {
    const usb = devices.filter((device) => device.vendorId !== undefined);
    throw new ThermolinkError(
      'PORT_NOT_FOUND',
      `No serial port has the USB identity ${asked}; ${usb.length === 0 ? 'there is none on USB' : `there is ${describe(usb)}`}.`,
      {
        retryable: true,
        hint: 'Check that the board is plugged in and the cable carries data; `thermolink devices` lists the ports.',
        data: { asked, ports: usb.map(({ path }) => path) },
      },
    );
  }
  if (found.length > 1)
    throw new ThermolinkError(
      'PORT_AMBIGUOUS',
      `${found.length} ports have the USB identity ${asked}: ${describe(found)}.`,
      {
        hint: isTold(found)
          ? 'Add the serial number (usb=VID:PID:SERIAL).'
          : 'Their serial numbers do not distinguish them: name one by its path (serial:PATH).',
        data: {
          asked,
          candidates: found.map(({ path, serialNumber: number }) => ({ path, serialNumber: number })),
        },
      },
    );
  if (first.verdict === 'no permission')
    throw new ThermolinkError('PORT_DENIED', `This user may not open ${first.path}.`, {
      hint: first.advice,
      data: { path: first.path },
    });
  return first.path;
}

/** The way to find one device again: by its USB identity, or by a path that only this device can have. */
export type LastingPlace =
  | { readonly kind: 'usb'; readonly usb: UsbIdentity }
  | { readonly kind: 'serial'; readonly path: string };

/**
 * The way to find the device at `path` after it was unplugged and plugged in again. `path` may be any link to
 * the port. If nothing better is known, `path` is returned unchanged. Never rejects.
 */
export async function lastingPlaceOf(
  path: string,
  list: ListSerialPorts = listSerialPorts,
): Promise<LastingPlace> {
  const asGiven: LastingPlace = { kind: 'serial', path };
  try {
    const rows = namedRows(await list());
    const target = await realpath(path).catch(() => path);
    const names = [path, target].map(comparable);
    const row = rows.find((other) =>
      [other.path, other.stablePath, other.placePath].some(
        (name) => name !== undefined && names.includes(comparable(name)),
      ),
    );
    if (row === undefined) return asGiven;
    const place = lastingPlace(row, rows);
    // A link that the user made, for example by a udev rule, is kept, because the user decides its target.
    const isOwnLink = target !== path && path !== row.stablePath;
    return place.kind === 'serial' && isOwnLink ? asGiven : place;
  } catch {
    // The port is already open, and can be found again by its path.
    return asGiven;
  }
}

type NamedRow = SerialRow & Identity;

/** The rows, with all identities and paths in one form. */
function namedRows({ rows }: SerialListing): NamedRow[] {
  return rows.map((row) => ({ ...row, ...identityOf(row), path: callOutPath(row.path) }));
}

/**
 * The way to find the device of a row again. Devices of one kind without serial numbers differ only by their
 * sockets. Their link in /dev/serial/by-id is not used, because this link leads to the device that was
 * plugged in last.
 */
function lastingPlace(row: NamedRow, rows: readonly NamedRow[]): LastingPlace {
  const { vendorId, productId, serialNumber, stablePath, placePath } = row;
  const equals = rows.filter((other) => matches(other, row));
  const isUsb = vendorId !== undefined && productId !== undefined;
  const isUnique = isUsb && equals.length === 1;
  if (isUnique && serialNumber !== undefined)
    return { kind: 'usb', usb: { vendorId, productId, serialNumber } };
  // The channels of one device have the same serial number, but a separate link each.
  const haveLinks =
    new Set(equals.map((other) => other.stablePath ?? '').filter(Boolean)).size === equals.length;
  if (stablePath !== undefined && serialNumber !== undefined && haveLinks)
    return { kind: 'serial', path: stablePath };
  if (placePath !== undefined) return { kind: 'serial', path: placePath };
  // The board is found by its kind. If two boards of this kind are present later, neither is chosen.
  if (isUnique) return { kind: 'usb', usb: { vendorId, productId } };
  return { kind: 'serial', path: row.path };
}

function comparable(path: string): string {
  return windowsName(path) ?? callOutPath(path);
}

function judge({ access, holders = [] }: SerialRow, score: number): Verdict {
  if (access === 'denied') return 'no permission';
  if (holders.length > 0) return 'busy';
  return score >= SCORE_OURS_MIN ? 'ours' : 'unknown';
}

/**
 * Returns the call-out path of a port on macOS, which has two paths. Opening tty.* waits for the carrier line
 * of the other side; opening cu.* does not.
 */
function callOutPath(path: string): string {
  return path.replace(/^\/dev\/tty\./, '/dev/cu.');
}

function identityOf(row: SerialRow): Pick<SerialDevice, 'vendorId' | 'productId' | 'serialNumber'> {
  const { vendorId, productId, serialNumber } = row;
  if (!vendorId || !productId) return { vendorId: undefined, productId: undefined, serialNumber: undefined };
  // For a device without a serial number Windows generates one, which contains an & and changes with the
  // socket. For a USB host controller Linux gives the PCI address as the serial number.
  const isOwn =
    serialNumber !== undefined && !/^$|&|^[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.\d$/i.test(serialNumber);
  return { ...usbIds({ vendorId, productId }), serialNumber: isOwn ? serialNumber : undefined };
}

function usbIds(ids: { readonly vendorId: string; readonly productId: string }) {
  const digits = (id: string): string => id.toLowerCase().replace(/^0x/, '').padStart(4, '0');
  return { vendorId: digits(ids.vendorId), productId: digits(ids.productId) };
}

type Identity = Pick<SerialDevice, 'vendorId' | 'productId'> & { readonly serialNumber?: string | undefined };

/** Whether a port has the wanted identity. A wanted identity without a serial number fits every number. */
function matches(device: Identity, wanted: Identity): boolean {
  const { vendorId, productId, serialNumber } = wanted;
  if (device.vendorId !== vendorId || device.productId !== productId) return false;
  return serialNumber === undefined || device.serialNumber?.toLowerCase() === serialNumber.toLowerCase();
}

function uriOf(row: SerialRow, place: LastingPlace): string {
  if (place.kind === 'serial') return serialUri(place.path);
  const { usb } = place;
  if (usb.serialNumber !== undefined) return usbUri({ ...usb, serialNumber: usb.serialNumber });
  return serialUri(row.stablePath ?? row.path);
}

function isTold(devices: readonly SerialDevice[]): boolean {
  const numbers = devices.map(({ serialNumber }) => serialNumber?.toLowerCase());
  return !numbers.includes(undefined) && new Set(numbers).size === devices.length;
}

function describe(devices: readonly SerialDevice[]): string {
  return devices
    .map(({ path, vendorId, productId, serialNumber }) => {
      const number = serialNumber === undefined ? 'no serial number' : `serial number ${serialNumber}`;
      return `${path} (${vendorId}:${productId}, ${number})`;
    })
    .join(', ');
}
