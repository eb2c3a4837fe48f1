import type { Dispatcher } from '../../emulator/firmware/dispatcher.js';
import { decodeToDevice } from '../../firmware-protocol/codec.js';
import { CHANNEL, FrameDecoder } from '../../firmware-protocol/framing.js';
import { ANSWER_CACHE_MAX, ENDED_SESSIONS_MAX } from '../../firmware-protocol/limits.js';
import { eventRow, MESSAGES } from '../../firmware-protocol/messages/index.js';
import { HELLO_PURPOSE } from '../../firmware-protocol/messages/system.js';
import { type BoardSession, EFFECT, hex } from './board-records.js';
import { peek } from './peek.js';
import type { TestRig } from './test-rig.js';
import type { Truth } from './truth.js';

/** The watchdog may trip later than its due time by this time and one slice of the board. */
const WATCHDOG_SLACK_MS = 5;
const RUN_ENDED_OPCODE = eventRow('runEnded').opcode;

/** The effects of one message on the board. */
interface Hearing {
  readonly effects: string[];
  readonly said: { readonly opcode?: number; readonly requestId?: number }[];
}

/**
 * Checks that the board carries out the commands of the host. Also checks that its watchdog trips after
 * silence, and not earlier.
 */
export class BoardChecks {
  /** The number of commands that reached the board. */
  commands = 0;
  readonly #rig: TestRig;
  readonly #truth: Truth;
  readonly #started: (session: BoardSession, runId: number, cells: number) => void;
  readonly #bySession = new WeakMap<object, BoardSession>();
  #hearing: Hearing | undefined;
  #decoder = new FrameDecoder(65536);
  /** The time at which the board last got a good frame of its session. */
  #heardAtMs = 0;
  /** Sessions from before the last start of the board. The board does not remember them. */
  #sessionsBeforeStart = 0;

  /** `started` is called for every run. */
  constructor(
    rig: TestRig,
    truth: Truth,
    started: (session: BoardSession, runId: number, cells: number) => void,
  ) {
    this.#rig = rig;
    this.#truth = truth;
    this.#started = started;
  }

  /** Nonces of the sessions from before the board last started. */
  get forgottenSessions(): Uint8Array[] {
    return this.#truth.sessions
      .slice(0, this.#sessionsBeforeStart)
      .map(({ nonce }) => Buffer.from(nonce, 'hex'));
  }

  hears(dispatcher: Dispatcher, payload: Uint8Array, handle: () => void): void {
    const before = dispatcher.session;
    const session = this.#bySession.get(before);
    const hearing: Hearing = { effects: [], said: [] };
    this.#hearing = hearing;
    handle();
    this.#hearing = undefined;
    if (dispatcher.session !== before) {
      this.#checkOpening(dispatcher, payload, session);
      this.#end(session);
      this.#begin(dispatcher);
    } else if (session) this.#heard(session, payload, hearing);
    if (dispatcher.session.answers.size > ANSWER_CACHE_MAX)
      this.#truth.broken(`the board keeps ${dispatcher.session.answers.size} answers`);
  }

  did(effect: string): void {
    this.#hearing?.effects.push(effect);
    if (effect === 'watchdogExpired') this.#checkTrip();
    if (effect !== 'reset') return;
    // This answer is sent only once, because no session is left that could send it again.
    this.#truth.disturbed('reset by command', 0);
    this.#sessionsBeforeStart = this.#truth.sessions.length;
    this.#end(this.#truth.sessions.at(-1));
  }

  disconnected(): void {
    this.#end(this.#truth.sessions.at(-1));
  }

  /** Called when the board gives its link a message to send. */
  said(payload: Uint8Array): void {
    this.#hearing?.said.push(peek(payload));
  }

  powered(): void {
    this.#end(this.#truth.sessions.at(-1));
    this.#decoder = new FrameDecoder(65536);
    this.#sessionsBeforeStart = this.#truth.sessions.length;
  }

  arrives(bytes: Uint8Array): void {
    const { device } = this.#rig;
    for (const item of this.#decoder.push(bytes))
      if (item.kind === 'frame' && item.frame.channel !== CHANNEL.open && device?.link.sessionOpen)
        if (item.frame.session === Number.parseInt(this.#truth.sessions.at(-1)!.nonce.slice(0, 2), 16))
          this.#heardAtMs = this.#truth.nowMs;
  }

  /** Called after every event. */
  check(): void {
    const board = this.#rig.device?.board;
    if (board?.state !== 'running' || !board.run) return;
    const { watchdogMs } = board.run;
    const silentMs = this.#truth.nowMs - this.#heardAtMs;
    if (silentMs > watchdogMs + WATCHDOG_SLACK_MS + this.#rig.sliceMs)
      this.#truth.broken(
        `the board runs ${silentMs} ms after the last good frame, its watchdog is ${watchdogMs} ms`,
      );
  }

  #checkTrip(): void {
    const run = this.#rig.device?.board.run;
    if (!run) return;
    const { nowMs } = this.#truth;
    if (nowMs < this.#heardAtMs + run.watchdogMs - 1)
      this.#truth.broken(
        `the watchdog of ${run.watchdogMs} ms tripped ${nowMs - this.#heardAtMs} ms after a good frame`,
      );
    this.#truth.lastTripMs = nowMs;
  }

  /**
   * Checks that a HELLO that only asks opens no session, and that the nonce of a new session does not begin
   * like a nonce that the board remembers.
   */
  #checkOpening({ session: { nonce } }: Dispatcher, payload: Uint8Array, before?: BoardSession): void {
    const message = decodeToDevice(payload);
    if (
      message.kind !== 'command' ||
      message.name !== 'hello' ||
      message.fields.purpose !== HELLO_PURPOSE.open
    )
      this.#truth.broken('a session was opened by a message that does not ask for a session');
    const open = before && before.endedAtMs === undefined ? 1 : 0;
    const remembered = this.#truth.sessions
      .slice(this.#sessionsBeforeStart)
      .slice(-open - ENDED_SESSIONS_MAX);
    const first = hex(nonce.subarray(0, 1));
    if (remembered.some((earlier) => earlier.nonce.startsWith(first)))
      this.#truth.broken(`a session was opened that begins, with ${first}, like one before it`);
  }

  #begin(dispatcher: Dispatcher): void {
    const session: BoardSession = {
      nonce: hex(dispatcher.session.nonce),
      openedAtMs: this.#truth.nowMs,
      endedAtMs: undefined,
      heard: false,
      executed: new Set(),
      cancelledUpTo: 0,
      stopNumber: 0,
      stopIssue: 0,
    };
    this.#bySession.set(dispatcher.session, session);
    this.#truth.sessions.push(session);
    this.#rig.note(`session ${session.nonce.slice(0, 4)} opened`);
  }

  #end(session: BoardSession | undefined): void {
    if (session) session.endedAtMs ??= this.#truth.nowMs;
  }

  #heard(session: BoardSession, payload: Uint8Array, { effects, said }: Hearing): void {
    const { opcode, requestId = 0 } = peek(payload);
    const row = MESSAGES.find((message) => message.opcode === opcode);
    if (row?.kind !== 'command') return;
    const { name } = row;
    if (name === 'stop') this.#stopped(session, payload, effects);
    if (row.channel !== 'command') return;
    this.commands++;
    session.heard = true;
    const answers = said.filter((answer) => answer.opcode !== RUN_ENDED_OPCODE);
    if (answers.length !== 1 || answers[0].requestId !== requestId)
      this.#truth.broken(
        `${name} (request ${requestId}) was answered as ${String(answers.map((answer) => answer.requestId))}`,
      );
    const effect = EFFECT[name];
    if (!effect || !effects.includes(effect)) return;
    if (session.executed.has(requestId))
      this.#truth.broken(`${name} (request ${requestId}) was executed twice in a session`);
    session.executed.add(requestId);
    const sent = this.#truth.payloads.get(`${session.nonce} ${requestId}`);
    if (!sent || Buffer.compare(sent, payload) !== 0)
      this.#truth.broken(
        `the board executed a ${name} (request ${requestId}) that the host of this session has not sent`,
      );
    if (name === 'start') this.#checkStart(session, payload, requestId);
  }

  #stopped(session: BoardSession, payload: Uint8Array, effects: readonly string[]): void {
    const message = decodeToDevice(payload);
    if (!effects.includes('stopped') || message.kind !== 'command' || message.name !== 'stop') return;
    const { stopNumber, lastRequestId } = message.fields;
    const issue = this.#truth.stopIssues.get(`${session.nonce} ${stopNumber}`);
    if (issue === undefined) this.#truth.broken(`stop ${stopNumber} took effect and was never issued`);
    else if (issue <= session.stopIssue) this.#truth.broken(`stop ${stopNumber} took effect twice`);
    session.stopNumber = stopNumber;
    session.stopIssue = Math.max(session.stopIssue, issue ?? 0);
    session.cancelledUpTo = Math.max(session.cancelledUpTo, lastRequestId);
  }

  #checkStart(session: BoardSession, payload: Uint8Array, requestId: number): void {
    const message = decodeToDevice(payload);
    const { device } = this.#rig;
    if (message.kind !== 'command' || message.name !== 'start' || !device) return;
    if (requestId <= session.cancelledUpTo)
      this.#truth.broken(`a run started by request ${requestId}, which a stop had cancelled`);
    const issue = this.#truth.startIssues.get(message.fields.watchdogMs) ?? 0;
    if (issue < session.stopIssue)
      this.#truth.broken(
        `a run started (request ${requestId}) after a stop that was issued later than its start`,
      );
    const { runId } = device.board;
    const cells = device.board.memory.image(message.fields.bank).cells;
    this.#started(session, runId, cells);
  }
}
