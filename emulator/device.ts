import { FRAME_BYTES_MAX } from '../firmware-protocol/limits.js';
import { Link } from '../firmware-protocol/link/link.js';
import type { Die } from './analog/die.js';
import { Board } from './firmware/board.js';
import { Dispatcher } from './firmware/dispatcher.js';
import { sendRun } from './firmware/run-output.js';

/**
 * The emulated board seen from outside: a function (die, bytes, time, ticks) → bytes. It does no I/O and has
 * no clock. The caller hands in bytes and the time, lets ticks pass in slices, and takes the bytes that the
 * board sends. Errors: bytes never make it throw; bad ones are counted and answered as
 * docs/reference/protocol.md says.
 */
export class EmulatedDevice {
  #board: Board;
  #link: Link;
  #dispatcher: Dispatcher;
  #resetPending = false;

  /** `bootEpoch` counts the starts of this board; a reset adds one. */
  constructor(die: Die, bootEpoch = 1) {
    this.#board = new Board(die, bootEpoch);
    this.#link = new Link(FRAME_BYTES_MAX, { answersEverything: true });
    this.#dispatcher = this.#newDispatcher();
  }

  /**
   * The state of the board, for tests and status lines.
   *
   * @internal
   */
  get board(): Readonly<Board> {
    return this.#board;
  }

  /** The board's end of the link. */
  get link(): Link {
    return this.#link;
  }

  /** Whether `advance` would let ticks pass or end a run. */
  get ready(): boolean {
    return this.#board.state === 'running' && this.#board.run?.ready === true;
  }

  /** Takes bytes from the host. `nowMs` is the time by any clock that does not go back, ms. */
  receive(bytes: Uint8Array, nowMs: number): void {
    // After a reset nothing more is heard until the next boot (protocol.md, "Watchdog and reset").
    if (this.#resetPending) return;
    this.#link.receive(bytes, nowMs, (event) => {
      if (event.kind === 'message' && !this.#resetPending)
        this.#dispatcher.receive(event.channel, event.payload, nowMs);
    });
  }

  /** Lets at most `ticksMax` ticks pass, and returns how many did. */
  advance(ticksMax: number): number {
    const { run, state } = this.#board;
    if (state !== 'running' || !run) return 0;
    const { faults } = this.#board;
    const ticks = run.advance(Math.min(ticksMax, faults.ticksToBrownOut));
    this.#board.tick = run.tick;
    // The board restarts without a message to the host. Answers and samples that waited to be sent are lost.
    if (faults.brownOutDue) this.#restart();
    return ticks;
  }

  /**
   * Ends the session, because the connection of the host was closed (protocol.md, "One client at a time"). A
   * run in progress ends at once, the board goes to `safe`, and its programs stay.
   */
  disconnect(): void {
    if (this.#resetPending) {
      this.#restart();
      return;
    }
    this.#board.input('stopped');
    this.#board.dropRun();
    this.#link.closeSession();
    this.#board.sessionEnded(this.#dispatcher.session.nonce);
    this.#dispatcher = this.#newDispatcher();
  }

  /**
   * Checks the watchdog, as `poll` does too. A caller whose write is blocked cannot call `poll` and calls
   * `elapse` instead.
   */
  elapse(nowMs: number): void {
    this.#checkWatchdog(nowMs);
  }

  /** The next bytes to the host, or undefined when there is nothing to send now. */
  poll(nowMs: number): Uint8Array | undefined {
    this.#checkWatchdog(nowMs);
    sendRun(this.#board, this.#link);
    const bytes = this.#link.poll(nowMs);
    if (bytes === undefined && this.#resetPending) this.#restart();
    return bytes;
  }

  /** When `poll` must be called again even if nothing arrives, ms; undefined: not before bytes arrive. */
  get nextTimeoutMs(): number | undefined {
    const watchdogMs = this.watchdogDueMs;
    const linkMs = this.#link.nextTimeoutMs;
    if (watchdogMs === undefined || linkMs === undefined) return watchdogMs ?? linkMs;
    return Math.min(watchdogMs, linkMs);
  }

  /**
   * The time at which the watchdog ends the board run in progress if the host stays silent, ms (protocol.md,
   * "Watchdog and reset").
   */
  get watchdogDueMs(): number | undefined {
    const { run, state } = this.#board;
    // A frame of the session has started the board run, so the link has received a frame.
    return run && state === 'running' ? (this.#link.lastHeardMs ?? 0) + run.watchdogMs : undefined;
  }

  #checkWatchdog(nowMs: number): void {
    const dueMs = this.watchdogDueMs;
    if (dueMs === undefined || nowMs < dueMs) return;
    this.#board.watchdogTrips++;
    this.#board.input('watchdogExpired');
  }

  #restart(): void {
    this.#resetPending = false;
    const { die, bootEpoch, faults, calibration } = this.#board;
    faults.restart();
    calibration.restart();
    this.#board = new Board(die, bootEpoch + 1, faults, calibration);
    this.#link = new Link(FRAME_BYTES_MAX, { answersEverything: true });
    this.#dispatcher = this.#newDispatcher();
  }

  #newDispatcher(): Dispatcher {
    return new Dispatcher(this.#board, this.#link, () => {
      this.#resetPending = true;
    });
  }
}
