import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { openPort } from '../connect.js';
import { Device } from '../driver/device.js';
import { pause } from '../driver/reconnect.js';
import { ThermolinkError } from '../errors.js';
import { SessionPort } from '../serve/session-port.js';

/** The first pause before a lost board is looked for again. It doubles up to PAUSE_MS_MAX. */
const PAUSE_MS_FIRST = 100;
const PAUSE_MS_MAX = 5000;
/** A board that does not become safe within this time is lost. */
const MAKE_SAFE_MS = 8000;
/** A client may send the rest of a frame within this time. After it, a stop cuts the frame off. */
const BOUNDARY_MS = 50;

/** Health, identity and state of the board, for observers. */
export interface LineListener {
  /** `fault`: the board has latched one. */
  health(health: 'good' | 'fault' | 'lost', problem: string | undefined): void;
}

export interface LineOptions {
  readonly clock: Clock;
  /** Puts listeners between a new port and the board. */
  readonly tap: (port: Port) => Port;
  /** Opens the port; tests give their own. */
  readonly openPort?: typeof openPort;
}

/**
 * The port to one board. It stays open over all clients, is opened again when it is lost, and carries one
 * session port at a time: that of a client, or that of the server itself.
 */
export class BoardLine {
  readonly #uri: string;
  readonly #listener: LineListener;
  readonly #options: LineOptions;
  readonly #ended = new AbortController();
  #port: Port | undefined;
  #session: SessionPort | undefined;
  /** Settles when the last write has ended; the next write waits for it. */
  #sending: Promise<void> = Promise.resolve();
  /** Whether the last byte that was written ends a frame. */
  #isAtBoundary = true;
  #whenAtBoundary: (() => void)[] = [];
  #makingSafe: Promise<void> | undefined;
  /** Whether the loss of the board was reported since the last attempt to open its port began. */
  #isLost = false;
  readonly #opened: Promise<void>;

  constructor(uri: string, listener: LineListener, options: LineOptions) {
    this.#uri = uri;
    this.#listener = listener;
    this.#options = options;
    this.#opened = this.#keepOpen();
  }

  /** Whether the board can be used now. */
  get isOpen(): boolean {
    return this.#port !== undefined && !this.#port.closed;
  }

  /** The limits of the board's port, bytes. Undefined while no port is open. */
  get limits(): Pick<Port, 'frameBytesMax' | 'inFlightBytesMax'> | undefined {
    return this.#port;
  }

  /** A port to the board for one client. An earlier one is closed. Undefined while the board is lost. */
  attach(): SessionPort | undefined {
    const port = this.#port;
    if (port === undefined || port.closed) return undefined;
    void this.#session?.close();
    const session = new SessionPort(port, (bytes) => this.#send(port, bytes));
    this.#session = session;
    return session;
  }

  /**
   * Ends any run, in a short session of the server's own, and leaves the board safe. A board that does not
   * become safe counts as lost, and the server looks for it again. Errors: none.
   */
  makeSafe(): Promise<void> {
    this.#makingSafe ??= this.#makeSafe().finally(() => {
      this.#makingSafe = undefined;
    });
    return this.#makingSafe;
  }

  async #makeSafe(): Promise<void> {
    const port = this.#port;
    if (port === undefined || port.closed) return;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(MAKE_SAFE_MS)]);
    let isFaulty: boolean;
    try {
      const session = this.attach()!;
      const device = await Device.open(session, { signal, clock: this.#options.clock, retry: false });
      try {
        await device.stop({ signal });
        const { state } = await device.readStatus({ signal });
        await device.readCounters({ signal });
        isFaulty = state === 'fault';
      } finally {
        await device.close();
      }
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#lose(textOf(error));
      await port.close().catch(() => undefined);
      return;
    }
    // This comes only now, because the first health lets clients in, and the session of a client would end
    // the session above.
    if (isFaulty) this.#listener.health('fault', 'The board has latched a fault.');
    else this.#listener.health('good', undefined);
  }

  /**
   * Reports that the board is lost, but only once after each attempt to open its port, because the first
   * problem causes the later ones.
   */
  #lose(problem: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#listener.health('lost', problem);
  }

  /**
   * Writes a frame between those of the client. If the client has sent only a part of a frame and the rest
   * does not come soon, this frame is cut off, and the client sends it again. The call waits for a write in
   * progress, without a deadline. Errors: those of the port.
   */
  async inject(frame: Uint8Array): Promise<void> {
    const port = this.#port;
    if (port === undefined || port.closed) return;
    if (!this.#isAtBoundary)
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.schedule(BOUNDARY_MS, resolve);
        this.#whenAtBoundary.push(() => {
          cancel();
          resolve();
        });
      });
    await this.#send(port, frame);
  }

  /** Makes the board safe and closes its port. */
  async close(): Promise<void> {
    await this.makeSafe();
    this.#ended.abort();
    await this.#port?.close().catch(() => undefined);
    await this.#opened;
  }

  /** Writes after the previous write has settled. A port takes one write at a time. */
  #send(port: Port, bytes: Uint8Array): Promise<void> {
    const sent = this.#sending
      .catch(() => undefined)
      .then(async () => {
        this.#isAtBoundary = bytes.at(-1) === 0;
        await port.write(bytes);
        if (this.#isAtBoundary) for (const tell of this.#whenAtBoundary.splice(0)) tell();
      });
    this.#sending = sent;
    return sent;
  }

  async #keepOpen(): Promise<void> {
    const { clock, tap, openPort: open = openPort } = this.#options;
    const { signal } = this.#ended;
    let pauseMs = PAUSE_MS_FIRST;
    while (!signal.aborted) {
      this.#isLost = false;
      try {
        const port = tap(await open(this.#uri, { signal, ownThread: true }));
        const closed = new Promise<void>((resolve) => port.onClose(() => resolve()));
        port.onData((bytes) => this.#session?.deliver(bytes));
        this.#port = port;
        this.#isAtBoundary = true;
        await this.makeSafe();
        if (!port.closed) pauseMs = PAUSE_MS_FIRST;
        await closed;
        if (!signal.aborted) this.#lose('Its port was closed.');
      } catch (error) {
        if (!signal.aborted) this.#lose(textOf(error));
      }
      this.#port = undefined;
      void this.#session?.close();
      if (!signal.aborted) await pause(clock, pauseMs, signal);
      pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof ThermolinkError ? error.message : String(error);
}
