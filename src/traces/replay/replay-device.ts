import { equalBytes } from '../../../firmware-protocol/bytes.js';
import { decodeToDevice } from '../../../firmware-protocol/codec.js';
import { CHANNEL } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES } from '../../../firmware-protocol/limits.js';
import { Link } from '../../../firmware-protocol/link/link.js';
import type { Answer, Command } from '../../../firmware-protocol/messages/index.js';
import { HELLO_PURPOSE } from '../../../firmware-protocol/messages/system.js';
import type { ThermolinkError } from '../../errors.js';
import type { ServableDevice } from '../../serve/serve-device.js';
import type { TraceMessage } from '../trace-message.js';
import { BoardVoice } from './board-voice.js';
import { leftOverError, type Mismatch, mismatchError, mismatchText } from './mismatch.js';
import { type Asked, type ReplayMode, RequestMatcher } from './request-matcher.js';
import type { ReplayScript, ScriptRequest, ScriptStep } from './script.js';
import { type TakenRequest, TakenRequests } from './taken-requests.js';

/** Options of a replay. */
export interface ReplayOptions {
  readonly mode: ReplayMode;
  /** Speed of the answers as a multiple of the recorded speed; Infinity: at once. */
  readonly speed: number;
  /** Called once, at the first request that differs from the recording. */
  readonly onMismatch: (error: ThermolinkError) => void;
  /** Called at the point at which the recorded host lost its port. */
  readonly onPortLost: () => void;
  /** The line of code that made a request, if it is known. */
  readonly callOf?: (requestId: number) => string | undefined;
}

/**
 * The board's side of a recorded session: bytes in, bytes out. It runs the link itself; acknowledgements,
 * credits and retransmissions may therefore differ from the recording. Only messages come from the recording.
 * The messages of the board are sent in the recorded order. A reply waits for its request, an event for the
 * start of its run, and a block for credit.
 */
export class ReplayDevice implements ServableDevice {
  readonly link = new Link(FRAME_BYTES_MAX, { answersEverything: true });
  readonly #script: ReplayScript;
  readonly #options: ReplayOptions;
  #matcher: RequestMatcher;
  /**
   * The steps to send: the list of the script, or in mode lenient the steps that belong to the received
   * requests.
   */
  #steps: readonly ScriptStep[];
  #at = 0;
  /** Events that wait for credit, and the later events of the same run. */
  #held: Extract<ScriptStep, { kind: 'event' }>[] = [];
  readonly #taken = new TakenRequests();
  readonly #voice = new BoardVoice(this.link);
  readonly #lenient: ScriptStep[] = [];
  #lastSent: { readonly atMs: number; readonly hostTimeNs: bigint } | undefined;
  #dueMs: number | undefined;
  #nowMs = 0;
  #mismatch: Mismatch | undefined;

  constructor(script: ReplayScript, options: ReplayOptions) {
    this.#script = script;
    this.#options = options;
    this.#matcher = new RequestMatcher(script, options.mode);
    this.#steps = options.mode === 'lenient' ? this.#lenient : script.steps;
  }

  /** Values for a status line. */
  get board() {
    const { state } = this.#voice;
    return { state, runId: this.#taken.lastRunId, tick: 0, run: undefined, watchdogTrips: 0 };
  }

  /** No ticks pass here. */
  get ready(): boolean {
    return false;
  }

  advance(): number {
    return 0;
  }

  elapse(): void {
    // There is no watchdog here. The recording contains its trips.
  }

  get watchdogDueMs(): undefined {
    return undefined;
  }

  get nextTimeoutMs(): number | undefined {
    const linkMs = this.link.nextTimeoutMs;
    return linkMs === undefined || this.#dueMs === undefined
      ? (linkMs ?? this.#dueMs)
      : Math.min(linkMs, this.#dueMs);
  }

  /** The error if the program ended too early; otherwise undefined. */
  get leftOver(): ThermolinkError | undefined {
    const { left } = this.#matcher;
    if (this.#mismatch || left.length === 0) return undefined;
    return leftOverError(this.#script.path, left[0].message, left.length);
  }

  /** The longest frame that a recorded message needs, in bytes. */
  get frameBytesNeeded(): number {
    return this.#script.payloadBytesMax + FRAME_OVERHEAD_BYTES;
  }

  /** Whether the next request of the recording opens another session. */
  get isBetweenSessions(): boolean {
    return !this.#mismatch && this.#script.requests.at(this.#matcher.passed)?.message.name === 'hello';
  }

  /** Starts the recording from the beginning. */
  rewind(): void {
    this.link.closeSession();
    this.#matcher = new RequestMatcher(this.#script, this.#options.mode);
    this.#at = 0;
    this.#held = [];
    this.#taken.clear();
    this.#lenient.length = 0;
    this.#lastSent = undefined;
    this.#dueMs = undefined;
    this.#mismatch = undefined;
    this.#voice.lastStop = undefined;
  }

  /** Tells that the port has closed. The session may continue on another port. */
  disconnect(): void {
    this.link.restartReceiver();
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.link.receive(bytes, nowMs, (event) => {
      if (event.kind === 'message') this.#message(event.channel, event.payload);
    });
  }

  poll(nowMs: number): Uint8Array | undefined {
    this.#nowMs = nowMs;
    if (!this.#mismatch) this.#say();
    return this.link.poll(nowMs);
  }

  #message(channel: number, payload: Uint8Array): void {
    const message = decodeToDevice(payload);
    if (message.kind === 'bad' || CHANNEL[message.row.channel] !== channel) {
      this.link.counters.messagesRejected++;
      return;
    }
    if (message.kind === 'event') {
      if (message.name === 'credit') this.#taken.grantCredit(message.fields.runId, message.fields.blocks);
      return;
    }
    const fields = this.#taken.asRecorded(message.fields);
    if (message.name === 'hello') this.#hello(message.requestId, message.fields);
    else if (message.name === 'stop') this.#stop(message.requestId, message.fields);
    else this.#request(message.requestId, { kind: 'command', name: message.name, fields });
  }

  #hello(requestId: number, fields: Command<'hello'>): void {
    const voice = this.#voice;
    const isRepeated = equalBytes(fields.nonce, voice.nonce) && this.link.sessionOpen;
    if (isRepeated && fields.purpose === HELLO_PURPOSE.open && voice.lastHello) {
      voice.helloAgain(requestId, fields);
      return;
    }
    const asked: Asked = { kind: 'command', name: 'hello', fields };
    const match = this.#matcher.match(asked);
    if (match.kind !== 'recorded') {
      this.#fail(match.kind === 'mismatch' ? match.mismatch : undefined, requestId);
      voice.refuseHello(requestId, fields);
      return;
    }
    voice.askedNonce = fields.nonce.slice();
    this.#take(match.request, requestId, asked);
    const { reply } = match.request;
    if (reply?.name !== 'hello') return;
    const recorded = frameBytesOf(match.request.message, reply);
    voice.frameBytes = recorded;
    const expected = Math.min(recorded, this.frameBytesNeeded);
    if (fields.frameBytes < expected) {
      const { frameBytes: got } = fields;
      this.#fail({ index: reply.index, command: 'hello', field: 'frameBytes', expected, got }, requestId);
      voice.refuseHello(requestId, fields);
      return;
    }
    const answer = reply.fields as unknown as Answer<'hello'>;
    const opens = fields.purpose === HELLO_PURPOSE.open && !equalBytes(fields.nonce, voice.nonce);
    if (answer.resumed === 1 && !opens) this.link.resumeSession();
    else if (opens) {
      voice.nonce = fields.nonce.slice();
      voice.lastHello = reply;
      voice.lastStop = undefined;
      const { window, inFlightBytes } = answer;
      this.link.openSession(fields.nonce, {
        frameBytes: Math.min(fields.frameBytes, recorded),
        window: Math.min(fields.window, window),
        inFlightBytes,
      });
      voice.state = 'idle';
    }
  }

  #stop(requestId: number, fields: Command<'stop'>): void {
    if (!equalBytes(fields.nonce, this.#voice.nonce)) return;
    // The host repeats a stop until it gets an answer.
    const { lastStop } = this.#voice;
    if (lastStop && fields.stopNumber <= lastStop.number) {
      this.#voice.stopAgain();
      return;
    }
    this.#taken.cutAll();
    this.#request(requestId, { kind: 'command', name: 'stop', fields });
  }

  #request(requestId: number, asked: Asked): void {
    if (this.#mismatch) {
      this.#voice.refuse(requestId, asked.name, mismatchText(this.#mismatch));
      return;
    }
    const match = this.#matcher.match(asked);
    if (match.kind === 'recorded') this.#take(match.request, requestId, asked);
    else if (match.kind === 'again') this.#voice.reply(match.request.reply!, requestId, 0);
    else if (match.kind === 'own') this.#voice.answerItself(requestId, asked);
    else {
      this.#fail(match.mismatch, requestId);
      this.#voice.refuse(requestId, asked.name, mismatchText(match.mismatch));
    }
  }

  #take(request: ScriptRequest, requestId: number, { name, fields }: Asked): void {
    const isStart = name === 'start';
    const isLenient = this.#options.mode === 'lenient';
    const recordedRun = request.reply?.fields['runId'];
    const runId = !isStart ? 0 : isLenient ? this.#taken.lastRunId + 1 : Number(recordedRun ?? 0);
    if (name === 'abort') this.#taken.cutRun(fields['runId']);
    const credit = isStart ? Number(fields['creditBlocks']) : 0;
    // In mode lenient the same recorded request may be used several times.
    const key = isLenient ? { ...request } : request;
    this.#taken.add(key, { requestId, atMs: this.#nowMs, runId, credit });
    if (!isLenient) return;
    for (const step of this.#script.steps) {
      if (step.kind === 'reply' && step.request === request) this.#lenient.push({ ...step, request: key });
      else if (step.kind === 'event' && step.run === request) this.#lenient.push({ ...step, run: key });
    }
  }

  #fail(mismatch: Mismatch | undefined, requestId: number): void {
    if (this.#mismatch || !mismatch) return;
    this.#mismatch = mismatch;
    const { path } = this.#script;
    this.#options.onMismatch(mismatchError(path, mismatch, this.#options.callOf?.(requestId)));
  }

  /**
   * Sends the next steps in the recorded order, until the link has no room or the recorded time of a step has
   * not come.
   */
  #say(): void {
    this.#dueMs = undefined;
    this.#sayHeld();
    while (this.#at < this.#steps.length) {
      const step = this.#steps[this.#at];
      if (!this.#sayStep(step)) return;
      this.#at++;
    }
  }

  #sayHeld(): void {
    const blocked = new Set<ScriptRequest>();
    this.#held = this.#held.filter((step) => {
      const taken = this.#taken.get(step.run!)!;
      const isBlock = step.message.name === 'sampleBlock';
      if (isBlock && taken.cut) return false;
      const mustWait =
        blocked.has(step.run!) || !this.#hasCredit(step, taken) || !this.#hasRoom(step.message);
      if (mustWait) blocked.add(step.run!);
      else this.#voice.sendEvent(step.message, taken);
      return mustWait;
    });
  }

  #hasCredit({ message }: { readonly message: TraceMessage }, taken: TakenRequest): boolean {
    return message.name !== 'sampleBlock' || Number(message.fields['block']) < taken.credit;
  }

  /** Handles one step. Returns true if it was sent, put aside or skipped, and false if it must wait. */
  #sayStep(step: ScriptStep): boolean {
    if (step.kind === 'portLost') {
      if (this.#matcher.passed < step.after) return false;
      // The port is lost only after all earlier messages have arrived, because a lost session does not send
      // them again.
      if (this.link.unacknowledged > 0 || this.link.unsequencedQueued > 0) return false;
      this.#options.onPortLost();
      return true;
    }
    const request = step.kind === 'reply' ? step.request : step.run;
    const taken = request && this.#taken.get(request);
    if (request && !taken) return this.#matcher.isSkipped(request);
    if (step.kind === 'event' && taken) {
      const waits = this.#held.some(({ run }) => run === step.run);
      if (waits || !this.#hasCredit(step, taken)) {
        this.#held.push(step);
        return true;
      }
    }
    if (this.#isEarly(step, taken) || !this.#hasRoom(step.message)) return false;
    if (step.kind === 'reply') this.#voice.reply(step.message, taken!.requestId, taken!.runId);
    else if (this.link.sessionOpen) this.#voice.sendEvent(step.message, taken);
    this.#lastSent = { atMs: this.#nowMs, hostTimeNs: step.message.hostTimeNs };
    return true;
  }

  /** Whether it is still too early for this message, by its recorded time. */
  #isEarly(step: Exclude<ScriptStep, { kind: 'portLost' }>, taken: TakenRequest | undefined): boolean {
    const { speed } = this.#options;
    if (speed === Infinity) return false;
    const since =
      step.kind === 'reply'
        ? { atMs: taken!.atMs, hostTimeNs: step.request.message.hostTimeNs }
        : (this.#lastSent ?? { atMs: this.#nowMs, hostTimeNs: step.message.hostTimeNs });
    const gapMs = Number(step.message.hostTimeNs - since.hostTimeNs) / 1e6 / speed;
    const dueMs = since.atMs + gapMs;
    if (dueMs <= this.#nowMs) return false;
    this.#dueMs = dueMs;
    return true;
  }

  #hasRoom({ channel }: TraceMessage): boolean {
    if (channel === 'sample') return this.link.canSendUnsequenced;
    // The link sends messages of the command channel before waiting samples. Such a message therefore waits
    // here until the samples before it are written.
    return channel !== 'command' || (this.link.canSend && this.link.unsequencedQueued === 0);
  }
}

/** The longest frame of the recorded session. */
function frameBytesOf(hello: TraceMessage, answer: TraceMessage): number {
  return Math.min(Number(hello.fields['frameBytes']), Number(answer.fields['frameBytes']));
}
