import { type DeviceStateName, deviceStateName } from '../../../firmware-protocol/device-status.js';
import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { Answer, Event } from '../../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import { LinkDecoder } from '../link-decoder.js';
import type { LinkChunk, LinkFindings, TraceMessage } from '../trace-message.js';
import { type LedgerRun, RunLedger } from './run-ledger.js';

const REFUSALS = Object.keys(REFUSAL) as (keyof typeof REFUSAL)[];

/** Number of messages with one name, and the total bytes of their payloads. */
export interface MessageCount {
  readonly name: string;
  /** `command`, `answer`, `event`, or `bad` for payloads that are not messages. */
  readonly kind: TraceMessage['kind'];
  readonly direction: Direction;
  count: number;
  payloadBytes: number;
}

/** The traffic in one direction. */
export interface Passed {
  chunks: number;
  bytes: number;
  messages: number;
}

/**
 * Counts the events of a session while its bytes pass: messages, runs, the state of the board, and faults. It
 * needs the memory of a few frames, and some numbers for each run.
 */
export class SessionLedger {
  readonly #decoder = new LinkDecoder();
  readonly #runs = new RunLedger();
  readonly #counts = new Map<string, MessageCount>();
  readonly passed: Readonly<Record<Direction, Passed>> = {
    toDevice: { chunks: 0, bytes: 0, messages: 0 },
    toHost: { chunks: 0, bytes: 0, messages: 0 },
  };
  /** Times of the first and the last byte, in ns since 1970. Undefined before the first byte. */
  firstNs: bigint | undefined;
  lastNs: bigint | undefined;
  /** The newest identity of the board. */
  board: Answer<'hello'> | undefined;
  /** The state of the board according to its messages. */
  state: DeviceStateName | undefined;
  sessions = 0;
  readonly #connections = new Set<number>();
  stops = 0;
  /** Commands that the board refused, by reason. */
  readonly refusals = new Map<keyof typeof REFUSAL, number>();

  /** Takes the next bytes, and passes on each message that they complete, with its run. */
  push(
    chunk: LinkChunk,
    onMessage: (message: TraceMessage, run: LedgerRun | undefined) => void = () => undefined,
  ): void {
    this.firstNs ??= chunk.hostTimeNs;
    this.lastNs = chunk.hostTimeNs;
    this.#connections.add(chunk.connection);
    const passed = this.passed[chunk.direction];
    passed.chunks++;
    passed.bytes += chunk.bytes.length;
    this.#decoder.push(chunk, (message) => {
      passed.messages++;
      this.#count(message);
      this.#note(message);
      onMessage(message, this.#runs.add(message));
    });
  }

  get runs(): readonly LedgerRun[] {
    return this.#runs.runs;
  }

  /** Number of ports that the bytes passed. Every reconnect and every client of a server uses a new port. */
  get connections(): number {
    return this.#connections.size;
  }

  get findings(): Readonly<LinkFindings> {
    return this.#decoder.findings;
  }

  /**
   * Every kind of message that passed. Messages to the board come first; within a direction the order is that
   * of the first arrival.
   */
  get counts(): readonly MessageCount[] {
    return [...this.#counts.values()].sort((a, b) => rank(a) - rank(b));
  }

  /** Time from the first byte to the last, in seconds. */
  get seconds(): number {
    return secondsBetween(this.firstNs, this.lastNs);
  }

  #count({ name, kind, direction, payloadBytes }: TraceMessage): void {
    const key = `${direction} ${kind} ${name}`;
    const entry = this.#counts.get(key) ?? { name, kind, direction, count: 0, payloadBytes: 0 };
    entry.count++;
    entry.payloadBytes += payloadBytes;
    this.#counts.set(key, entry);
  }

  #note(message: TraceMessage): void {
    const { kind, name, fields, session } = message;
    this.sessions = Math.max(this.sessions, session);
    if (kind === 'command') {
      if (name === 'stop') this.stops++;
      return;
    }
    if (name === 'hello') this.board = fields as unknown as Answer<'hello'>;
    if (name === 'helloRefused' || name === 'refusal') {
      const { reason } = fields as unknown as Event<'refusal'>;
      this.refusals.set(REFUSALS[reason], (this.refusals.get(REFUSALS[reason]) ?? 0) + 1);
    }
    this.state = stateAfter(message) ?? this.state;
  }
}

/** Time difference in seconds; 0 if one of the times is missing. */
export function secondsBetween(fromNs: bigint | undefined, toNs: bigint | undefined): number {
  return fromNs === undefined || toNs === undefined ? 0 : Number(toNs - fromNs) / 1e9;
}

function rank({ direction }: MessageCount): number {
  return direction === 'toDevice' ? 0 : 1;
}

/** The state of the board after one of its messages; undefined if the message does not tell the state. */
export function stateAfter({ kind, name, fields }: TraceMessage): DeviceStateName | undefined {
  if (kind === 'bad') return undefined;
  const { state } = fields;
  if (typeof state === 'number') return deviceStateName(state as Event<'refusal'>['state']);
  if (name === 'hello') return fields['resumed'] === 0 ? 'idle' : undefined;
  if (name === 'commit') return 'configured';
  if (name === 'start') return 'running';
  if (name === 'reset') return 'boot';
  if (name !== 'runEnded') return undefined;
  const { outcome } = fields as unknown as Event<'runEnded'>;
  return (['done', 'halted', 'done', 'safe', 'safe', 'fault'] as const)[outcome];
}
