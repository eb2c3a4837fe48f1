import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../../firmware-protocol/clock.js';
import {
  decodeToHost,
  encodeCommand,
  encodeEvent,
  type ToHost,
} from '../../../../firmware-protocol/codec.js';
import {
  CHANNEL,
  type Channel,
  encodeFrame,
  type Frame,
  FrameDecoder,
} from '../../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../../../firmware-protocol/limits.js';
import type {
  Answer,
  Command,
  CommandName,
  Event,
  EventName,
} from '../../../../firmware-protocol/messages/index.js';
import type { Port } from '../../../../firmware-protocol/port.js';
import { helloFields } from '../../../driver/hello.js';
import { abortError } from '../../../errors.js';

/** Longest time that a board may take for an answer, ms. */
const ANSWER_MS = 5000;
/** Largest number of received frames that are kept. The session of one clause has far fewer. */
const HEARD_MAX = 20_000;

/** A behaviour that the protocol does not allow, found by a clause. */
export class Violation extends Error {}

export interface Heard {
  /** Undefined for a frame without payload. */
  readonly message: ToHost | undefined;
  readonly name: string | undefined;
  readonly frame: Omit<Frame, 'payload'>;
  readonly payload: Uint8Array;
  /** Number of delimiters directly before this frame, without the delimiter that ends the previous frame. */
  readonly delimiters: number;
  readonly atMs: number;
  /**
   * Whether the board sent this command frame before. A board sends a frame again if an acknowledgement is
   * late or lost.
   */
  readonly repeated: boolean;
}

export type Said<N extends CommandName> =
  | { readonly refusal: undefined; readonly fields: Answer<N> }
  | { readonly refusal: Event<'refusal'>; readonly fields: undefined };

let lastFirstByte = randomBytes(1)[0];

/**
 * A nonce whose first byte differs from those of the last 254 nonces. Boards refuse a nonce with the first
 * byte of a recent nonce.
 */
export function freshNonce(): Uint8Array {
  const nonce = new Uint8Array(randomBytes(8));
  lastFirstByte = (lastFirstByte % 255) + 1;
  nonce[0] = lastFirstByte;
  return nonce;
}

/**
 * A host that writes single frames and hears every frame that comes, so it can do things that no driver does.
 * By default it acknowledges command frames in order. Errors: `Violation` if a frame does not come in time or
 * is not a message; ABORTED.
 */
export class WireHost {
  readonly port: Port;
  readonly clock: Clock;
  readonly #signal: AbortSignal;
  /** Every frame of this session, in order. */
  heard: Heard[] = [];
  /** The last byte that came. */
  lastByte = -1;
  acknowledges = true;
  nonce: Uint8Array = new Uint8Array(8);
  seq = 0;
  requestId = 0;
  /** The number of the last command frame of the board that came in order. */
  ack = 65535;
  #read = 0;
  /** The number of the board's next new command frame. */
  #nextSeq = 0;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX);
  #pending = 0;
  #delimiters = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;
  #fault: Violation | undefined;

  constructor(port: Port, clock: Clock, signal: AbortSignal) {
    this.port = port;
    this.clock = clock;
    this.#signal = signal;
    port.onData((bytes) => this.#receive(bytes));
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort);
    port.onClose(() => {
      signal.removeEventListener('abort', onAbort);
      this.#wake();
    });
    this.write(Uint8Array.of(0));
  }

  #receive(bytes: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      this.lastByte = bytes[at];
      if (bytes[at] !== 0) {
        this.#pending++;
        continue;
      }
      if (this.#pending === 0) this.#delimiters++;
      else {
        this.#decoder.decode(bytes.subarray(start, at + 1), (item) => {
          if (item.kind === 'frame') this.#take(item.frame);
        });
        this.#delimiters = 0;
      }
      this.#pending = 0;
      start = at + 1;
    }
    if (start < bytes.length) this.#decoder.decode(bytes.subarray(start), () => undefined);
    this.#wake();
  }

  #take({ payload, ...frame }: Frame): void {
    if (frame.channel !== CHANNEL.open && frame.session !== this.nonce[0]) return;
    const kept = payload.slice();
    const message = kept.length === 0 ? undefined : decodeToHost(kept);
    if (message?.kind === 'bad') {
      this.#fault ??= new Violation(`the board sent a payload that is not a message: ${message.reason}`);
      return;
    }
    const isCommand = frame.channel === CHANNEL.command && message !== undefined;
    const repeated = isCommand && ((this.#nextSeq - frame.seq - 1) & 0xffff) < 0x8000;
    if (isCommand && !repeated) this.#nextSeq = (frame.seq + 1) & 0xffff;
    const heard = { message, name: message?.name, frame, payload: kept, repeated };
    if (this.heard.length < HEARD_MAX)
      this.heard.push({ ...heard, delimiters: this.#delimiters, atMs: this.clock.nowMs() });
    if (!isCommand || !this.acknowledges) return;
    if (frame.seq === ((this.ack + 1) & 0xffff)) this.ack = frame.seq;
    this.acknowledge();
  }

  /** Sends a frame that only acknowledges. */
  acknowledge(change: Partial<Frame> = {}): void {
    this.write(this.frame(CHANNEL.command, this.seq, new Uint8Array(0), change));
  }

  /** Sends the bytes unchanged, as one chunk. */
  write(...chunks: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(Buffer.concat(chunks));
    // A failed write is ignored here: calls that wait for an answer notice that the port has closed.
    this.#writing = this.#writing.then(() => this.port.write(bytes)).catch(() => undefined);
  }

  frame(channel: Channel, seq: number, payload: Uint8Array, change: Partial<Frame> = {}): Uint8Array {
    const header = { channel, session: this.nonce[0], flags: 0, seq: seq & 0xffff, ack: this.ack };
    return encodeFrame({ ...header, payload, ...change }).slice();
  }

  /** The frame of the next command. */
  command<N extends CommandName>(name: N, fields: Command<N>, requestId = ++this.requestId): Uint8Array {
    return this.payloadFrame(encodeCommand(name, requestId, fields));
  }

  /** The next frame of the command channel, with any payload. */
  payloadFrame(payload: Uint8Array): Uint8Array {
    return this.frame(CHANNEL.command, this.seq++, payload);
  }

  stop(
    stopNumber: number,
    lastRequestId = this.requestId,
    change: { nonce?: Uint8Array; seq?: number } = {},
  ) {
    const fields = { nonce: change.nonce ?? this.nonce, stopNumber, lastRequestId };
    return this.frame(CHANNEL.stop, change.seq ?? 0, encodeCommand('stop', 0, fields));
  }

  event<N extends EventName>(name: N, fields: Event<N>): Uint8Array {
    return this.frame(CHANNEL.sample, 0, encodeEvent(name, 0, fields));
  }

  helloPayload(nonce: Uint8Array, change: Partial<Command<'hello'>> = {}): Uint8Array {
    return encodeCommand('hello', 0, { ...helloFields(nonce, FRAME_BYTES_MAX), ...change });
  }

  helloFrame(nonce: Uint8Array, change: Partial<Command<'hello'>> = {}): Uint8Array {
    return this.openFrame(this.helloPayload(nonce, change));
  }

  openFrame(payload: Uint8Array, change: Partial<Frame> = {}): Uint8Array {
    return Buffer.concat([
      Uint8Array.of(0),
      this.frame(CHANNEL.open, 0, payload, { session: 0, ack: 0, ...change }),
    ]);
  }

  /** Begins to count frames and requests anew, for a session with this nonce. */
  begin(nonce: Uint8Array = freshNonce()): Uint8Array {
    this.nonce = nonce;
    this.seq = 0;
    this.requestId = 0;
    this.ack = 65535;
    this.#nextSeq = 0;
    this.acknowledges = true;
    this.heard = [];
    this.#read = 0;
    return nonce;
  }

  /** Opens a session in which the clause is checked. */
  async hello(change: Partial<Command<'hello'>> = {}): Promise<Answer<'hello'>> {
    const nonce = this.begin();
    this.write(this.helloFrame(nonce, change));
    return this.helloAnswer();
  }

  /** The next answer to HELLO. Throws when HELLO is refused. */
  async helloAnswer(): Promise<Answer<'hello'>> {
    const { message } = await this.next(
      ({ name }) => name === 'hello' || name === 'helloRefused',
      'an answer to HELLO',
    );
    if (message?.kind === 'answer' && message.name === 'hello') return message.fields;
    const reason = message?.kind === 'event' && message.name === 'helloRefused' ? message.fields.reason : '';
    throw new Violation(`HELLO was refused for the reason ${reason}`);
  }

  /** The next refusal of HELLO. Throws when HELLO is answered. */
  async helloRefusal(): Promise<Event<'helloRefused'>> {
    const { message } = await this.next(
      ({ name }) => name === 'hello' || name === 'helloRefused',
      'a refusal of HELLO',
    );
    if (message?.kind === 'event' && message.name === 'helloRefused') return message.fields;
    throw new Violation('HELLO was answered, not refused');
  }

  async ask<N extends CommandName>(name: N, fields: Command<N>): Promise<Said<N>> {
    this.write(this.command(name, fields));
    return this.answer<N>(this.requestId, name);
  }

  /** The answer or refusal of a request. */
  async answer<N extends CommandName>(requestId: number, what = `request ${requestId}`): Promise<Said<N>> {
    const { message } = await this.next(
      ({ message: said, repeated }) =>
        said !== undefined &&
        !repeated &&
        said.requestId === requestId &&
        (said.kind === 'answer' || said.name === 'refusal'),
      `an answer to ${what}`,
    );
    const said = message as unknown as { readonly name: string; readonly fields: never };
    return said.name === 'refusal'
      ? { refusal: said.fields, fields: undefined }
      : { refusal: undefined, fields: said.fields };
  }

  /** The next event of this name. */
  async nextEvent<N extends EventName>(name: N, withinMs = ANSWER_MS): Promise<Event<N>> {
    const { message } = await this.next((heard) => heard.name === name && !heard.repeated, name, withinMs);
    return (message as unknown as { readonly fields: Event<N> }).fields;
  }

  /** All events of this name in this session so far. */
  events<N extends EventName>(name: N): Event<N>[] {
    return this.heard.flatMap(({ message, repeated }) =>
      message?.kind === 'event' && message.name === name && !repeated
        ? [message.fields as unknown as Event<N>]
        : [],
    );
  }

  /** Returns the first frame for which `fits` is true, after the frames that earlier calls have passed. */
  async next(fits: (heard: Heard) => boolean, what: string, withinMs = ANSWER_MS): Promise<Heard> {
    const untilMs = this.clock.nowMs() + withinMs;
    for (;;) {
      while (this.#read < this.heard.length) {
        const heard = this.heard[this.#read++];
        if (fits(heard)) return heard;
      }
      await this.#moment(untilMs, what);
    }
  }

  /** Marks everything that was heard as read. */
  skip(): void {
    this.#read = this.heard.length;
  }

  /** Lets time pass. */
  async wait(forMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.clock.schedule(forMs, end);
      this.#signal.addEventListener('abort', end);
    });
    if (this.#signal.aborted) throw abortError(this.#signal);
  }

  /**
   * Waits for the answers to two pings, one after the other. Answers overtake samples, so samples that wait
   * come only before the second answer.
   */
  async settle(): Promise<void> {
    for (let token = 0; token < 2; token++) await this.ask('ping', { token });
  }

  async #moment(untilMs: number, what: string): Promise<void> {
    if (this.#signal.aborted) throw abortError(this.#signal);
    if (this.#fault) {
      const fault = this.#fault;
      this.#fault = undefined;
      throw fault;
    }
    const leftMs = untilMs - this.clock.nowMs();
    if (this.port.closed) throw new Violation(`${what} did not come: the port has closed`);
    if (leftMs <= 0) throw new Violation(`${what} did not come`);
    await new Promise<void>((resolve) => {
      const cancel = this.clock.schedule(leftMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
