import { badArgument, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { portAdvice } from './serial-advice.js';
import { listSerialPorts } from './serial-listing.js';
import type { ListSerialPorts, SerialListing, SerialRow, Verdict } from './serial-row.js';
import { serialUri, type UsbIdentity, usbUri } from './serial-uri.js';
import { fingerprint, SCORE, SCORE_OURS_MIN } from './usb-fingerprints.js';

/** A serial port and what is known of it without opening it. */
export interface SerialDevice {
  /**
   * The path that opens it. On macOS it is the call-out path (/dev/cu.…), which does not wait for a carrier.
   */
  readonly path: string;
  /** The device URI. It survives replugging where the USB identity is unique or udev has made a link. */
  readonly uri: string;
  readonly verdict: Verdict;
  /** How much it looks like one of our boards: a whole number from 0 to 100. */
  readonly score: number;
  /** The name that it gives itself, or the name of its chip. */
  readonly name: string | undefined;
  /** Four lower-case hexadecimal digits each; undefined off USB. */
  readonly vendorId: string | undefined;
  readonly productId: string | undefined;
  /** Undefined also where the system has made one up (Windows). */
  readonly serialNumber: string | undefined;
  /** What to do about the verdict, in a sentence or two. */
  readonly advice: string;
}

/** Judges every port of a listing. The likeliest boards come first. Errors: BAD_ARGUMENT. */
export function serialDevices(listing: SerialListing): SerialDevice[] {
  checkObject('listing', listing, 'await listSerialPorts()');
  const { platform } = listing;
  const rows = listing.rows.map((row) => ({ ...row, ...identityOf(row), path: callOutPath(row.path) }));
  const devices = rows.map((row): SerialDevice => {
    const product = row.product ?? row.friendlyName;
    const { score, name } = fingerprint({ ...row, product });
    const verdict = judge(row, score);
    const isUnique = rows.filter((other) => matches(other, row)).length === 1;
    const uri = uriOf(row, isUnique);
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
    throw badArgument('devices', devices, 'a list', 'Pass what serialDevices returns.');
  const best = Math.max(SCORE.stranger, ...devices.map((device) => device.score));
  return best === SCORE.stranger ? [] : devices.filter((device) => device.score === best);
}

/**
 * Finds the path of the one port with a USB identity. It never guesses between several that fit.
 * Errors: PORT_NOT_FOUND, PORT_AMBIGUOUS (which names all that fit), PORT_DENIED, and those of listing.
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
          : 'Their serial numbers do not tell them apart: name one by its path (serial:PATH).',
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

/** The USB identity that only the port at `path` has, or undefined. Never rejects. */
export async function usbIdentityOf(
  path: string,
  list: ListSerialPorts = listSerialPorts,
): Promise<UsbIdentity | undefined> {
  try {
    const device = serialDevices(await list()).find((other) => other.path === path);
    const { vendorId, productId, serialNumber } = device ?? {};
    if (vendorId === undefined || productId === undefined || serialNumber === undefined) return undefined;
    const usb = { vendorId, productId, serialNumber };
    return device?.uri === usbUri(usb) ? usb : undefined;
  } catch {
    // The port is open already, and can be found again by its path.
    return undefined;
  }
}

function judge({ access, holders = [] }: SerialRow, score: number): Verdict {
  if (access === 'denied') return 'no permission';
  if (holders.length > 0) return 'busy';
  return score >= SCORE_OURS_MIN ? 'ours' : 'unknown';
}

/**
 * Returns the second of macOS's two paths of a port. Opening tty.* waits for the other side's carrier line,
 * cu.* does not.
 */
function callOutPath(path: string): string {
  return path.replace(/^\/dev\/tty\./, '/dev/cu.');
}

function identityOf(row: SerialRow): Pick<SerialDevice, 'vendorId' | 'productId' | 'serialNumber'> {
  const { vendorId, productId, serialNumber } = row;
  if (!vendorId || !productId) return { vendorId: undefined, productId: undefined, serialNumber: undefined };
  // For a device without a number Windows makes one up. It holds an & and changes with the socket.
  const isOwn = serialNumber !== undefined && serialNumber !== '' && !serialNumber.includes('&');
  return { ...usbIds({ vendorId, productId }), serialNumber: isOwn ? serialNumber : undefined };
}

function usbIds(ids: { readonly vendorId: string; readonly productId: string }) {
  const digits = (id: string): string => id.toLowerCase().replace(/^0x/, '').padStart(4, '0');
  return { vendorId: digits(ids.vendorId), productId: digits(ids.productId) };
}

type Identity = Pick<SerialDevice, 'vendorId' | 'productId'> & { readonly serialNumber?: string | undefined };

/** Whether a port has the wanted identity. One without a serial number fits every number. */
function matches(device: Identity, wanted: Identity): boolean {
  const { vendorId, productId, serialNumber } = wanted;
  if (device.vendorId !== vendorId || device.productId !== productId) return false;
  return serialNumber === undefined || device.serialNumber?.toLowerCase() === serialNumber.toLowerCase();
}

function uriOf(row: SerialRow & Identity, isUnique: boolean): string {
  const { vendorId, productId, serialNumber } = row;
  if (vendorId !== undefined && productId !== undefined && serialNumber !== undefined && isUnique)
    return usbUri({ vendorId, productId, serialNumber });
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
