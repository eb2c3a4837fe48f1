import type { Clock } from '../../firmware-protocol/clock.js';
import { encodeCommand, encodeCommandParts, type ToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import {
  type Answer,
  type Command,
  type CommandName,
  commandRow,
} from '../../firmware-protocol/messages/index.js';
import { abortError, type ThermolinkError, throwIfAborted } from '../errors.js';
import { nodeModule } from '../platform.js';
import {
  cancelledError,
  checkTimeout,
  evidence,
  refusalError,
  stillLostError,
  timeoutError,
} from './call-errors.js';
import type { CallOptions } from './device-api.js';
import type { Logger } from './logger.js';
import { PendingCalls, type PendingKey } from './pending-calls.js';
import { SendRoom } from './send-room.js';

const manyListeners = new WeakSet<AbortSignal>();

/**
 * Turns off Node's warning of a leak at 11 listeners: many calls may share a signal, and each removes its
 * listener. It is done once for each signal, because it takes longer than the rest of a call.
 */
export function allowManyListeners(signal: AbortSignal | undefined): void {
  if (signal === undefined || manyListeners.has(signal)) return;
  manyListeners.add(signal);
  nodeModule('node:events')?.setMaxListeners(0, signal);
}

export interface RequestOptions<N extends CommandName> extends CallOptions {
  /** Called with the answer at once, before later messages are read. */
  readonly onAnswer?: (answer: Answer<N>) => void;
  /** Whether a message answers this request. HELLO and stop need it, because they have no request id. */
  readonly accepts?: (message: ToHost) => boolean;
  /**
   * Called with an answer that comes in the same session after the call ended by its deadline or an abort.
   */
  readonly onLateAnswer?: (answer: Answer<N>) => void;
}

/** The state of the connection that requests need. */
interface ConnectionState {
  failure(): ThermolinkError | undefined;
  /** Whether the port is lost and being looked for. */
  suspended(): boolean;
  /** Whether the old session is gone and the new one is not open yet. New calls wait then. */
  betweenSessions(): boolean;
  portName(): string;
  /** Tells the port that a request begins. The returned function tells the port the id of the request. */
  noteCall(): ((requestId: number) => void) | undefined;
  /** Lets the link write the queued frames. */
  wake(): void;
}

/** The requests of the host: gives each its request id and its deadline, and matches answers to requests. */
export class Requests {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #connection: ConnectionState;
  readonly #pending = new PendingCalls();
  readonly #room: SendRoom;
  #nextRequestId = 1;

  constructor(link: Link, clock: Clock, log: Logger, connection: ConnectionState) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#connection = connection;
    this.#room = new SendRoom(clock, () => evidence(link));
  }

  get lastRequestId(): number {
    return this.#nextRequestId - 1;
  }

  /** Request ids begin with 1 in a new session (protocol.md, "Opening a session"). */
  beginSession(): void {
    this.#nextRequestId = 1;
  }

  /** Sends a command on its channel and resolves with its answer. */
  async request<N extends CommandName>(
    name: N,
    fields: Command<N>,
    options: RequestOptions<N>,
  ): Promise<Answer<N>> {
    const { signal, timeoutMs = commandRow(name).timeoutMs } = options;
    throwIfAborted(signal);
    checkTimeout(timeoutMs);
    allowManyListeners(signal);
    const connection = this.#connection;
    const sequenced = commandRow(name).channel === 'command';
    const untilMs = this.#clock.nowMs() + timeoutMs;
    // This comes before the first await, because the stack is still that of the caller.
    const noteId = connection.noteCall();
    while (sequenced && !connection.failure() && (connection.betweenSessions() || !this.#link.canSend))
      await this.#room.wait(name, untilMs, signal);
    throwIfAborted(signal);
    const failure = connection.failure();
    if (failure) throw failure;
    const requestId = sequenced ? this.#nextRequestId++ : 0;
    const key: PendingKey = sequenced ? requestId : (name as 'hello' | 'stop');
    noteId?.(requestId);
    // The command is encoded before anything waits for the answer, because encoding throws on a field out of
    // its range.
    const payload = sequenced
      ? encodeCommandParts(name, requestId, fields)
      : [encodeCommand(name, requestId, fields)];
    return new Promise<Answer<N>>((resolve, reject) => {
      const startMs = this.#clock.nowMs();
      const finish = (): void => {
        if (this.#log.isLevelEnabled('debug'))
          this.#log.debug(
            { command: name, requestId, tookMs: this.#clock.nowMs() - startMs },
            'command ended',
          );
        this.#pending.remove(key);
        cancelDeadline();
        signal?.removeEventListener('abort', onAbort);
        this.#room.release();
      };
      const fail = (error: ThermolinkError): void => {
        finish();
        if (options.onLateAnswer)
          this.#pending.expect(key, name, options.onLateAnswer as (answer: unknown) => void);
        reject(error);
      };
      const onAbort = (): void => fail(abortError(signal!));
      const cancelDeadline = this.#clock.schedule(untilMs - startMs, () =>
        fail(
          // HELLO and stop are repeated; the code that repeats them handles missing answers.
          sequenced
            ? this.deadlineError(name, timeoutMs)
            : timeoutError(name, timeoutMs, evidence(this.#link)),
        ),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      let place = 0;
      this.#pending.add(key, {
        name,
        fail,
        wasSent: () => place <= this.#link.commandsSent,
        accepts: options.accepts ?? (() => true),
        settle: (message) => {
          finish();
          if (message.kind === 'answer' && message.name === name) {
            options.onAnswer?.(message.fields as Answer<N>);
            resolve(message.fields as Answer<N>);
          } else reject(refusalError(name, connection.portName(), message));
        },
      });
      if (sequenced) place = this.#link.send(...payload);
      else this.#link.sendUnsequenced(CHANNEL[commandRow(name).channel as 'open' | 'stop'], payload[0]);
      connection.wake();
    });
  }

  /** The error of a call that was not answered by its deadline. */
  deadlineError(name: CommandName, timeoutMs: number): ThermolinkError {
    const seen = evidence(this.#link);
    return this.#connection.suspended()
      ? stillLostError(name, timeoutMs, this.#connection.portName(), seen)
      : timeoutError(name, timeoutMs, seen);
  }

  /** Hands an answer to the call that waits for it. */
  answer(message: Extract<ToHost, { requestId: number }>): void {
    this.#pending.answer(message);
  }

  /** Fails the calls that have not been sent, because a stop was issued after them (protocol.md, "Stop"). */
  cancelWaiting(): void {
    this.#room.cancelAll(cancelledError);
  }

  /** Lets one waiting call check whether it can be queued now. */
  releaseOne(): void {
    this.#room.release();
  }

  /** Lets all waiting calls check whether they can be queued, or whether the connection has failed. */
  releaseAll(): void {
    this.#room.releaseAll();
  }

  /** Fails the HELLO in progress, if there is one. */
  failHello(error: ThermolinkError): void {
    this.#pending.failHello(error);
  }

  /** Fails the calls that wait to be queued. */
  failWaiting(error: ThermolinkError): void {
    this.#room.cancelAll(() => error);
  }

  /** Fails the calls that wait for an answer. */
  failPending(error: ThermolinkError): void {
    this.#pending.failAll(error);
  }
}
