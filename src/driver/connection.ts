import { setMaxListeners } from 'node:events';
import type { Clock } from '../../firmware-protocol/clock.js';
import {
  decodeToHost,
  encodeCommand,
  encodeCommandParts,
  encodeEvent,
  type ToHost,
} from '../../firmware-protocol/codec.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { FAULT_BYTES_KEPT } from '../../firmware-protocol/limits.js';
import type { LinkLimits } from '../../firmware-protocol/link/command-sender.js';
import { Link } from '../../firmware-protocol/link/link.js';
import {
  type Answer,
  type Command,
  type CommandName,
  commandRow,
  type Event,
} from '../../firmware-protocol/messages/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { abortError, type ThermolinkError, throwIfAborted } from '../errors.js';
import {
  cancelledError,
  checkTimeout,
  evidence,
  linkLostError,
  portClosedError,
  refusalError,
  stillLostError,
  timeoutError,
  writeError,
} from './call-errors.js';
import type { CallOptions } from './device-api.js';
import { FramePump, logFrame } from './frame-pump.js';
import { type Logger, SILENT_LOGGER } from './logger.js';
import { PendingCalls, type PendingKey } from './pending-calls.js';
import { SendRoom } from './send-room.js';
import './platform.js';

export interface RequestOptions<N extends CommandName> extends CallOptions {
  /** Called with the answer at once, before anything that arrived behind it is looked at. */
  readonly onAnswer?: (answer: Answer<N>) => void;
  /** HELLO and stop have no request id: which nonce, or number, an answer must carry. */
  readonly accepts?: (message: ToHost) => boolean;
  /** Called with the answer when it comes after the call has ended by its deadline or an abort, in the same session. */
  readonly onLateAnswer?: (answer: Answer<N>) => void;
}

export interface ConnectionEvents {
  sampleBlock(block: Event<'sampleBlock'>): void;
  blocksSent(position: Event<'blocksSent'>): void;
  runEnded(report: Event<'runEnded'>): void;
  failed(error: ThermolinkError): void;
}

/**
 * The host's end of the link on a port: writes what the link has to say, matches answers to requests, and gives every
 * call a deadline. What the commands mean is `Device`'s matter.
 */
export class Connection {
  readonly link: Link;
  readonly clock: Clock;
  /** With somebody who finds the board again, a lost port suspends the calls in progress instead of ending them. */
  onLost: ((reason: ThermolinkError) => void) | undefined;
  #port!: Port;
  #suspended = false;
  /** The old session is gone and the new one is not open yet: new calls wait. */
  #betweenSessions = false;
  readonly #log: Logger;
  #events: ConnectionEvents | undefined;
  #nextRequestId = 1;
  readonly #pending = new PendingCalls();
  readonly #room: SendRoom;
  #failure: ThermolinkError | undefined;
  readonly #pump: FramePump;
  /** First bytes that arrived and were no frame, for the error of a peer that is no board. */
  #rubbish: number[] = [];

  constructor(port: Port, clock: Clock, log: Logger = SILENT_LOGGER) {
    this.#log = log;
    this.clock = clock;
    this.link = new Link(port.frameBytesMax, { answersEverything: false });
    this.#room = new SendRoom(clock, () => evidence(this.link));
    this.#pump = new FramePump(this.link, clock, log, {
      hasRoom: () => this.#room.release(),
      failed: (name, cause) => this.lose(writeError(name, cause)),
      silent: (name) => {
        if (!this.#suspended) this.lose(linkLostError(name, evidence(this.link)));
      },
    });
    this.attach(port);
  }

  /** The port in use, or the last one. */
  get port(): Port {
    return this.#port;
  }

  /** A port was lost and the session may still go on: calls wait. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** From now on bytes travel over this port; the session stays held until it is resumed or a new one is opened. */
  attach(port: Port): void {
    this.#port = port;
    this.#rubbish = [];
    this.link.restartReceiver();
    this.#pump.attach(port);
    port.onData((bytes) => {
      if (this.#port === port) this.#receive(bytes);
    });
    port.onClose((reason) => {
      if (this.#port === port) this.lose(portClosedError(port.name, reason));
    });
  }

  /** The port in use takes bytes. */
  get attached(): boolean {
    return this.#pump.attached;
  }

  /** The port is of no use after all. */
  detach(): void {
    this.#pump.detach();
  }

  /** The port or the board is gone: calls wait for `onLost` to find it again, or end. */
  lose(error: ThermolinkError): void {
    if (this.#failure) return;
    if (this.#suspended) {
      // Lost again before HELLO was answered.
      this.#pump.detach();
      this.#pending.failHello(error);
      return;
    }
    if (!this.onLost) {
      this.fail(error);
      return;
    }
    this.#log.info({ code: error.code, reason: error.message }, 'connection lost');
    this.#pump.detach();
    this.#suspended = true;
    this.link.hold();
    this.#port.close().catch(() => undefined);
    this.onLost(error);
  }

  /** The board still has the session: what was not acknowledged is sent again. */
  resumeSession(): void {
    this.#suspended = false;
    this.link.resumeSession();
    this.wake();
  }

  /** The board has forgotten the session: everything in progress fails, what is called from now on waits for the next one. */
  endSession(error: ThermolinkError): void {
    this.#betweenSessions = true;
    this.#room.cancelAll(() => error);
    this.#pending.failAll(error);
    this.#events?.failed(error);
  }

  set events(events: ConnectionEvents) {
    this.#events = events;
  }

  get failure(): ThermolinkError | undefined {
    return this.#failure;
  }

  get lastRequestId(): number {
    return this.#nextRequestId - 1;
  }

  /** What arrived and made no sense, at most FAULT_BYTES_KEPT bytes. */
  get rubbish(): Uint8Array {
    return this.#rubbish.length > 0 ? Uint8Array.from(this.#rubbish) : this.link.pendingHead;
  }

  openSession(nonce: Uint8Array, limits: LinkLimits): void {
    this.#suspended = false;
    this.#betweenSessions = false;
    this.#nextRequestId = 1;
    this.link.openSession(nonce, limits);
    this.#room.releaseAll();
    this.wake();
  }

  /** Sends a command on its channel and resolves with its answer. */
  async request<N extends CommandName>(
    name: N,
    fields: Command<N>,
    options: RequestOptions<N> = {},
  ): Promise<Answer<N>> {
    const { signal, timeoutMs = commandRow(name).timeoutMs } = options;
    throwIfAborted(signal);
    checkTimeout(timeoutMs);
    // Many calls may wait on one signal; that is no leak, each removes its listener when it ends.
    if (signal) setMaxListeners(0, signal);
    if (this.#failure) throw this.#failure;
    const sequenced = commandRow(name).channel === 'command';
    const untilMs = this.clock.nowMs() + timeoutMs;
    while (sequenced && !this.#failure && (this.#betweenSessions || !this.link.canSend))
      await this.#room.wait(name, untilMs, signal);
    throwIfAborted(signal);
    if (this.#failure) throw this.#failure;
    const requestId = sequenced ? this.#nextRequestId++ : 0;
    const key: PendingKey = sequenced ? requestId : (name as 'hello' | 'stop');
    // Encoded before anything waits for the answer: it throws on a field out of its range.
    const payload = sequenced
      ? encodeCommandParts(name, requestId, fields)
      : [encodeCommand(name, requestId, fields)];
    return new Promise<Answer<N>>((resolve, reject) => {
      const startMs = this.clock.nowMs();
      const finish = (): void => {
        if (this.#log.isLevelEnabled('debug'))
          this.#log.debug(
            { command: name, requestId, tookMs: this.clock.nowMs() - startMs },
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
      const cancelDeadline = this.clock.schedule(untilMs - startMs, () =>
        fail(
          // HELLO and stop are repeated; whoever repeats them says when it is enough.
          sequenced
            ? this.deadlineError(name, timeoutMs)
            : timeoutError(name, timeoutMs, evidence(this.link)),
        ),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      let place = 0;
      this.#pending.add(key, {
        name,
        fail,
        wasSent: () => place <= this.link.commandsSent,
        accepts: options.accepts ?? (() => true),
        settle: (message) => {
          finish();
          if (message.kind === 'answer' && message.name === name) {
            options.onAnswer?.(message.fields as Answer<N>);
            resolve(message.fields as Answer<N>);
          } else reject(refusalError(name, this.port.name, message));
        },
      });
      if (sequenced) place = this.link.send(...payload);
      else this.link.sendUnsequenced(CHANNEL[commandRow(name).channel as 'open' | 'stop'], payload[0]);
      this.wake();
    });
  }

  /** A stop is issued: what was called before it and has not been sent is not sent any more. */
  cancelWaiting(): void {
    this.#room.cancelAll(cancelledError);
  }

  /** Why a call is not answered by its deadline. */
  deadlineError(name: CommandName, timeoutMs: number): ThermolinkError {
    const seen = evidence(this.link);
    return this.#suspended
      ? stillLostError(name, timeoutMs, this.#port.name, seen)
      : timeoutError(name, timeoutMs, seen);
  }

  /** Sends what is harmless to repeat, since it is absolute. False when the queue is full: repeat later. */
  sendSampleEvent<N extends 'credit' | 'resend'>(name: N, fields: Event<N>): boolean {
    if (this.#failure || !this.link.canSendUnsequenced) return false;
    this.link.sendUnsequenced(CHANNEL.sample, encodeEvent(name, 0, fields));
    this.wake();
    return true;
  }

  keepAlive(): void {
    this.link.keepAlive();
    this.wake();
  }

  /** Ends every call in progress with an error; later calls get the same. */
  fail(error: ThermolinkError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#log.info({ code: error.code, reason: error.message }, 'connection ended');
    this.#pump.detach();
    this.#pending.failAll(error);
    this.#room.releaseAll();
    this.#events?.failed(error);
  }

  /** Lets the link write what it has to say. */
  wake(): void {
    this.#pump.wake();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#failure) return;
    const framesBefore = this.link.counters.framesReceived;
    this.link.receive(bytes, this.clock.nowMs(), (event) => {
      if (event.kind === 'fault') this.#noteRubbish(event.head);
      else this.#deliver(event.payload);
    });
    if (this.link.counters.framesReceived !== framesBefore) logFrame(this.#log, this.link, 'received');
    // One turn later: what the callers send next then carries the acknowledgement, and no frame is spent on it alone.
    this.clock.defer(() => this.wake());
  }

  #deliver(payload: Uint8Array): void {
    // A copy: answers are looked at later, and the payload is the link's again after this call.
    const message = decodeToHost(payload.slice());
    if (message.kind === 'bad') {
      this.link.counters.messagesRejected++;
      this.#noteRubbish(payload);
      return;
    }
    if (message.kind === 'event' && message.name === 'sampleBlock') this.#events?.sampleBlock(message.fields);
    else if (message.kind === 'event' && message.name === 'blocksSent')
      this.#events?.blocksSent(message.fields);
    else if (message.kind === 'event' && message.name === 'runEnded') this.#events?.runEnded(message.fields);
    else this.#pending.answer(message);
  }

  #noteRubbish(head: Uint8Array): void {
    // Before the first frame this is what the board prints when it starts.
    if (this.#log.isLevelEnabled('warn'))
      this.#log.warn({ bytes: Buffer.from(head).toString('latin1') }, 'received bytes that are no message');
    const room = FAULT_BYTES_KEPT - this.#rubbish.length;
    if (room > 0) this.#rubbish.push(...head.subarray(0, room));
  }
}
