import { equalBytes } from '../../../firmware-protocol/bytes.js';
import {
  decodeToDevice,
  encodeAnswer,
  encodeEvent,
  encodeEventParts,
} from '../../../firmware-protocol/codec.js';
import { DEVICE_STATE } from '../../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES } from '../../../firmware-protocol/limits.js';
import { Link } from '../../../firmware-protocol/link/link.js';
import type { Answer, Command, CommandName, EventName } from '../../../firmware-protocol/messages/index.js';
import { HELLO_PURPOSE, REFUSAL } from '../../../firmware-protocol/messages/system.js';
import { codeBytes } from '../../../firmware-protocol/program-digest.js';
import type { ThermolinkError } from '../../errors.js';
import type { ServableDevice } from '../../serve/serve-device.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';
import { leftOverError, type Mismatch, mismatchError, mismatchText } from './mismatch.js';
import { type Asked, type ReplayMode, RequestMatcher } from './request-matcher.js';
import type { ReplayScript, ScriptRequest, ScriptStep } from './script.js';

/** Longest detail of a refusal. */
const DETAIL_MAX = 96;

/** How a recorded session is played. */
export interface ReplayOptions {
  readonly mode: ReplayMode;
  /** How much faster than recorded the device answers; Infinity: at once. */
  readonly speed: number;
  /** Called once, when the program does something else than what was recorded. */
  readonly onMismatch: (error: ThermolinkError) => void;
  /** Called when the recorded host lost its port here. */
  readonly onPortLost: () => void;
  /** The line of the program's code that made a request, if it is known. */
  readonly callOf?: (requestId: number) => string | undefined;
}

/** A request that the program has made, and how its run is called now. */
interface Taken {
  readonly requestId: number;
  readonly atMs: number;
  runId: number;
  /** Blocks below this number may be sent. */
  credit: number;
  /** Whether an abort or a stop has ended the run. */
  cut: boolean;
}

/**
 * The board's side of a recorded session: bytes in, bytes out. It speaks the link itself, so
 * acknowledgements, credits and retransmissions fall where they fall; only messages are taken from the
 * recording. What the board said is said again in the recorded order: a reply waits for its request, an event
 * for the start of its run and a block for credit.
 */
export class ReplayDevice implements ServableDevice {
  readonly link = new Link(FRAME_BYTES_MAX, { answersEverything: true });
  readonly #script: ReplayScript;
  readonly #options: ReplayOptions;
  #matcher: RequestMatcher;
  /** What is said next. The script's own list, or in mode lenient what requests have called up. */
  #steps: readonly ScriptStep[];
  #at = 0;
  /** Events that wait for credit, and those of the same run behind them. */
  #held: Extract<ScriptStep, { kind: 'event' }>[] = [];
  readonly #taken = new Map<ScriptRequest, Taken>();
  readonly #lenient: ScriptStep[] = [];
  #lastRunId = 0;
  #nonce: Uint8Array = new Uint8Array(8);
  /** The nonce of the HELLO that is being answered. */
  #askedNonce: Uint8Array = new Uint8Array(8);
  /** The longest frame of the recorded session: uploads are cut by it. */
  #frameBytes = FRAME_BYTES_MAX;
  #lastHello: TraceMessage | undefined;
  #lastStop: { readonly number: number; readonly payload: Uint8Array } | undefined;
  #lastSent: { readonly atMs: number; readonly hostTimeNs: bigint } | undefined;
  #dueMs: number | undefined;
  #nowMs = 0;
  #deviceTimeUs = 0;
  #mismatch: Mismatch | undefined;
  #state: string = 'safe';

  constructor(script: ReplayScript, options: ReplayOptions) {
    this.#script = script;
    this.#options = options;
    this.#matcher = new RequestMatcher(script, options.mode);
    this.#steps = options.mode === 'lenient' ? this.#lenient : script.steps;
  }

  /** What a status line shows. */
  get board() {
    return { state: this.#state, runId: this.#lastRunId, tick: 0, run: undefined, watchdogTrips: 0 };
  }

  /** No ticks pass here. */
  get ready(): boolean {
    return false;
  }

  advance(): number {
    return 0;
  }

  elapse(): void {
    // There is no watchdog: the recording tells whether one has tripped.
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

  /** The error of a program that has left too early, or undefined. */
  get leftOver(): ThermolinkError | undefined {
    const { left } = this.#matcher;
    if (this.#mismatch || left.length === 0) return undefined;
    return leftOverError(this.#script.path, left[0].message, left.length);
  }

  /** Whether the next request of the recording opens another session. */
  get isBetweenSessions(): boolean {
    return !this.#mismatch && this.#script.requests.at(this.#matcher.passed)?.message.name === 'hello';
  }

  /** Begins the recording anew. */
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
    this.#lastStop = undefined;
  }

  /** The port has closed. A session may go on over another one. */
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
      if (message.name === 'credit') this.#credit(message.fields.runId, message.fields.blocks);
      return;
    }
    const fields = this.#asRecorded(message.fields);
    if (message.name === 'hello') this.#hello(message.requestId, message.fields);
    else if (message.name === 'stop') this.#stop(message.requestId, message.fields);
    else this.#request(message.requestId, { kind: 'command', name: message.name, fields });
  }

  /** The fields of a command with the run number of the recording. */
  #asRecorded(fields: Readonly<Record<string, FieldValue>>): Readonly<Record<string, FieldValue>> {
    const run = this.#runOf(fields['runId']);
    return run ? { ...fields, runId: run[0].reply!.fields['runId'] } : fields;
  }

  #runOf(runId: FieldValue | undefined): readonly [ScriptRequest, Taken] | undefined {
    if (typeof runId !== 'number') return undefined;
    return [...this.#taken].findLast(
      ([request, taken]) => request.message.name === 'start' && taken.runId === runId,
    );
  }

  #credit(runId: number, blocks: number): void {
    const taken = this.#runOf(runId)?.[1];
    if (taken) taken.credit = Math.max(taken.credit, blocks);
  }

  #hello(requestId: number, fields: Command<'hello'>): void {
    const isRepeated = equalBytes(fields.nonce, this.#nonce) && this.link.sessionOpen;
    if (isRepeated && fields.purpose === HELLO_PURPOSE.open && this.#lastHello) {
      this.#sendHello(requestId, {
        ...this.#lastHello.fields,
        nonce: fields.nonce,
        frameBytes: this.#frameBytes,
        resumed: 1,
      });
      return;
    }
    const asked: Asked = { kind: 'command', name: 'hello', fields };
    const match = this.#matcher.match(asked);
    if (match.kind !== 'recorded') {
      this.#fail(match.kind === 'mismatch' ? match.mismatch : undefined, requestId);
      this.#refuseHello(requestId, fields);
      return;
    }
    this.#askedNonce = fields.nonce.slice();
    this.#take(match.request, requestId, asked);
    const { reply } = match.request;
    if (reply?.name !== 'hello') return;
    const recorded = frameBytesOf(match.request.message, reply);
    this.#frameBytes = recorded;
    if (fields.frameBytes < Math.min(recorded, this.#script.payloadBytesMax + FRAME_OVERHEAD_BYTES)) {
      this.#fail(
        {
          index: reply.index,
          command: 'hello',
          field: 'frameBytes',
          expected: recorded,
          got: fields.frameBytes,
        },
        requestId,
      );
      this.#refuseHello(requestId, fields);
      return;
    }
    const answer = reply.fields as unknown as Answer<'hello'>;
    const opens = fields.purpose === HELLO_PURPOSE.open && !equalBytes(fields.nonce, this.#nonce);
    if (answer.resumed === 1 && !opens) this.link.resumeSession();
    else if (opens) {
      this.#nonce = fields.nonce.slice();
      this.#lastHello = reply;
      this.#lastStop = undefined;
      const { window, inFlightBytes } = answer;
      this.link.openSession(fields.nonce, {
        frameBytes: Math.min(fields.frameBytes, recorded),
        window: Math.min(fields.window, window),
        inFlightBytes,
      });
      this.#state = 'idle';
    }
  }

  #refuseHello(requestId: number, { nonce, major, minor, tableHash }: Command<'hello'>): void {
    const refusal = { nonce, major, minor, tableHash, reason: REFUSAL.busy };
    this.link.sendUnsequenced(CHANNEL.open, encodeEvent('helloRefused', requestId, refusal));
  }

  #sendHello(requestId: number, fields: object): void {
    this.link.sendUnsequenced(CHANNEL.open, encodeAnswer('hello', requestId, fields as Answer<'hello'>));
  }

  #stop(requestId: number, fields: Command<'stop'>): void {
    if (!equalBytes(fields.nonce, this.#nonce)) return;
    // A stop is repeated until it is answered.
    if (this.#lastStop && fields.stopNumber <= this.#lastStop.number) {
      this.link.sendUnsequenced(CHANNEL.stop, this.#lastStop.payload);
      return;
    }
    for (const taken of this.#taken.values()) taken.cut = true;
    this.#request(requestId, { kind: 'command', name: 'stop', fields });
  }

  #request(requestId: number, asked: Asked): void {
    if (this.#mismatch) {
      this.#refuse(requestId, asked.name, mismatchText(this.#mismatch));
      return;
    }
    const match = this.#matcher.match(asked);
    if (match.kind === 'recorded') this.#take(match.request, requestId, asked);
    else if (match.kind === 'again') this.#reply(match.request.reply!, requestId, 0);
    else if (match.kind === 'own') this.#answerItself(requestId, asked);
    else {
      this.#fail(match.mismatch, requestId);
      this.#refuse(requestId, asked.name, mismatchText(match.mismatch));
    }
  }

  #take(request: ScriptRequest, requestId: number, { name, fields }: Asked): void {
    const isStart = name === 'start';
    const isLenient = this.#options.mode === 'lenient';
    const recordedRun = request.reply?.fields['runId'];
    const runId = !isStart ? 0 : isLenient ? this.#lastRunId + 1 : Number(recordedRun ?? 0);
    if (isStart) this.#lastRunId = runId;
    if (name === 'abort') {
      const run = [...this.#taken].findLast(([{ reply }]) => reply?.fields['runId'] === fields['runId']);
      if (run) run[1].cut = true;
    }
    const credit = isStart ? Number(fields['creditBlocks']) : 0;
    // One recorded request may be taken several times in mode lenient.
    const key = isLenient ? { ...request } : request;
    this.#taken.set(key, { requestId, atMs: this.#nowMs, runId, credit, cut: false });
    if (!isLenient) return;
    for (const step of this.#script.steps) {
      if (step.kind === 'reply' && step.request === request) this.#lenient.push({ ...step, request: key });
      else if (step.kind === 'event' && step.run === request) this.#lenient.push({ ...step, run: key });
    }
  }

  #answerItself(requestId: number, { name, fields }: Asked): void {
    if (name === 'ping') {
      const answer = { token: Number(fields['token']), deviceTimeUs: this.#deviceTimeUs };
      this.link.send(encodeAnswer('ping', requestId, answer));
    } else if (name === 'stop') {
      const answer = { stopNumber: Number(fields['stopNumber']), state: DEVICE_STATE.safe };
      this.#sendStop(answer.stopNumber, encodeAnswer('stop', requestId, answer));
    } else this.link.send(encodeAnswer('abort', requestId, {}));
  }

  #sendStop(number: number, payload: Uint8Array): void {
    this.#lastStop = { number, payload };
    this.link.sendUnsequenced(CHANNEL.stop, payload);
    this.#state = 'safe';
  }

  #fail(mismatch: Mismatch | undefined, requestId: number): void {
    if (this.#mismatch || !mismatch) return;
    this.#mismatch = mismatch;
    const { path } = this.#script;
    this.#options.onMismatch(mismatchError(path, mismatch, this.#options.callOf?.(requestId)));
  }

  #refuse(requestId: number, name: string, detail: string): void {
    if (!this.link.sessionOpen || !this.link.canSend) return;
    const refusal = {
      reason: REFUSAL.wrongState,
      opcode: 0,
      state: DEVICE_STATE.safe,
      detail: `replay: ${detail}`.replace(/[^ -~]/g, '?').slice(0, DETAIL_MAX),
    };
    if (name !== 'stop') this.link.send(encodeEvent('refusal', requestId, refusal));
  }

  /** Says what is next, as far as the link has room and the recording lets it. */
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
      else this.#sendEvent(step.message, taken);
      return mustWait;
    });
  }

  #hasCredit({ message }: { readonly message: TraceMessage }, taken: Taken): boolean {
    return message.name !== 'sampleBlock' || Number(message.fields['block']) < taken.credit;
  }

  /** Returns whether the step is done with: said, put aside, or to be left out. */
  #sayStep(step: ScriptStep): boolean {
    if (step.kind === 'portLost') {
      if (this.#matcher.passed < step.after) return false;
      // What the board said before has arrived first: a session that is lost next does not bring it again.
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
    if (step.kind === 'reply') this.#reply(step.message, taken!.requestId, taken!.runId);
    else if (this.link.sessionOpen) this.#sendEvent(step.message, taken);
    this.#lastSent = { atMs: this.#nowMs, hostTimeNs: step.message.hostTimeNs };
    return true;
  }

  /** Whether the message came later than now when it was recorded. */
  #isEarly(step: Exclude<ScriptStep, { kind: 'portLost' }>, taken: Taken | undefined): boolean {
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
    // The link lets commands pass samples, so a command waits until those before it are written.
    return channel !== 'command' || (this.link.canSend && this.link.unsequencedQueued === 0);
  }

  /** Sends a recorded answer or refusal under the number of the request that it answers now. */
  #reply(message: TraceMessage, requestId: number, runId: number): void {
    const { kind, name } = message;
    const fields = { ...message.fields };
    if ('nonce' in fields) fields['nonce'] = message.channel === 'open' ? this.#askedNonce : this.#nonce;
    if (name === 'hello') fields['frameBytes'] = this.#frameBytes;
    if (name === 'start' && kind === 'answer') {
      fields['runId'] = runId;
      this.#state = 'running';
    }
    if (typeof fields['deviceTimeUs'] === 'number') this.#deviceTimeUs = fields['deviceTimeUs'];
    if (kind === 'event') {
      const payload = encodeEvent(name as EventName, requestId, fields as never);
      if (message.channel === 'open') this.link.sendUnsequenced(CHANNEL.open, payload);
      else this.link.send(payload);
      return;
    }
    const payload = encodeAnswer(name as CommandName, requestId, fields as never);
    if (name === 'hello') this.#sendHello(requestId, fields);
    else if (name === 'stop') this.#sendStop(Number(fields['stopNumber']), payload);
    else this.link.send(payload);
  }

  #sendEvent(message: TraceMessage, taken: Taken | undefined): void {
    const { name, samples } = message;
    const fields = taken ? { ...message.fields, runId: taken.runId } : message.fields;
    if (message.kind === 'bad') return;
    if (samples) {
      const block = { ...fields, codes: codeBytes(samples.codes) };
      this.link.sendUnsequenced(CHANNEL.sample, ...encodeEventParts('sampleBlock', 0, block as never));
      return;
    }
    const payload = encodeEvent(name as EventName, message.requestId, fields as never);
    if (name === 'runEnded') this.#state = 'done';
    if (message.channel === 'sample') this.link.sendUnsequenced(CHANNEL.sample, payload);
    else if (message.channel === 'command') this.link.send(payload);
  }
}

/** The longest frame of the recorded session. */
function frameBytesOf(hello: TraceMessage, answer: TraceMessage): number {
  return Math.min(Number(hello.fields['frameBytes']), Number(answer.fields['frameBytes']));
}
