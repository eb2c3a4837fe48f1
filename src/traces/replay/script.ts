import { ThermolinkError } from '../../errors.js';
import type { Trace } from '../open-trace.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

/** Largest number of payload bytes of a replayed session. All of them are kept in memory. */
export const REPLAY_BYTES_MAX = 512 * 1024 * 1024;

/** A command of the recorded host. */
export interface ScriptRequest {
  /** Index among the requests. */
  readonly place: number;
  readonly message: TraceMessage;
  /** The recorded answer or refusal; undefined if the recording has no answer. */
  reply: TraceMessage | undefined;
}

/** A recorded message of the device, or the loss of a port. */
export type ScriptStep =
  | {
      readonly kind: 'reply';
      readonly message: TraceMessage;
      readonly request: ScriptRequest;
    }
  | {
      /**
       * A message that answers no request. If it belongs to a run, it waits for the request that started the
       * run.
       */
      readonly kind: 'event';
      readonly message: TraceMessage;
      readonly run: ScriptRequest | undefined;
    }
  | {
      /**
       * The host opened another port here. The step waits until the first `after` requests were made, which
       * belong to the old port.
       */
      readonly kind: 'portLost';
      readonly hostTimeNs: bigint;
      readonly after: number;
    };

/** A recorded session in the form for a replay: the requests of the host, and the messages of the device. */
export interface ReplayScript {
  readonly path: string;
  readonly requests: readonly ScriptRequest[];
  readonly steps: readonly ScriptStep[];
  /** Longest payload in either direction, in bytes. */
  readonly payloadBytesMax: number;
}

/** Makes a script from messages. A request and its reply have the same key. */
class Builder {
  readonly requests: ScriptRequest[] = [];
  readonly steps: ScriptStep[] = [];
  payloadBytesMax = 0;
  #bytes = 0;
  /** Requests that have no reply yet, by key. */
  readonly #waiting = new Map<string, ScriptRequest>();
  /** The start of each run of the session. */
  readonly #runs = new Map<FieldValue, ScriptRequest>();
  #connection = 0;
  #lastOpen: string | undefined;

  constructor(
    readonly path: string,
    readonly portsAreHosts: boolean,
  ) {}

  add(message: TraceMessage): void {
    this.#bytes += message.payloadBytes;
    this.payloadBytesMax = Math.max(this.payloadBytesMax, message.payloadBytes);
    if (this.#bytes > REPLAY_BYTES_MAX)
      throw new ThermolinkError(
        'TOO_LARGE',
        `${this.path} holds more than ${REPLAY_BYTES_MAX} bytes of messages.`,
        {
          hint: 'Replay a shorter session.',
          data: { file: this.path },
        },
      );
    if (this.portsAreHosts && this.#connection !== 0 && message.connection > this.#connection)
      this.steps.push({ kind: 'portLost', hostTimeNs: message.hostTimeNs, after: this.requests.length });
    this.#connection = message.connection;
    if (message.direction === 'toDevice') this.#addRequest(message);
    else this.#addStep(message);
  }

  #addRequest(message: TraceMessage): void {
    if (message.kind !== 'command') return;
    const key = requestKey(message);
    // The host repeats HELLO and stop until it gets an answer.
    if (message.channel !== 'command' && key === this.#lastOpen) return;
    if (message.channel !== 'command') this.#lastOpen = key;
    const request = { place: this.requests.length, message, reply: undefined };
    this.requests.push(request);
    this.#waiting.set(key, request);
  }

  #addStep(message: TraceMessage): void {
    const key = replyKey(message);
    const request = key === undefined ? undefined : this.#waiting.get(key);
    if (request) {
      this.#waiting.delete(key!);
      request.reply = message;
      this.steps.push({ kind: 'reply', message, request });
      if (message.name === 'start' && message.kind === 'answer')
        this.#runs.set(message.fields['runId'], request);
      if (message.name === 'hello') this.#lastOpen = undefined;
      return;
    }
    // A reply without a waiting request is a repetition: the device answers every repetition of HELLO and
    // stop.
    if (key !== undefined) return;
    this.steps.push({ kind: 'event', message, run: this.#runs.get(message.fields['runId']) });
  }
}

/** The key of a request; its reply has the same key. */
function requestKey({ name, requestId, session, fields }: TraceMessage): string {
  if (name === 'hello') return `hello ${hex(fields['nonce'])}`;
  if (name === 'stop') return `stop ${session} ${String(fields['stopNumber'])}`;
  return `${session} ${requestId}`;
}

/** The key of a reply; undefined for a message that is not a reply. */
function replyKey({ kind, name, requestId, session, fields }: TraceMessage): string | undefined {
  if (name === 'hello' || name === 'helloRefused') return `hello ${hex(fields['nonce'])}`;
  if (name === 'stop') return `stop ${session} ${String(fields['stopNumber'])}`;
  return kind === 'answer' || name === 'refusal' ? `${session} ${requestId}` : undefined;
}

function hex(value: FieldValue): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

/**
 * Reads a recorded session for replay. `session` selects one of several sessions, counted from 1. Errors:
 * BAD_FILE for a file that is not a recorded session, is damaged, or has no such session; TOO_LARGE.
 */
export function readScript(trace: Trace, session?: number): ReplayScript {
  const builder = new Builder(trace.path, sideOf(trace) === 'host');
  let previousHello: TraceMessage | undefined;
  for (const message of trace.messages()) {
    if (message.name === 'hello' && message.kind === 'command') {
      // A HELLO belongs to the session that its answer opens.
      previousHello = message;
      if (session === undefined) builder.add(message);
      continue;
    }
    if (session !== undefined && message.session !== session) continue;
    if (session !== undefined && previousHello && message.name === 'hello') {
      builder.add(previousHello);
      previousHello = undefined;
    }
    builder.add(message);
  }
  const damaged = trace.findings.filter(({ kind }) => kind !== 'noEnd' && kind !== 'truncatedRecord');
  if (damaged.length > 0)
    throw new ThermolinkError('BAD_FILE', `${trace.path} is damaged: ${damaged[0].problem}.`, {
      hint: 'A session with a gap cannot be replayed: `thermolink trace doctor` tells which parts are missing.',
      data: { file: trace.path },
    });
  const { path, requests, steps, payloadBytesMax } = builder;
  if (!requests.some(({ reply }) => reply?.name === 'hello'))
    throw new ThermolinkError(
      'BAD_FILE',
      session === undefined ? `${path} holds no session.` : `${path} has no session ${session}.`,
      { hint: 'A recording must begin before the host says HELLO.', data: { file: path } },
    );
  return { path, requests, steps, payloadBytesMax };
}

/** The side of the port that was recorded. */
function sideOf(trace: Trace): string | undefined {
  for (const { side } of trace.chunks()) return side;
  return undefined;
}
