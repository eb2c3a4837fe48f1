import { randomUUID } from 'node:crypto';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import type { Logger } from '../driver/logger.js';
import { abortError, type ThermolinkError, throwIfAborted } from '../errors.js';
import {
  busyError,
  lostError,
  notABoardError,
  type Question,
  refusedError,
  silenceError,
} from './connection-errors.js';
import { FrameSplitter, framed } from './frames.js';
import { type Body, decode, encode, type InitialBody } from './messages.js';

type Message = Body<'Message'>;
/** The commands, each with the field of its answer. */
const ANSWERS = {
  resetCommand: 'resetResponse',
  extractCommand: 'extractResponse',
  configCommand: 'configResponse',
  startRunCommand: 'startRunResponse',
  stopRunCommand: 'success',
  overloadCommand: 'overloadResponse',
  calibrationCommand: 'calibrationResponse',
} as const;
export type Command = keyof typeof ANSWERS;
type Answer<C extends Command> = NonNullable<Message[(typeof ANSWERS)[C]]>;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly settle: (message: Message) => void;
  readonly fail: (error: ThermolinkError) => void;
}

/** Time after which a command is sent again to a busy machine, ms. */
const BUSY_RETRY_MS = 250;
/** Number of first bytes that are kept for the error message about an unknown peer. */
const FIRST_BYTES = 24;

/**
 * Commands and answers of protocol 2.x over a port. Every wait has a deadline and a signal. A message that
 * cannot be read is counted and skipped. An impossible length ends the connection.
 */
export class LucidacConnection {
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #splitter = new FrameSplitter();
  readonly #waiting = new Map<string, Waiting>();
  readonly #pings: Waiting[] = [];
  #first = new Uint8Array(0);
  #listener: ((message: Message) => void) | undefined;
  #lost: ThermolinkError | undefined;
  /** Called once when the connection ends. */
  #onLost: ((error: ThermolinkError) => void) | undefined;
  /** Number of messages that could not be read. */
  badMessages = 0;
  /** Bytes sent so far. */
  bytesSent = 0;
  /** Whether at least one message could be read. */
  #isUnderstood = false;

  constructor(port: Port, clock: Clock, log: Logger) {
    this.#port = port;
    this.#log = log;
    this.#clock = clock;
    port.onData((bytes) => this.#receive(bytes));
    port.onClose((reason) => this.#fail(lostError(this.name, this.badMessages, reason)));
  }

  get name(): string {
    return this.#port.name;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** The first bytes that arrived, at most 24. */
  get firstBytes(): Uint8Array {
    return this.#first;
  }

  /** Sends raw bytes without a frame. Errors: none; the next wait reports a lost connection. */
  writeRaw(bytes: Uint8Array): void {
    void this.#port.write(bytes).catch(() => undefined);
  }

  /**
   * Listens to messages that the machine sends on its own, until the returned function is called. There is
   * one listener at a time. `onLost` is called when the connection ends.
   */
  listen(listener: (message: Message) => void, onLost: (error: ThermolinkError) => void): () => void {
    this.#listener = listener;
    this.#onLost = onLost;
    if (this.#lost !== undefined) onLost(this.#lost);
    return () => {
      this.#listener = undefined;
      this.#onLost = undefined;
    };
  }

  /**
   * Sends a command and returns its answer. A machine that is busy is asked again until the deadline.
   *
   * Errors: BUSY, DEVICE_REFUSED with the machine's text, TIMEOUT, LINK_LOST, NOT_A_BOARD, ABORTED.
   */
  async request<C extends Command>(
    command: C,
    body: InitialBody<'Message'>[C],
    { timeoutMs, signal }: WaitOptions,
  ): Promise<Answer<C>> {
    const startMs = this.#clock.nowMs();
    const deadlineMs = startMs + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - this.#clock.nowMs();
      const answer = await this.#exchange(command, { id: randomUUID(), [command]: body }, leftMs, signal);
      this.#log.debug(
        { command, ms: this.#clock.nowMs() - startMs, busy: answer.busy !== undefined },
        'answered',
      );
      if (answer.busy === undefined) return this.#answerOf(command, answer);
      if (deadlineMs - this.#clock.nowMs() <= BUSY_RETRY_MS) throw busyError(this.name);
      await this.wait(BUSY_RETRY_MS, signal);
    }
  }

  /** The round trip of an empty message, ms. Errors: those of `request` without BUSY and DEVICE_REFUSED. */
  async ping({ timeoutMs, signal }: WaitOptions): Promise<number> {
    const startMs = this.#clock.nowMs();
    await this.#settled('ping', timeoutMs, signal, (waiting) => {
      this.#pings.push(waiting);
      this.#send(encode('Envelope', { generic: { pingCommand: {} } }));
      return () => void this.#pings.splice(this.#pings.indexOf(waiting) >>> 0, 1);
    });
    return this.#clock.nowMs() - startMs;
  }

  /** Waits. Errors: ABORTED. */
  async wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(abortError(signal!));
      };
      const cancel = this.#clock.schedule(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  async close(): Promise<void> {
    await this.#port.close();
  }

  #exchange(
    what: Question,
    message: InitialBody<'Message'> & { readonly id: string },
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Message> {
    return this.#settled(what, timeoutMs, signal, (waiting) => {
      this.#waiting.set(message.id, waiting);
      this.#send(encode('Envelope', { message }));
      return () => this.#waiting.delete(message.id);
    });
  }

  /**
   * Calls `begin`, which sends a question, and waits for the answer. `begin` returns a function that removes
   * the question.
   */
  async #settled(
    what: Question,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    begin: (waiting: Waiting) => () => void,
  ): Promise<Message> {
    throwIfAborted(signal);
    if (this.#lost !== undefined) throw this.#lost;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel();
        forget();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: ThermolinkError): void => {
        end();
        reject(error);
      };
      const onAbort = (): void => fail(abortError(signal!));
      const cancel = this.#clock.schedule(timeoutMs, () => fail(this.#silenceError(what, timeoutMs)));
      signal?.addEventListener('abort', onAbort, { once: true });
      const forget = begin({
        fail,
        settle: (message) => {
          end();
          resolve(message);
        },
      });
    });
  }

  #silenceError(what: Question, timeoutMs: number): ThermolinkError {
    if (!this.#isUnderstood && this.#first.length > 0) return notABoardError(this.name, this.#first);
    const { name, badMessages } = this;
    return silenceError(what, { name, timeoutMs, badMessages, isUnderstood: this.#isUnderstood });
  }

  #send(message: Uint8Array): void {
    const frame = framed(message);
    this.bytesSent += frame.length;
    // This chain stays short, because commands are small and wait for their answers. If the port closes,
    // `onClose` ends every wait.
    this.#writes = this.#writes.then(() => this.#port.write(frame)).catch(() => undefined);
  }

  #writes: Promise<void> = Promise.resolve();

  #receive(bytes: Uint8Array): void {
    if (this.#lost !== undefined) return;
    if (this.#first.length < FIRST_BYTES)
      this.#first = Buffer.concat([this.#first, bytes.slice(0, FIRST_BYTES - this.#first.length)]);
    const messages = this.#splitter.push(bytes);
    if (messages === undefined) {
      this.#fail(notABoardError(this.name, this.#first));
      void this.close();
      return;
    }
    for (const message of messages) this.#take(message);
  }

  #take(bytes: Uint8Array): void {
    const envelope = decode('Envelope', bytes);
    if (envelope === undefined) {
      this.#log.warn({ bytes: bytes.length }, 'a message cannot be read');
      this.badMessages++;
      return;
    }
    const { generic, message } = envelope;
    this.#isUnderstood ||= generic !== undefined || message !== undefined;
    if (generic?.pingResponse !== undefined) this.#pings[0]?.settle({ id: '' });
    if (message === undefined) return;
    const waiting = this.#waiting.get(message.id);
    if (waiting !== undefined) waiting.settle(message);
    else this.#listener?.(message);
  }

  #answerOf<C extends Command>(command: C, message: Message): Answer<C> {
    if (message.error !== undefined) throw refusedError(command, message.error);
    // The answer to some commands is only "success".
    const answer: unknown = message[ANSWERS[command]] ?? {};
    return answer as Answer<C>;
  }

  #fail(error: ThermolinkError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    for (const { fail } of [...this.#waiting.values(), ...this.#pings]) fail(error);
    this.#onLost?.(error);
  }
}
