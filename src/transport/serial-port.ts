import { realpath } from 'node:fs/promises';
import type { SerialPort } from 'serialport';
import type { Port } from '../../firmware-protocol/port.js';
import { abortError, type ErrorCode, ThermolinkError, throwIfAborted } from '../errors.js';
import { portAdvice } from './serial-advice.js';
import { mendedBinding } from './serial-binding.js';
import { loadSerialPort } from './serial-package.js';
import { StreamPort } from './stream-port.js';
import type { OpenPortOptions } from './tcp-port.js';

export interface SerialAddress {
  /** `/dev/ttyACM0`, `/dev/cu.usbmodem1101`, `COM3`, or a symlink. */
  readonly path: string;
  /** Bits per second; without it, RATE_DEFAULT on a wire, and no limit where a rate means nothing (USB, pty). */
  readonly baudRate?: number;
  /** Level of the DTR line after opening; left as the system sets it when missing. */
  readonly dtr?: boolean;
  /** Flow control by RTS and CTS. Default off. */
  readonly rtscts?: boolean;
}

const RATE_DEFAULT = 115_200;
const FRAME_BYTES_MAX = 8192;
/** The protocol's smallest limit of a frame. */
const FRAME_BYTES_MIN = 256;
/** A frame keeps the line for at most this long, so that a stop gets through. */
const FRAME_MS = 20;
/** Unacknowledged commands keep it for at most this long: what the system holds can't be recalled. */
const IN_FLIGHT_MS = 50;
/** The same where no rate is known: what USB full speed carries in 50 ms. */
const IN_FLIGHT_BYTES_WITHOUT_RATE = 65536;
/** A start bit, 8 data bits, a stop bit. */
const BITS_PER_BYTE = 10;
const OPEN_TIMEOUT_MS = 5000;
/** How long closing waits for the wire before it throws the rest away. */
const DRAIN_TIMEOUT_MS = 500;

/** USB devices and pseudo-terminals, where a baud rate is a formality. */
const WITHOUT_RATE = /^\/dev\/(ttyACM\d+|pts\/\d+|ttys\d+|(cu|tty)\.usbmodem[^/]*)$/;

/** The URI of a serial port by its path. */
export function serialUri(path: string): string {
  return `serial:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`;
}

/** What a line of this rate should carry at once; `undefined`: a rate means nothing here. */
export function serialLimits(baudRate: number | undefined): {
  readonly frameBytesMax: number;
  readonly inFlightBytesMax: number;
} {
  if (baudRate === undefined)
    return { frameBytesMax: FRAME_BYTES_MAX, inFlightBytesMax: IN_FLIGHT_BYTES_WITHOUT_RATE };
  const bytesIn = (ms: number): number => Math.floor((baudRate * ms) / (1000 * BITS_PER_BYTE));
  const frameBytesMax = Math.min(FRAME_BYTES_MAX, Math.max(FRAME_BYTES_MIN, bytesIn(FRAME_MS)));
  return { frameBytesMax, inFlightBytesMax: Math.max(frameBytesMax, bytesIn(IN_FLIGHT_MS)) };
}

/**
 * Opens a serial port, raw, 8N1, locked against other programs. Bytes that came before are lost. Modem lines that the
 * port lacks (pseudo-terminals) are left out. Errors: MISSING_PACKAGE, PORT_NOT_FOUND, PORT_DENIED, PORT_BUSY,
 * CANNOT_CONNECT, NO_ANSWER (deadline), ABORTED; nothing stays open after one.
 */
export async function openSerialPort(address: SerialAddress, options: OpenPortOptions = {}): Promise<Port> {
  const { path, rtscts = false, dtr } = address;
  throwIfAborted(options.signal);
  const target = await realpath(path).catch(() => path);
  const rate = address.baudRate ?? (WITHOUT_RATE.test(target) ? undefined : RATE_DEFAULT);
  const { SerialPort } = await loadSerialPort();
  // A port object is never opened twice: a second opening of one that was closed fails.
  const settings = { path, baudRate: rate ?? RATE_DEFAULT, rtscts, autoOpen: false, lock: true };
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
      // Nobody waits any more: what did open is closed again.
      if (settled && !error) closeNow(serial);
      else if (!settled) settle(error ? openError(serial.path, error) : undefined);
    });
  });
}

/** Waits for the wire, then closes; what a stuck wire still holds is thrown away first, or closing would wait for it. */
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

/** serialport's errors carry no codes: their text is all there is. */
const OPEN_ERRORS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/no such|not found|enoent/i, 'PORT_NOT_FOUND', 'there is no such port'],
  [/permission denied|access denied|eacces/i, 'PORT_DENIED', 'access is denied'],
  [/cannot lock|busy|temporarily unavailable/i, 'PORT_BUSY', 'another program holds it'],
];

function openError(path: string, cause: Error): ThermolinkError {
  const [, code, why] = OPEN_ERRORS.find(([text]) => text.test(cause.message)) ?? [
    /./,
    'CANNOT_CONNECT' as const,
    'it is no serial port, or does not take these settings',
  ];
  return new ThermolinkError(code, `The port ${path} can’t be opened: ${why}.`, {
    cause,
    hint: openHint(path, code),
    retryable: code === 'PORT_BUSY',
    data: { path },
  });
}

function openHint(path: string, code: ErrorCode): string {
  if (code !== 'PORT_DENIED' && code !== 'PORT_BUSY')
    return 'See `thermolink devices` for the ports there are; check the path and the baud rate.';
  const verdict = code === 'PORT_BUSY' ? 'busy' : 'no permission';
  const request = { platform: process.platform, path, uri: serialUri(path), score: 0, group: 'dialout' };
  return portAdvice({ ...request, verdict });
}

function deadlineError(path: string, timeoutMs: number): ThermolinkError {
  return new ThermolinkError('NO_ANSWER', `Opening ${path} took longer than ${timeoutMs / 1000} s.`, {
    retryable: true,
    hint: 'Unplug the board, plug it in and try again.',
    data: { path },
  });
}
