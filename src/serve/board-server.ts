import type { EmulatedDevice } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import { faultyFrames } from '../../firmware-protocol/link/counters.js';
import type { Port } from '../../firmware-protocol/port.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { busyAnswer, HelloWatch, type SeenHello } from './hello-watch.js';
import { ServedDevice } from './serve-device.js';
import { SessionPort } from './session-port.js';

/** Connections at once, those that only wait or are being refused included. */
export const CONNECTIONS_MAX = 8;
/** A connection that has no session after this time is closed. */
export const HELLO_TIMEOUT_MS = 10_000;
/** A line can't hang up: after this much silence without a run, another client may have the board, unless nobody is there before. */
export const LINE_SILENCE_MS = 10_000;

export type ServerEvent =
  | { readonly event: 'connected'; readonly client: string }
  | {
      readonly event: 'left';
      readonly client: string;
      /** The run that its leaving ended. */
      readonly stoppedRunId?: number;
      readonly state: string;
    }
  | {
      readonly event: 'refused';
      readonly client: string;
      /** Another client has the board; too many connections; no HELLO in time. */
      readonly reason: 'busy' | 'full' | 'silent';
    };

export interface ServerStatus {
  readonly client: string | undefined;
  readonly state: string;
  /** Current or last run of the session, 0 without one. */
  readonly runId: number;
  readonly tick: number;
  readonly framesReceived: number;
  readonly faults: number;
}

export interface BoardServerOptions {
  readonly clock?: Clock;
  readonly onEvent?: (event: ServerEvent) => void;
}

/** One way in: a connection, or a line that stays when its user goes. */
interface Entrance {
  readonly port: Port;
  readonly isLine: boolean;
  /** Whether somebody may be at its other end. */
  readonly hasClient: () => boolean;
  watch: HelloWatch;
  session: SessionPort | undefined;
  heardAtMs: number;
  /** The write in progress; the next one waits for it. */
  sending: Promise<void>;
  refusing: boolean;
  cancelDeadline: () => void;
}

/**
 * One emulated board for several ways in, one client at a time. The first to say HELLO has the board until it leaves;
 * others are told BUSY and touch nothing. When a client leaves, its run is stopped at once, the board goes to safe and
 * keeps its programs.
 */
export class BoardServer {
  readonly #device: EmulatedDevice;
  readonly #clock: Clock;
  readonly #onEvent: (event: ServerEvent) => void;
  readonly #entrances = new Set<Entrance>();
  #holder: Entrance | undefined;

  constructor(device: EmulatedDevice, options: BoardServerOptions = {}) {
    this.#device = device;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#onEvent = options.onEvent ?? (() => undefined);
  }

  get status(): ServerStatus {
    const { board, link } = this.#device;
    return {
      client: this.#holder?.port.name,
      state: board.state,
      runId: board.runId,
      tick: board.tick,
      framesReceived: link.counters.framesReceived,
      faults: faultyFrames(link.counters) + link.counters.messagesRejected,
    };
  }

  /** A connection whose close tells that its client has gone. */
  addConnection(port: Port): void {
    if ([...this.#entrances].filter(({ isLine }) => !isLine).length >= CONNECTIONS_MAX) {
      this.#onEvent({ event: 'refused', client: port.name, reason: 'full' });
      void port.close();
      return;
    }
    const entrance = this.#add(port, false, () => true);
    entrance.cancelDeadline = this.#clock.schedule(HELLO_TIMEOUT_MS, () => {
      if (this.#holder === entrance && this.#device.link.sessionOpen) return;
      this.#onEvent({ event: 'refused', client: port.name, reason: 'silent' });
      void port.close();
    });
  }

  /**
   * A serial line or pseudo-terminal, which stays when its client goes. `hasClient` is asked when another client wants the board;
   * a serial line can't tell.
   */
  addLine(port: Port, hasClient: () => boolean = () => true): void {
    this.#add(port, true, hasClient);
  }

  /** Stops the board and closes every way in. */
  async close(): Promise<void> {
    await Promise.all([...this.#entrances].map(({ port }) => port.close()));
  }

  #add(port: Port, isLine: boolean, hasClient: () => boolean): Entrance {
    const entrance: Entrance = {
      port,
      isLine,
      hasClient,
      watch: new HelloWatch(),
      session: undefined,
      heardAtMs: this.#clock.nowMs(),
      sending: Promise.resolve(),
      refusing: false,
      cancelDeadline: () => undefined,
    };
    this.#entrances.add(entrance);
    port.onData((bytes) => this.#receive(entrance, bytes));
    port.onClose(() => {
      entrance.cancelDeadline();
      this.#entrances.delete(entrance);
      if (this.#holder === entrance) this.#leave(entrance);
    });
    return entrance;
  }

  #receive(entrance: Entrance, bytes: Uint8Array): void {
    entrance.heardAtMs = this.#clock.nowMs();
    if (entrance.session) {
      entrance.session.deliver(bytes);
      return;
    }
    const hello = entrance.watch.push(bytes);
    if (!hello) return;
    const holder = this.#holder;
    // Being asked, a line may find that its own terminal is lost, and has left by then.
    if (holder && this.#givesWay(holder) && this.#holder === holder) this.#dismiss(holder);
    if (this.#holder) this.#refuse(entrance, hello);
    else this.#enter(entrance, hello);
  }

  #enter(entrance: Entrance, hello: SeenHello): void {
    const session = new SessionPort(entrance.port, (bytes) => send(entrance, bytes));
    entrance.session = session;
    this.#holder = entrance;
    new ServedDevice(this.#device, session, { clock: this.#clock });
    this.#onEvent({ event: 'connected', client: entrance.port.name });
    session.deliver(hello.bytes);
  }

  /** Whether the present client must make room: it has no session, has gone, or is a line that fell silent. */
  #givesWay({ isLine, heardAtMs, hasClient }: Entrance): boolean {
    if (!this.#device.link.sessionOpen || !hasClient()) return true;
    const silentMs = this.#clock.nowMs() - heardAtMs;
    return isLine && silentMs >= LINE_SILENCE_MS && this.#device.board.state !== 'running';
  }

  #dismiss(entrance: Entrance): void {
    this.#leave(entrance);
    if (!entrance.isLine) void entrance.port.close();
  }

  #leave(entrance: Entrance): void {
    const { state, runId } = this.#device.board;
    this.#holder = undefined;
    void entrance.session?.close();
    entrance.session = undefined;
    entrance.watch = new HelloWatch();
    this.#onEvent({
      event: 'left',
      client: entrance.port.name,
      ...(state === 'running' ? { stoppedRunId: runId } : {}),
      state: this.#device.board.state,
    });
  }

  #refuse(entrance: Entrance, hello: SeenHello): void {
    if (entrance.refusing) return;
    entrance.refusing = true;
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason: 'busy' });
    send(entrance, busyAnswer(hello.fields))
      .then(() => (entrance.isLine ? undefined : entrance.port.close()))
      // It has gone by itself.
      .catch(() => undefined)
      .finally(() => {
        entrance.refusing = false;
      });
  }
}

/** Writes when the write before has ended: a port takes one at a time, also from two sessions in a row. */
function send(entrance: Entrance, bytes: Uint8Array): Promise<void> {
  const sent = entrance.sending.catch(() => undefined).then(() => entrance.port.write(bytes));
  entrance.sending = sent;
  return sent;
}
