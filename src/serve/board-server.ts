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
 * A client that asks for a board that another connection has waits so long for it. A host that connects again
 * right after it closed its connection would else be told that it is in its own way.
 */
export const BUSY_GRACE_MS = 100;
/**
 * After this much silence without a run, a line gives the board to another client: a line can't tell
 * that its client left.
 */
export const LINE_SILENCE_MS = 10_000;

/** What happens to the clients of a board. */
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
       * or others needed the place. `version`: it speaks another version. `hello`: the board did not open the
       * session, for example because its nonce begins like that of an earlier one.
       */
      readonly reason: 'busy' | 'full' | 'silent' | 'version' | 'hello';
    };

/** What a server and its board are doing. */
export interface ServerStatus {
  readonly client: string | undefined;
  readonly state: string;
  /** Number of the current or last board run of the session; 0 when there was none. */
  readonly runId: number;
  readonly tick: number;
  /** How many good frames the board has received. */
  readonly framesReceived: number;
  /** How many frames and messages were faulty. */
  readonly faults: number;
}

/** How a board is served. */
export interface BoardServerOptions {
  readonly clock?: Clock;
  readonly onEvent?: (event: ServerEvent) => void;
  /** Puts something between a new port and the board, for example a recorder. */
  readonly tap?: ((port: Port) => Port) | undefined;
}

/** One way to the board: a connection, or a line that stays when its client leaves. */
interface Entrance {
  readonly port: Port;
  readonly isLine: boolean;
  /** Whether a client may be at its other end. */
  readonly hasClient: () => boolean;
  watch: HelloWatch;
  session: SessionPort | undefined;
  readonly addedAtMs: number;
  heardAtMs: number;
  /** Settles with the last write; the next one waits for it. */
  sending: Promise<void>;
  refusing: boolean;
  /** The HELLO of a client that waits BUSY_GRACE_MS for the board. */
  waiting: SeenHello | undefined;
  /** Whether it was told that this client has the board. */
  announced: boolean;
  cancelDeadline: () => void;
}

/**
 * Serves one emulated board to one client at a time, over any number of ports. The first client that says
 * HELLO has the board until it leaves; the others are told BUSY (protocol.md, "One client at a time"). When a
 * client leaves, its board run is stopped at once, and the board goes to `safe` and keeps its programs.
 * Errors: none; a port that fails ends its client.
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

  /** What the server and its board are doing now. */
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
   * Adds a connection: when the port closes, its client has left. If there are CONNECTIONS_MAX already, the
   * one that has said no HELLO for the longest time makes room: a client says HELLO at once.
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

  /** Closes a connection that has said no HELLO. Its place is free at once. */
  #sendAway(entrance: Entrance): void {
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason: 'silent' });
    entrance.cancelDeadline();
    if (entrance !== this.#holder) this.#entrances.delete(entrance);
    void entrance.port.close();
  }

  /**
   * Adds a serial line or pseudo-terminal, which stays when its client leaves. `hasClient` is asked when
   * another client wants the board; the default is right for a serial line, which can't tell.
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
    // `#givesWay` may find that the terminal of a line is lost. Then the holder has left already.
    if (holder && this.#givesWay(holder) && this.#holder === holder) this.#dismiss(holder);
    if (this.#holder) this.#wait(entrance, hello);
    else this.#enter(entrance, hello);
  }

  /** Gives the client that has the board a moment to leave, then tells the other one that it is busy. */
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

  /** Tells once who has the board: when its session is open. */
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
    // A host that only asks whether its session is open was answered and may open another one.
    if (entrance.announced || hello.fields.purpose === HELLO_PURPOSE.resume) return;
    const reason = speaksOurVersion(hello.fields) ? 'hello' : 'version';
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason });
  }

  /**
   * Whether the present client must give the board up: it has no session, has left, or is a
   * line that fell silent.
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
    // Not at once: who dismissed this client gives the board to another one.
    this.#clock.defer(() => this.#admit());
  }

  #refuse(entrance: Entrance, hello: SeenHello): void {
    if (entrance.refusing) return;
    entrance.refusing = true;
    this.#onEvent({ event: 'refused', client: entrance.port.name, reason: 'busy' });
    send(entrance, busyAnswer(hello.fields))
      .then(() => (entrance.isLine ? undefined : entrance.port.close()))
      // The client has left by itself.
      .catch(() => undefined)
      .finally(() => {
        entrance.refusing = false;
      });
  }
}

/** Writes when the write before has settled. A port takes one at a time, also from two sessions in a row. */
function send(entrance: Entrance, bytes: Uint8Array): Promise<void> {
  const sent = entrance.sending.catch(() => undefined).then(() => entrance.port.write(bytes));
  entrance.sending = sent;
  return sent;
}
