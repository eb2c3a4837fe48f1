import type { Port } from '../../firmware-protocol/port.js';
import { EventPort } from '../../src/transport/event-port.js';
import type { WebSerial } from '../../src/web/connect-serial.js';
import type { WebSerialPort } from '../../src/web/serial-port.js';

/** Bytes that wait on the way to a board. */
const WIRE_BYTES = 4096;
const FRAME_BYTES_MAX = 65536;

const networkError = (): DOMException => new DOMException('The device has been lost.', 'NetworkError');

/** One direction of a wire: a write waits while it is full. */
class Wire {
  readonly #bytesMax: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const flush = (): void => this.flush();
    signal?.addEventListener('abort', flush, { once: true });
    try {
      await this.#fill(bytes, signal);
    } finally {
      signal?.removeEventListener('abort', flush);
    }
  }

  async #fill(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      while (this.#bytes >= this.#bytesMax && !this.#ended) await this.#change();
      if (this.#ended) throw networkError();
      if (signal?.aborted) throw signal.reason;
      const part = bytes.slice(at, at + this.#bytesMax - this.#bytes);
      this.#chunks.push(part);
      this.#bytes += part.length;
      at += part.length;
      this.#tell();
    }
  }

  /** The next bytes; undefined when the wire is cut, or when the reader is no longer wanted. */
  async read(isWanted: () => boolean = () => true): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0 && !this.#ended) await this.#change();
    if (!isWanted()) return undefined;
    const chunk = this.#chunks.shift();
    this.#bytes -= chunk?.length ?? 0;
    this.#tell();
    return chunk;
  }

  async drained(): Promise<void> {
    while (this.#bytes > 0 && !this.#ended) await this.#change();
  }

  flush(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The board's end of the wire. */
class BoardEnd extends EventPort implements Port {
  readonly name = 'web-serial:board';
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly #serial: FakeSerialPort;
  #isWriting = false;
  #flows = false;

  constructor(serial: FakeSerialPort) {
    super();
    this.#serial = serial;
  }

  override onData(receiver: (bytes: Uint8Array) => void): void {
    super.onData(receiver);
    if (!this.#flows) void this.#flow();
    this.#flows = true;
  }

  async #flow(): Promise<void> {
    for (let chunk = await this.#serial.toBoard.read(); chunk; chunk = await this.#serial.toBoard.read())
      this.events.data(chunk);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const refusal = this.writeRefusal(this.#isWriting);
    if (refusal) throw refusal;
    this.#isWriting = true;
    try {
      await this.#serial.toHost.write(bytes).catch((error: Error) => {
        throw this.closedError(error);
      });
    } finally {
      this.#isWriting = false;
    }
  }

  close(): Promise<void> {
    this.events.end();
    this.#serial.unplug();
    return Promise.resolve();
  }
}

/** The outcome of opening a fake port. Default: it opens at once. */
export type Opening = () => Promise<void>;

/**
 * The standard's `SerialPort` without a browser: its states, streams, locks and errors.
 *
 * Source: Web Serial API, WICG draft, sections 4.4 to 4.9.
 */
export class FakeSerialPort implements WebSerialPort {
  readonly toBoard = new Wire(WIRE_BYTES);
  readonly toHost = new Wire(WIRE_BYTES);
  /** The options of the page when it opened the port. */
  opened: Parameters<WebSerialPort['open']>[0] | undefined;
  readonly signals: object[] = [];
  closes = 0;
  /** Whether the port has modem lines. */
  hasLines = true;
  readonly board: Port = new BoardEnd(this);
  readonly #info: { readonly usbVendorId?: number; readonly usbProductId?: number };
  readonly #opening: Opening;
  #state: 'closed' | 'opening' | 'opened' = 'closed';
  #isLost = false;
  #readable: ReadableStream<Uint8Array> | null = null;
  #writable: WritableStream<Uint8Array> | null = null;
  #failRead: ((error: unknown) => void) | undefined;
  #failWrite: ((error: unknown) => void) | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(
    info: { readonly usbVendorId?: number; readonly usbProductId?: number } = {},
    opening: Opening = () => Promise.resolve(),
  ) {
    this.#info = info;
    this.#opening = opening;
  }

  getInfo() {
    return this.#info;
  }

  async open(options: Parameters<WebSerialPort['open']>[0]): Promise<void> {
    if (this.#state !== 'closed') throw new DOMException('The port is already open.', 'InvalidStateError');
    if (!(options.baudRate > 0) || !((options.bufferSize ?? 255) > 0)) throw new TypeError('bad options');
    this.#state = 'opening';
    try {
      await this.#opening();
      if (this.#isLost) throw networkError();
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
    this.#state = 'opened';
    this.opened = options;
  }

  /** A new stream after an error that did not end the port (section 4.5). */
  get readable(): ReadableStream<Uint8Array> | null {
    if (this.#state !== 'opened' || this.#isLost) return null;
    if (this.#readable !== null) return this.#readable;
    const stream: ReadableStream<Uint8Array> = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#failRead = (error) => {
            this.#readable = null;
            controller.error(error);
          };
        },
        pull: async (controller) => {
          const chunk = await this.toHost.read(() => this.#readable === stream);
          if (chunk) controller.enqueue(chunk);
        },
        cancel: () => {
          this.#readable = null;
          this.toHost.flush();
        },
      },
      { highWaterMark: 0 },
    );
    this.#readable = stream;
    return stream;
  }

  get writable(): WritableStream<Uint8Array> | null {
    if (this.#state !== 'opened' || this.#isLost) return null;
    this.#writable ??= new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#failWrite = (error) => {
          this.#writable = null;
          controller.error(error);
        };
      },
      // An abort also ends the write in progress.
      write: (chunk, controller) =>
        this.toBoard.write(chunk, (controller as { readonly signal?: AbortSignal }).signal),
      close: async () => {
        await this.toBoard.drained();
        this.#writable = null;
      },
      abort: () => {
        this.toBoard.flush();
        this.#writable = null;
      },
    });
    return this.#writable;
  }

  async setSignals(signals: object): Promise<void> {
    if (!this.hasLines) throw networkError();
    this.signals.push(signals);
  }

  /** Rejects while a stream is locked, because a locked stream can't be cancelled (section 4.9). */
  async close(): Promise<void> {
    if (this.#state !== 'opened') throw new DOMException('The port is already closed.', 'InvalidStateError');
    await Promise.all([this.#readable?.cancel(), this.#writable?.abort()]);
    this.#state = 'closed';
    this.closes++;
  }

  addEventListener(_: 'disconnect', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'disconnect', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** The cable is pulled: both streams fail, and the page is told. */
  unplug(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.toBoard.end();
    this.toHost.end();
    this.#failRead?.(networkError());
    this.#failWrite?.(networkError());
    for (const tell of [...this.#listeners]) tell();
  }

  /** A fault of the line: the stream fails, and the page may continue with a new stream. */
  failLine(name: 'BreakError' | 'BufferOverrunError' | 'FramingError' | 'ParityError'): void {
    this.#failRead?.(new DOMException('The line failed.', name));
  }
}

/** The standard's `navigator.serial`, with the ports that a user has allowed. */
export class FakeSerial implements WebSerial {
  ports: FakeSerialPort[] = [];
  /** The answer of the user to a request for a port. */
  answer: () => FakeSerialPort = () => {
    throw new DOMException('No port selected by the user.', 'NotFoundError');
  };

  async getPorts(): Promise<FakeSerialPort[]> {
    return [...this.ports];
  }

  async requestPort(): Promise<FakeSerialPort> {
    return this.answer();
  }
}
