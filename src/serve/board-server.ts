import type { Clock } from '../../firmware-protocol/clock.js';
import { faultyFrames } from '../../firmware-protocol/link/counters.js';
import { HELLO_PURPOSE } from '../../firmware-protocol/messages/system.js';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject } from '../argument-checks.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { busyAnswer, HelloWatch, type SeenHello, speaksOurVersion } from './hello-watch.js';
import { type ServableDevice, ServedDevice } from './serve-device.js';
import { SessionPort } from './session-port.js';

/** Connections at once, including those that wait or are being refused (protocol.md, "Over TCP"). */
export const CONNECTIONS_MAX = 8;
/** A connection without a session is closed after this time. */
export const HELLO_TIMEOUT_MS = 10_000;
/**
 * Time that a client waits for a board that another connection has. Without this wait, a host that reconnects
 * immediately would be refused because of its own old connection.
 */
export const BUSY_GRACE_MS = 100;
/**
 * After this time without bytes and without a run, a line gives the board to another client, because a line
 * can't tell that its client has left.
 */
export const LINE_SILENCE_MS = 10_000;

/** An event of a client of the board. */
export type ServerEvent =
  | { readonly event: 'connected'; readonly client: string }
  | {
      readonly event: 'left';
      readonly client: string;
      /** The run that ended because the client left. */
      readonly stoppedRunId?: number;
      readonly state: string;
    }
  | {
      readonly event: 'refused';
      readonly client: string;
      /**
       * `busy`: another client has the board. `full`: too many connections. `silent`: no HELLO came in time,
       * or another connection needed the place. `version`: the client speaks another version of the protocol.
       * `hello`: the board did not open the session, for example because the nonce of the HELLO has the same
       * first byte as the nonce of an earlier session.
       */
      readonly reason: 'busy' | 'full' | 'silent' | 'version' | 'hello';
    };

/** The present state of a server and its board. */
export interface ServerStatus {
  readonly client: string | undefined;
  readonly state: string;
  /** Number of the current or last board run of the session; 0 when there was no run. */
  readonly runId: number;
  readonly tick: number;
  /** Number of good frames that the board has received. */
  readonly framesReceived: number;
  /** Number of faulty frames and messages. */
  readonly faults: number;
}

/** Options of a board server. */
export interface BoardServerOptions {
  readonly clock?: Clock;
  readonly onEvent?: (event: ServerEvent) => void;
  /** Wraps each new port before the board uses it, for example with a recorder. */
  readonly tap?: ((port: Port) => Port) | undefined;
}

/** One way to the board: a connection, or a line that stays when its client leaves. */
interface Entrance {
  readonly port: Port;
  readonly isLine: boolean;
  /** Whether a client may be at the other end. */
  readonly hasClient: () => boolean;
  watch: HelloWatch;
  session: SessionPort | undefined;
  readonly addedAtMs: number;
  heardAtMs: number;
  /** Settles when the last write settles; the next write waits for it. */
  sending: Promise<void>;
  refusing: boolean;
  /** The HELLO of a client that waits BUSY_GRACE_MS for the board. */
  waiting: SeenHello | undefined;
  /** Whether `onEvent` was told that this client has the board. */
  announced: boolean;
  cancelDeadline: () => void;
}

/**
 * Serves one emulated board to one client at a time, over any number of ports. The first client that says
 * HELLO has the board until it leaves; the others get BUSY (protocol.md, "One client at a time"). When a
 * client leaves, its board run is stopped at once. The board goes to `safe` and keeps its programs. Errors:
 * none; a port that fails ends its client.
 */
export class BoardServer {
  readonly #device: ServableDevice;
  readonly #clock: Clock;
  readonly #onEvent: (event: ServerEvent) => void;
  readonly #tap: (port: Port) => Port;
  readonly #entrances = new Set<Entrance>();
  #holder: Entrance | undefined;

  constructor(device: ServableDevice, options: BoardServerOptions = {}) {
    checkObject('device', device, 'new EmulatedDevice(die)');
    this.#device = device;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.#tap = options.tap ?? ((port) => port);
  }

  /** The present state of the server and its board. */
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

  /**
   * Adds a connection. When the port closes, its client has left. If there are already CONNECTIONS_MAX
   * connections, the one that has waited longest without a HELLO is closed, because a client sends HELLO
   * immediately. If all have sent HELLO, the new connection is closed.
   */
  addConnection(port: Port): void {
    const connections = [...this.#entrances].filter(({ isLine }) => !isLine);
    if (connections.length >= CONNECTIONS_MAX) {
      const idle = connections.find((one) => this.#isIdle(one));
      if (idle === undefined) {
        this.#onEvent({ event: 'refused', client: port.name, reason: 'full' });
        void port.close();
        return;
      }
      this.#sendAway(idle);
    }
    const entrance = this.#add(port, false, () => true);
    entrance.cancelDeadline = this.#clock.schedule(HELLO_TIMEOUT_MS, () => {
      if (this.#holder === entrance && this.#device.link.sessionOpen) return;
      this.#sendAway(entrance);
    });
  }

  #isIdle(entrance: Entrance): boolean {
    return entrance !== this.#holder && !entrance.refusing && !entrance.waiting;
  }

  /** Closes a connection without a session. Its place is free at once, unless it has the board. */
  #sendAway(entrance: Entrance): void {
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason: 'silent' });
    entrance.cancelDeadline();
    if (entrance !== this.#holder) this.#entrances.delete(entrance);
    void entrance.port.close();
  }

  /**
   * Adds a serial line or pseudo-terminal, which stays when its client leaves. `hasClient` is called when
   * another client wants the board. The default returns true, for a serial line, which can't tell.
   */
  addLine(port: Port, hasClient: () => boolean = () => true): void {
    this.#add(port, true, hasClient);
  }

  /** Stops the board and closes every port. */
  async close(): Promise<void> {
    await Promise.all([...this.#entrances].map(({ port }) => port.close()));
  }

  #add(bare: Port, isLine: boolean, hasClient: () => boolean): Entrance {
    const port = this.#tap(bare);
    const entrance: Entrance = {
      port,
      isLine,
      hasClient,
      watch: new HelloWatch(),
      session: undefined,
      addedAtMs: this.#clock.nowMs(),
      heardAtMs: this.#clock.nowMs(),
      sending: Promise.resolve(),
      refusing: false,
      waiting: undefined,
      announced: false,
      cancelDeadline: () => undefined,
    };
    this.#entrances.add(entrance);
    port.onData((bytes) => this.#receive(entrance, bytes));
    port.onClose(() => {
      entrance.cancelDeadline();
      entrance.waiting = undefined;
      this.#entrances.delete(entrance);
      if (this.#holder === entrance) this.#leave(entrance);
    });
    return entrance;
  }

  #receive(entrance: Entrance, bytes: Uint8Array): void {
    entrance.heardAtMs = this.#clock.nowMs();
    if (entrance.session) {
      entrance.session.deliver(bytes);
      this.#announce(entrance);
      return;
    }
    const hello = entrance.watch.push(bytes);
    if (!hello) return;
    const holder = this.#holder;
    // `#givesWay` may find that the terminal of a line is lost. The holder has then already left.
    if (holder && this.#givesWay(holder) && this.#holder === holder) this.#dismiss(holder);
    if (this.#holder) this.#wait(entrance, hello);
    else this.#enter(entrance, hello);
  }

  /** Gives the client that has the board a moment to leave. Then tells the waiting client BUSY. */
  #wait(entrance: Entrance, hello: SeenHello): void {
    if (entrance.refusing || entrance.waiting) return;
    entrance.waiting = hello;
    this.#clock.schedule(BUSY_GRACE_MS, () => {
      if (entrance.waiting !== hello) return;
      entrance.waiting = undefined;
      this.#refuse(entrance, hello);
    });
  }

  /** Gives the board to the client that has waited longest for it. */
  #admit(): void {
    const next = [...this.#entrances].find(({ waiting }) => waiting);
    if (this.#holder || !next?.waiting) return;
    const hello = next.waiting;
    next.waiting = undefined;
    this.#enter(next, hello);
  }

  /** Reports once, when the session of a client is open, that this client has the board. */
  #announce(entrance: Entrance): void {
    if (entrance.announced || this.#holder !== entrance || !this.#device.link.sessionOpen) return;
    entrance.announced = true;
    this.#onEvent({ event: 'connected', client: entrance.port.name });
  }

  #enter(entrance: Entrance, hello: SeenHello): void {
    const session = new SessionPort(entrance.port, (bytes) => send(entrance, bytes));
    entrance.session = session;
    this.#holder = entrance;
    entrance.announced = false;
    new ServedDevice(this.#device, session, { clock: this.#clock });
    session.deliver(hello.bytes);
    this.#announce(entrance);
    // A host that only asked whether its session is still open may open another session next.
    if (entrance.announced || hello.fields.purpose === HELLO_PURPOSE.resume) return;
    const reason = speaksOurVersion(hello.fields) ? 'hello' : 'version';
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason });
  }

  /**
   * Whether the present client must release the board: it has no session, it has left, or it is on a line
   * without bytes for LINE_SILENCE_MS.
   */
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
      stoppedRunId: state === 'running' ? runId : undefined,
      state: this.#device.board.state,
    });
    // Deferred, because the caller that dismissed this client may give the board to another one.
    this.#clock.defer(() => this.#admit());
  }

  #refuse(entrance: Entrance, hello: SeenHello): void {
    if (entrance.refusing) return;
    entrance.refusing = true;
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason: 'busy' });
    send(entrance, busyAnswer(hello.fields))
      .then(() => (entrance.isLine ? undefined : entrance.port.close()))
      // The client has already closed the port.
      .catch(() => undefined)
      .finally(() => {
        entrance.refusing = false;
      });
  }
}

/**
 * Writes after the write before has settled. A port takes one write at a time, also from two successive
 * sessions.
 */
function send(entrance: Entrance, bytes: Uint8Array): Promise<void> {
  const sent = entrance.sending.catch(() => undefined).then(() => entrance.port.write(bytes));
  entrance.sending = sent;
  return sent;
}
