import type { Port } from '../../firmware-protocol/port.js';
import { badArgument, checkObject, checkOptionalFlag, checkSignal, checkWhole } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { EventPort } from '../transport/event-port.js';
import { BAUD_RATE_DEFAULT, serialLimits } from '../transport/serial-limits.js';
import type { SerialSettings } from '../transport/serial-uri.js';
import type { OpenPortOptions } from '../transport/transport.js';
import { hasOwnUsb } from '../transport/usb-fingerprints.js';

/**
 * The part of the standard `SerialPort` that is used here. With this interface a program needs no types of
 * Web Serial.
 *
 * Source: Web Serial API, WICG draft, section 4.
 */
export interface WebSerialPort {
  /** The bytes that arrive; null unless the port is open. */
  readonly readable: ReadableStream<Uint8Array> | null;
  /** The stream for bytes to the port; null unless the port is open. */
  readonly writable: WritableStream<Uint8Array> | null;
  /** Vendor and product numbers of a USB device; empty for another port. Errors: none. */
  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number };
  /**
   * Opens the port; `bufferSize` is in bytes. Errors: rejects with InvalidStateError if it is already open,
   * with NetworkError if the system refuses.
   */
  open(options: {
    readonly baudRate: number;
    readonly bufferSize?: number;
    readonly flowControl?: 'none' | 'hardware';
  }): Promise<void>;
  /** Sets the level of control lines. Errors: rejects if the port has no such signals. */
  setSignals(signals: { readonly dataTerminalReady?: boolean }): Promise<void>;
  /** Closes the port. Errors: rejects if it is not open, or if one of its streams is locked. */
  close(): Promise<void>;
  /** Adds a listener that is called when the device is unplugged. Errors: none. */
  addEventListener(event: 'disconnect', listener: () => void): void;
  /** Undoes `addEventListener`. Errors: none. */
  removeEventListener(event: 'disconnect', listener: () => void): void;
}

/**
 * Size of the read buffer in the browser. With the browser's default of 255 bytes, bytes would be lost
 * whenever the page computes.
 */
const READ_BUFFER_BYTES = 1 << 18;
const OPEN_TIMEOUT_MS = 5000;
/** A write that the other side has not taken after this time ends the port. */
const WRITE_TIMEOUT_MS = 30_000;
/** Longest wait for the wire when closing. After it the remaining bytes are dropped. */
const DRAIN_TIMEOUT_MS = 500;
/** Longest wait for the browser in each later step of closing. */
const CLOSE_TIMEOUT_MS = 500;
/** Errors after which the browser makes a new stream (Web Serial, section 4.5, "readable"). */
const LINE_FAULTS: readonly string[] = ['BreakError', 'BufferOverrunError', 'FramingError', 'ParityError'];

/** The name of a port in errors: `web-serial:2e8a:000a`, or `web-serial` for a port that is not on USB. */
export function serialPortName(serial: WebSerialPort): string {
  const { vendorId, productId } = usbIds(serial);
  return vendorId === undefined ? 'web-serial' : `web-serial:${vendorId}:${productId}`;
}

function usbIds(serial: WebSerialPort): { readonly vendorId?: string; readonly productId?: string } {
  const { usbVendorId, usbProductId } = serial.getInfo();
  if (usbVendorId === undefined || usbProductId === undefined) return {};
  const digits = (id: number): string => id.toString(16).padStart(4, '0');
  return { vendorId: digits(usbVendorId), productId: digits(usbProductId) };
}

/**
 * Opens a serial port that the user has allowed to this page: raw, 8 data bits, no parity, 1 stop bit.
 * The default of `baudRate` is 115200. The rate limits the unacknowledged bytes; only a device with its own
 * USB port and no given `baudRate` has no such limit. The DTR level is skipped on a port without a DTR line.
 *
 * Errors: BAD_ARGUMENT, PORT_BUSY (open in this page already), CANNOT_CONNECT, NO_ANSWER (deadline), ABORTED.
 * After an error nothing stays open.
 */
export async function openWebSerialPort(
  serial: WebSerialPort,
  options: SerialSettings & OpenPortOptions = {},
): Promise<Port> {
  checkSerialPort(serial);
  checkObject('options', options, '{ baudRate: 115200 }');
  const { baudRate, dtr, rtscts, signal, timeoutMs = OPEN_TIMEOUT_MS } = options;
  if (baudRate !== undefined) checkWhole('baudRate', baudRate, 1);
  checkOptionalFlag('dtr', dtr);
  checkOptionalFlag('rtscts', rtscts);
  checkSignal(signal);
  checkWhole('timeoutMs', timeoutMs, 1);
  throwIfAborted(signal);
  const name = serialPortName(serial);
  const opening = serial.open({
    baudRate: baudRate ?? BAUD_RATE_DEFAULT,
    bufferSize: READ_BUFFER_BYTES,
    flowControl: rtscts ? 'hardware' : 'none',
  });
  await opened(opening, serial, { name, signal, timeoutMs });
  if (dtr !== undefined) await settledWithin(CLOSE_TIMEOUT_MS, serial.setSignals({ dataTerminalReady: dtr }));
  const rate = baudRate ?? (hasOwnUsb(usbIds(serial)) ? undefined : BAUD_RATE_DEFAULT);
  return new StandardSerialPort(serial, name, serialLimits(rate));
}

function checkSerialPort(serial: unknown): void {
  checkObject('serial', serial, 'await navigator.serial.requestPort()');
  if (typeof (serial as { readonly open?: unknown }).open !== 'function')
    throw badArgument(
      'serial',
      serial,
      'a SerialPort',
      'Pass the awaited result of requestPort, not the promise.',
    );
}

/** Waits for the browser. A port that opens after the deadline or an abort is closed again. */
function opened(
  opening: Promise<void>,
  serial: WebSerialPort,
  { name, signal, timeoutMs }: { name: string; signal: AbortSignal | undefined; timeoutMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (error?: ThermolinkError): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const onAbort = (): void => settle(abortError(signal!));
    const timer = setTimeout(() => settle(deadlineError(name, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    opening.then(
      () => {
        if (settled) void serial.close().catch(() => undefined);
        else settle();
      },
      (cause: unknown) => settle(openError(name, cause)),
    );
  });
}

function deadlineError(name: string, timeoutMs: number): ThermolinkError {
  return new ThermolinkError('NO_ANSWER', `Opening ${name} took longer than ${timeoutMs / 1000} s.`, {
    retryable: true,
    hint: 'Unplug the board, plug it in and try again.',
  });
}

/** The error of a browser tells only whether this page already has the port open (section 4.4, "open()"). */
function openError(name: string, cause: unknown): ThermolinkError {
  if (cause instanceof Error && cause.name === 'InvalidStateError')
    return new ThermolinkError('PORT_BUSY', `The port ${name} is already open in this page.`, {
      cause,
      retryable: true,
      hint: 'Close the device that uses it.',
    });
  return new ThermolinkError('CANNOT_CONNECT', `The browser cannot open ${name}.`, {
    cause,
    retryable: true,
    hint: 'Close other programs and pages that use the port, check that this user may open it, and plug the board in again.',
  });
}

/** Whether the promise has settled (resolved or rejected) within that time. */
function settledWithin(timeoutMs: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(end, end);
  });
}

/** A port on an open `SerialPort`. Bytes that arrive before the first `onData` wait in the browser. */
class StandardSerialPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly #serial: WebSerialPort;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Settles the write in progress. */
  #settleWrite: ((error?: Error) => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #onDisconnect = (): void => this.#end(this.#unplugged());

  constructor(
    serial: WebSerialPort,
    name: string,
    limits: { readonly frameBytesMax: number; readonly inFlightBytesMax: number },
  ) {
    super();
    this.name = name;
    this.frameBytesMax = limits.frameBytesMax;
    this.inFlightBytesMax = limits.inFlightBytesMax;
    this.#serial = serial;
    this.#writer = serial.writable!.getWriter();
    this.#writer.closed.catch((error: unknown) => this.#end(asError(error)));
    serial.addEventListener('disconnect', this.#onDisconnect);
  }

  override onData(receiver: (bytes: Uint8Array) => void): void {
    super.onData(receiver);
    if (this.#reader === undefined) void this.#flow();
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.writeRefusal(this.#settleWrite !== undefined);
      if (refusal) {
        reject(refusal);
        return;
      }
      const timer = setTimeout(() => this.#end(this.#stalled()), WRITE_TIMEOUT_MS);
      const settle = (error?: Error): void => {
        if (this.#settleWrite !== settle) return;
        this.#settleWrite = undefined;
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.#settleWrite = settle;
      this.#writer.write(bytes).then(
        () => settle(),
        (error: unknown) => this.#end(asError(error)),
      );
    });
  }

  /** Closes the port. Waits at most 2 s for written bytes and for the browser. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Passes on received bytes until the port ends. */
  async #flow(): Promise<void> {
    while (!this.closed) {
      // After a fault of the line the browser has a new stream; after the loss of the port it has no stream.
      const stream = this.#serial.readable;
      if (stream === null) return this.#end(this.#unplugged());
      const reader = stream.getReader();
      this.#reader = reader;
      for (;;) {
        const got = await reader.read().catch(asError);
        if (this.closed) return;
        if (got instanceof Error) {
          if (!LINE_FAULTS.includes(got.name)) return this.#end(got);
          reader.releaseLock();
          break;
        }
        if (got.done) return this.#end();
        this.events.data(got.value);
      }
    }
  }

  /** Ends the port after the browser, the board or a deadline has ended it. */
  #end(reason?: Error): void {
    if (this.closed) return;
    this.#settleWrite?.(this.closedError(reason));
    this.events.end(reason);
    void this.close();
  }

  async #close(): Promise<void> {
    this.#settleWrite?.(this.closedError());
    this.events.end();
    this.#serial.removeEventListener('disconnect', this.#onDisconnect);
    const drained = await settledWithin(DRAIN_TIMEOUT_MS, this.#writer.close());
    if (!drained) await settledWithin(CLOSE_TIMEOUT_MS, this.#writer.abort());
    this.#writer.releaseLock();
    const reader = this.#reader ?? this.#serial.readable?.getReader();
    if (reader) {
      await settledWithin(CLOSE_TIMEOUT_MS, reader.cancel());
      reader.releaseLock();
    }
    await settledWithin(CLOSE_TIMEOUT_MS, this.#serial.close());
  }

  #unplugged(): ThermolinkError {
    return new ThermolinkError('LINK_LOST', `${this.name} was unplugged.`, { retryable: true });
  }

  #stalled(): ThermolinkError {
    return new ThermolinkError(
      'LINK_LOST',
      `${this.name} took no bytes for ${WRITE_TIMEOUT_MS / 1000} s: the other side does not read.`,
      { retryable: true },
    );
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
