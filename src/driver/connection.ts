import type { Clock } from '../../firmware-protocol/clock.js';
import { decodeToHost, encodeEvent, type ToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { FAULT_BYTES_KEPT } from '../../firmware-protocol/limits.js';
import type { LinkLimits } from '../../firmware-protocol/link/command-sender.js';
import { Link } from '../../firmware-protocol/link/link.js';
import type { Answer, Command, CommandName, Event } from '../../firmware-protocol/messages/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import { latin1Text } from '../platform.js';
import { evidence, frameDamageError, linkLostError, portClosedError, writeError } from './call-errors.js';
import { FramePump } from './frame-pump.js';
import { traceFrames } from './frame-trace.js';
import { type Logger, SILENT_LOGGER } from './logger.js';
import { type RequestOptions, Requests } from './requests.js';
import './fast-bytes.js';

/**
 * The smallest limit of the frame length on a noisy line. If one byte in a thousand is wrong, 77 % of the
 * frames of this length arrive whole.
 */
const FRAME_BYTES_SHORTEST = 256;
/** The factor by which frames are shortened at a time. */
const SHORTENED_BY = 8;
/** Time that a port has to take the last acknowledgement, ms. */
const END_MS = 100;

/** Receivers of messages that a board sends without a request. */
export interface ConnectionEvents {
  /** The codes are valid only during the call. */
  sampleBlock(block: Event<'sampleBlock'>): void;
  blocksSent(position: Event<'blocksSent'>): void;
  runEnded(report: Event<'runEnded'>): void;
  failed(error: ThermolinkError): void;
}

/**
 * The host's end of the link on a port. It keeps the link when its port is lost and another one is opened,
 * and passes received messages on. `Device` knows the meaning of the commands.
 */
export class Connection {
  readonly link: Link;
  readonly clock: Clock;
  /**
   * Looks for the board again. With it, a lost port suspends the calls in progress; without it, they fail.
   */
  onLost: ((reason: ThermolinkError) => void) | undefined;
  #port!: Port;
  #suspended = false;
  #betweenSessions = false;
  #frameBytesLimit = Infinity;
  #mayResume = true;
  /** Called when the search for the board has ended. */
  #whenFound: (() => void)[] = [];
  readonly #log: Logger;
  #events: ConnectionEvents | undefined;
  readonly #requests: Requests;
  #failure: ThermolinkError | undefined;
  readonly #pump: FramePump;
  /** The first received bytes that were not messages. The error of a peer that is not a board shows them. */
  #rubbish: number[] = [];

  constructor(port: Port, clock: Clock, log: Logger = SILENT_LOGGER) {
    this.#log = log;
    this.clock = clock;
    this.link = new Link(port.frameBytesMax, { answersEverything: false });
    this.#requests = new Requests(this.link, clock, log, {
      failure: () => this.#failure,
      suspended: () => this.#suspended,
      betweenSessions: () => this.#betweenSessions,
      portName: () => this.#port.name,
      noteCall: () => this.#port.noteCall?.(),
      wake: () => this.wake(),
    });
    this.#pump = new FramePump(this.link, clock, {
      hasRoom: () => this.#requests.releaseOne(),
      failed: (name, cause) => this.lose(writeError(name, cause)),
      silent: (name) => {
        if (!this.#suspended) this.lose(linkLostError(name, evidence(this.link)));
      },
    });
    traceFrames(this.link, log);
    this.attach(port);
  }

  /** The port in use, or the last one. */
  get port(): Port {
    return this.#port;
  }

  /** The port was lost and the session may go on later. Calls wait. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** The longest frame that a session on this port may have. */
  get frameBytesMax(): number {
    return Math.min(this.#port.frameBytesMax, this.#frameBytesLimit);
  }

  /**
   * Whether a session that the board still has may go on. It may not if its frames are too long for this
   * port.
   */
  get mayResume(): boolean {
    return this.#mayResume;
  }

  /** Opens a new session with shorter frames, if possible, because the line damages long frames. */
  shortenFrames(): void {
    const shorter = Math.max(FRAME_BYTES_SHORTEST, Math.floor(this.frameBytesMax / SHORTENED_BY));
    if (!this.onLost || this.#suspended || shorter >= this.frameBytesMax) return;
    this.#frameBytesLimit = shorter;
    this.#mayResume = false;
    this.lose(frameDamageError(this.#port.name, shorter));
  }

  /** Uses this port from now on. The session stays held until it is resumed or a new one is opened. */
  attach(port: Port): void {
    this.#port = port;
    this.#rubbish = [];
    this.link.restartReceiver();
    this.#pump.attach(port);
    port.onData((bytes) => {
      if (this.#port === port) this.#receive(bytes);
    });
    port.onClose((reason) => {
      if (this.#port !== port) return;
      // Another port does not help, because a replayed session expects the same requests on every port.
      if (isMismatch(reason)) this.fail(reason);
      else this.lose(portClosedError(port.name, reason));
    });
  }

  /** Whether bytes are written to the port. */
  get attached(): boolean {
    return this.#pump.attached;
  }

  /** Writes nothing more to the port. */
  detach(): void {
    this.#pump.detach();
  }

  /** Writes to the same port again, after `detach`. */
  reattach(): void {
    if (this.#failure) return;
    this.#pump.attach(this.#port);
    this.wake();
  }

  /** Records that the port or the board is lost. Calls wait until `onLost` finds it again, or fail. */
  lose(error: ThermolinkError): void {
    if (this.#failure) return;
    if (this.#suspended) {
      // The port was lost again before HELLO was answered.
      this.#pump.detach();
      this.#requests.failHello(error);
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

  /** Goes on with the session that the board still has (protocol.md, "Resuming a session"). */
  resumeSession(): void {
    this.#suspended = false;
    this.link.resumeSession();
    this.wake();
    this.#tellFound();
  }

  /**
   * Resolves when calls can be sent: at once, or after the search has found the board. Errors: that of the
   * search, if it gave up; ABORTED.
   */
  async found(signal: AbortSignal | undefined): Promise<void> {
    while (!this.#failure && (this.#suspended || this.#betweenSessions)) {
      throwIfAborted(signal);
      await new Promise<void>((resolve) => {
        this.#whenFound.push(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    throwIfAborted(signal);
    if (this.#failure) throw this.#failure;
  }

  #tellFound(): void {
    for (const tell of this.#whenFound.splice(0)) tell();
  }

  /**
   * Ends a session that the board has forgotten. Calls in progress fail; later calls wait
   * for the next session.
   */
  endSession(error: ThermolinkError): void {
    this.#betweenSessions = true;
    this.#requests.failWaiting(error);
    this.#requests.failPending(error);
    this.#events?.failed(error);
  }

  set events(events: ConnectionEvents) {
    this.#events = events;
  }

  get failure(): ThermolinkError | undefined {
    return this.#failure;
  }

  get lastRequestId(): number {
    return this.#requests.lastRequestId;
  }

  /** The first bytes that were not messages, at most FAULT_BYTES_KEPT. */
  get rubbish(): Uint8Array {
    return this.#rubbish.length > 0 ? Uint8Array.from(this.#rubbish) : this.link.pendingHead;
  }

  openSession(nonce: Uint8Array, limits: LinkLimits): void {
    this.#suspended = false;
    this.#betweenSessions = false;
    this.#mayResume = true;
    this.#requests.beginSession();
    this.link.openSession(nonce, limits);
    this.#requests.releaseAll();
    this.wake();
    this.#tellFound();
  }

  /** Sends a command on its channel and resolves with its answer. */
  request<N extends CommandName>(
    name: N,
    fields: Command<N>,
    options: RequestOptions<N> = {},
  ): Promise<Answer<N>> {
    return this.#requests.request(name, fields, options);
  }

  /** Fails the calls that have not been sent, because a stop was issued after them. */
  cancelWaiting(): void {
    this.#requests.cancelWaiting();
  }

  /** The error of a call that was not answered by its deadline. */
  deadlineError(name: CommandName, timeoutMs: number): ThermolinkError {
    return this.#requests.deadlineError(name, timeoutMs);
  }

  /**
   * Sends a credit or a request for blocks. Returns false if the queue is full, and the caller repeats it
   * later. Also returns false after the connection has failed.
   */
  sendSampleEvent<N extends 'credit' | 'resend'>(name: N, fields: Event<N>): boolean {
    if (this.#failure || !this.link.canSendUnsequenced) return false;
    this.link.sendUnsequenced(CHANNEL.sample, encodeEvent(name, 0, fields));
    this.wake();
    return true;
  }

  /** Sends a frame without a message, which feeds the board's watchdog. */
  keepAlive(): void {
    this.link.keepAlive();
    this.wake();
  }

  /**
   * Ends the session from this side: fails every call as `fail` does, and acknowledges the last received
   * frames. Resolves when that was written, after END_MS at the latest. Errors: none.
   */
  async end(error: ThermolinkError): Promise<void> {
    const written = this.#suspended ? undefined : this.#pump.acknowledge();
    this.fail(error);
    if (written === undefined) return;
    await new Promise<void>((resolve) => {
      const cancel = this.clock.schedule(END_MS, resolve);
      void written.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Fails every call in progress, and every later one, with this error. */
  fail(error: ThermolinkError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#log.info({ code: error.code, reason: error.message }, 'connection ended');
    this.#pump.detach();
    this.#requests.failPending(error);
    this.#requests.releaseAll();
    this.#events?.failed(error);
    this.#tellFound();
  }

  /** Lets the link write the queued frames. */
  wake(): void {
    this.#pump.wake();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#failure) return;
    this.link.receive(bytes, this.clock.nowMs(), (event) => {
      if (event.kind === 'fault') this.#noteRubbish(event.head);
      else this.#deliver(event.payload);
    });
    // One turn later the callers have queued their next commands. Such a command carries the acknowledgement,
    // so the acknowledgement needs no frame of its own.
    this.clock.defer(() => this.wake());
  }

  #deliver(payload: Uint8Array): void {
    const message = decodeToHost(payload);
    if (message.kind === 'bad') {
      // protocol.md, "Messages that are rejected".
      this.link.counters.messagesRejected++;
      this.#noteRubbish(payload);
      return;
    }
    if (message.kind === 'event' && message.name === 'sampleBlock') this.#events?.sampleBlock(message.fields);
    else if (message.kind === 'event' && message.name === 'blocksSent')
      this.#events?.blocksSent(message.fields);
    else if (message.kind === 'event' && message.name === 'runEnded') this.#events?.runEnded(message.fields);
    else this.#requests.answer(kept(message));
  }

  #noteRubbish(head: Uint8Array): void {
    // Before the first frame such bytes are usually texts that the board prints at its start.
    if (this.#log.isLevelEnabled('warn'))
      this.#log.warn({ bytes: latin1Text(head) }, 'received bytes that are no message');
    const room = FAULT_BYTES_KEPT - this.#rubbish.length;
    if (room > 0) this.#rubbish.push(...head.subarray(0, room));
  }
}

/** Whether a replayed session has ended because the program differs from the recording. */
function isMismatch(reason: Error | undefined): reason is ThermolinkError {
  return reason instanceof ThermolinkError && reason.code === 'REPLAY_MISMATCH';
}

/**
 * Copies the bytes of a message, because answers are looked at later and a payload is valid
 * only during its delivery.
 */
function kept<M extends Exclude<ToHost, { kind: 'bad' }>>(message: M): M {
  const fields: Record<string, unknown> = { ...message.fields };
  for (const [name, value] of Object.entries(fields))
    if (value instanceof Uint8Array) fields[name] = value.slice();
  return { ...message, fields };
}
