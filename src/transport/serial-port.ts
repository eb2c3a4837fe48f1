import { realpath } from 'node:fs/promises';
import type { SerialPort } from 'serialport';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject, checkSignal, checkText, checkWhole } from '../argument-checks.js';
import { abortError, type ErrorCode, ThermolinkError, throwIfAborted } from '../errors.js';
import { groupOfPort } from './linux-serial-ports.js';
import { portAdvice } from './serial-advice.js';
import { loadSerialPort, mendedBinding } from './serial-binding.js';
import { lastingPlaceOf, resolveUsb } from './serial-devices.js';
import { BAUD_RATE_DEFAULT, serialLimits } from './serial-limits.js';
import {
  parseSerialUri,
  SERIAL_FORM,
  type SerialAddress,
  type SerialUriAddress,
  serialUri,
  suggestSerialUri,
} from './serial-uri.js';
import { StreamPort } from './stream-port.js';
import type { OpenPortOptions, Transport } from './transport.js';

const OPEN_TIMEOUT_MS = 5000;
/** Longest wait for the wire when closing. After it the remaining bytes are dropped. */
const DRAIN_TIMEOUT_MS = 500;

/** The paths of USB devices and pseudo-terminals, for which a baud rate means nothing. */
const WITHOUT_RATE = /^\/dev\/(ttyACM\d+|pts\/\d+|ttys\d+|(cu|tty)\.usbmodem[^/]*)$/;

/**
 * Boards on serial ports, by path or by USB identity. The package serialport is loaded when a port is opened.
 */
export const serialTransport: Transport<SerialUriAddress> = {
  scheme: 'serial',
  form: SERIAL_FORM,
  parse: parseSerialUri,
  async open(address, options) {
    const path = address.kind === 'serial' ? address.path : await resolveUsb(address.usb);
    return openSerialPort({ ...address, path }, options);
  },
  async rediscover(address) {
    if (address.kind === 'usb') return address;
    const { path, kind: _, ...settings } = address;
    return { ...settings, ...(await lastingPlaceOf(path)) };
  },
  suggest: suggestSerialUri,
};

/**
 * Opens a serial port: raw, 8 data bits, no parity, 1 stop bit, locked against other programs. Bytes that
 * arrived before the opening are lost. The DTR level is skipped on a port without a DTR line (a
 * pseudo-terminal).
 *
 * Errors: BAD_ARGUMENT, MISSING_PACKAGE, PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY, CANNOT_CONNECT, NO_ANSWER
 * (deadline), ABORTED. After an error nothing stays open.
 */
export async function openSerialPort(address: SerialAddress, options: OpenPortOptions = {}): Promise<Port> {
  checkObject('address', address, "{ path: '/dev/ttyACM0' }");
  checkText('address.path', address.path);
  if (address.baudRate !== undefined) checkWhole('address.baudRate', address.baudRate, 1);
  checkObject('options', options, '{ signal: controller.signal }');
  checkSignal(options.signal);
  const { path, rtscts = false, dtr } = address;
  throwIfAborted(options.signal);
  const target = await realpath(path).catch(() => path);
  const rate = address.baudRate ?? (WITHOUT_RATE.test(target) ? undefined : BAUD_RATE_DEFAULT);
  const { SerialPort } = await loadSerialPort();
  // Each call makes a new object, because a closed object can't be opened again.
  const settings = { path, baudRate: rate ?? BAUD_RATE_DEFAULT, rtscts, autoOpen: false, lock: true };
  const binding = mendedBinding(SerialPort.binding);
  const serial = new SerialPort({ ...settings, binding } as typeof settings);
  await open(serial, options);
  if (dtr !== undefined) await new Promise((resolve) => serial.set({ dtr }, resolve));
  return new StreamPort(serial, {
    name: `serial:${path}`,
    ...serialLimits(rate),
    finish: () => finish(serial),
    destroy: () => closeNow(serial),
  });
}

function open(serial: SerialPort, { signal, timeoutMs = OPEN_TIMEOUT_MS }: OpenPortOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    let settled = false;
    const settle = (error?: ThermolinkError): void => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onAbort = (): void => settle(abortError(signal!));
    const timer = setTimeout(() => settle(deadlineError(serial.path, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    serial.open((error) => {
      // After the deadline or an abort the port is not needed any more.
      if (settled && !error) closeNow(serial);
      else if (!settled && !error) settle();
      else if (error) openError(serial.path, error).then(settle, reject);
    });
  });
}

/**
 * Waits until the written bytes are on the wire, then closes. If the wire is stuck, the bytes are discarded
 * first, because closing would wait for them.
 */
function finish(serial: SerialPort): void {
  if (!serial.isOpen) return;
  const timer = setTimeout(() => {
    if (serial.isOpen) serial.flush(() => closeNow(serial));
  }, DRAIN_TIMEOUT_MS);
  serial.drain(() => {
    clearTimeout(timer);
    closeNow(serial);
  });
}

function closeNow(serial: SerialPort): void {
  if (serial.isOpen) serial.close(() => undefined);
}

/** The errors of serialport have no codes, so their texts are matched. */
const OPEN_ERRORS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/no such|not found|enoent/i, 'PORT_NOT_FOUND', 'there is no such port'],
  [/permission denied|access denied|eacces/i, 'PORT_DENIED', 'access is denied'],
  [/cannot lock|busy|temporarily unavailable/i, 'PORT_BUSY', 'another program holds it'],
];

async function openError(path: string, cause: Error): Promise<ThermolinkError> {
  const [, code, why] = OPEN_ERRORS.find(([text]) => text.test(cause.message)) ?? [
    /./,
    'CANNOT_CONNECT' as const,
    'it is not a serial port, or does not support these settings',
  ];
  return new ThermolinkError(code, `The port ${path} can’t be opened: ${why}.`, {
    cause,
    hint: await openHint(path, code),
    retryable: code === 'PORT_BUSY',
    data: { path },
  });
}

async function openHint(path: string, code: ErrorCode): Promise<string> {
  if (code !== 'PORT_DENIED' && code !== 'PORT_BUSY')
    return '`thermolink devices` lists the ports; check the path and the baud rate.';
  const verdict = code === 'PORT_BUSY' ? 'busy' : 'no permission';
  const { platform } = process;
  // Group and permissions are those of the port itself, even if a link was given.
  const group = platform === 'linux' ? await groupOfPort(path) : undefined;
  const request = { platform, path, uri: serialUri(path), score: 0, group };
  return portAdvice({ ...request, verdict });
}

function deadlineError(path: string, timeoutMs: number): ThermolinkError {
  return new ThermolinkError('NO_ANSWER', `Opening ${path} took longer than ${timeoutMs / 1000} s.`, {
    retryable: true,
    hint: 'Unplug the board, plug it in and try again.',
    data: { path },
  });
}
