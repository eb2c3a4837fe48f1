import type { Port } from '../../firmware-protocol/port.js';
import { checkObject } from '../argument-checks.js';
import { Device, type OpenOptions } from '../driver/device.js';
import { openLastingDevice } from '../driver/first-session.js';
import type { ReconnectOptions } from '../driver/reconnect.js';
import { ThermolinkError } from '../errors.js';
import type { SerialSettings } from '../transport/serial-uri.js';
import { openWebSerialPort, serialPortName, type WebSerialPort } from './serial-port.js';

/** The part of the standard `navigator.serial` that is used here. */
export interface WebSerial {
  /** The ports that the user has allowed to this page and that are plugged in. Errors: none. */
  getPorts(): Promise<WebSerialPort[]>;
  /** Asks the user for a port. Errors: rejects with NotFoundError when no port was chosen. */
  requestPort(options?: {
    readonly filters?: { readonly usbVendorId: number; readonly usbProductId?: number }[];
  }): Promise<WebSerialPort>;
}

/** Options of a connection to a board on a serial port. */
export interface ConnectSerialOptions extends SerialSettings, Omit<OpenOptions, 'reconnect'> {
  /** Source of the ports among which a lost board is searched. Default: `navigator.serial`. */
  readonly serial?: WebSerial;
  /** Whether and how a board is searched after its port was lost. Default: for 30 s. */
  readonly reconnect?: boolean | Omit<ReconnectOptions, 'openPort'>;
}

/**
 * Asks the user for a serial port. Browsers allow it only while they handle a click or a key. Errors:
 * UNSUPPORTED if the browser has no Web Serial; PORT_NOT_FOUND when the user chose no port; PORT_DENIED when
 * the page may not ask.
 */
export async function requestSerialPort(
  serial: WebSerial | undefined = browserSerial(),
): Promise<WebSerialPort> {
  if (serial === undefined) throw noWebSerial();
  try {
    return await serial.requestPort();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'NotFoundError')
      throw new ThermolinkError('PORT_NOT_FOUND', 'No serial port was chosen.', {
        cause,
        retryable: true,
        hint: 'Ask again and choose the port of the board. A board that is not in the list is not plugged in, or its cable carries only power.',
      });
    throw new ThermolinkError('PORT_DENIED', 'The browser does not let this page ask for a serial port.', {
      cause,
      hint: 'Ask while a click or a key is handled. A page in a frame needs allow="serial".',
    });
  }
}

/** `navigator.serial`. Chromium provides it only to pages from https or from this computer. */
function browserSerial(): WebSerial | undefined {
  const page: { readonly navigator?: { readonly serial?: Serial } } = globalThis;
  return page.navigator?.serial;
}

function noWebSerial(): ThermolinkError {
  return new ThermolinkError('UNSUPPORTED', 'This browser gives pages no access to serial ports.', {
    hint: 'Open the page in Chrome, Edge or another browser with Web Serial, over https or from localhost; or use the emulated board.',
  });
}

/**
 * Opens a session with the board on a serial port that the user has allowed. If the port is lost, the board
 * is searched among the allowed ports with the same USB vendor and product. Each candidate is opened, because
 * only the board itself tells its serial number.
 *
 * Errors: those of `openWebSerialPort` and of `Device.open`. After an error nothing stays open.
 */
export async function connectSerial(
  port: WebSerialPort,
  options: ConnectSerialOptions = {},
): Promise<Device> {
  checkObject('options', options, '{ baudRate: 115200 }');
  const { serial = browserSerial(), reconnect = true, baudRate, dtr, rtscts, ...session } = options;
  const settings: SerialSettings = { baudRate, dtr, rtscts };
  const opened = await openWebSerialPort(port, { ...settings, signal: session.signal });
  if (reconnect === false || serial === undefined) return Device.open(opened, session);
  let attempts = 0;
  const openPort = async (signal: AbortSignal): Promise<Port> =>
    openWebSerialPort(await allowedPort(serial, port, attempts++), { ...settings, signal });
  return openLastingDevice(opened, { ...(reconnect === true ? {} : reconnect), openPort }, session);
}

/** One of the allowed ports of the same kind. Successive attempts try them in turn. */
async function allowedPort(serial: WebSerial, like: WebSerialPort, attempt: number): Promise<WebSerialPort> {
  const name = serialPortName(like);
  const ports = (await serial.getPorts()).filter((port) => serialPortName(port) === name);
  if (ports.length === 0)
    throw new ThermolinkError('PORT_NOT_FOUND', `${name} is not plugged in.`, {
      retryable: true,
      hint: 'Plug the board in again. A browser forgets a device without a serial number when it is unplugged: ask for its port anew.',
    });
  return ports[attempt % ports.length];
}
