import { randomBytes } from 'node:crypto';
import { decodeToHost, encodeCommand, encodeEvent, type ToHost } from '../../firmware-protocol/codec.js';
import {
  CHANNEL,
  type Channel,
  encodeFrame,
  type Frame,
  FrameDecoder,
} from '../../firmware-protocol/framing.js';
import type {
  Answer,
  Command,
  CommandName,
  Event,
  EventName,
} from '../../firmware-protocol/messages/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { helloFields } from '../../src/driver/hello.js';

/**
 * Every answer takes less than this time, even on a slow line and a busy machine. Emulated microcontrollers
 * are the slowest boards.
 */
const DEADLINE_MS = process.env['THERMOLINK_TEST_HIL'] === undefined ? 10_000 : 120_000;
const FRAME_BYTES = 65536;

export type Said = ToHost | { readonly kind: 'acknowledgement'; readonly name: 'acknowledgement' };
/** A received message and the header of its frame. */
export interface Heard {
  readonly message: Said;
  readonly frame: Omit<Frame, 'payload'>;
}

/**
 * A host that writes single frames in real time, without the driver. It acknowledges frames that arrive in
 * order, unless a test switches this off. It keeps all received frames.
 */
export class RawHost {
  readonly heard: Heard[] = [];
  /** Whether command frames of the device are acknowledged as they come. */
  acknowledges = true;
  nonce: Uint8Array = new Uint8Array(8);
  seq = 0;
  requestId = 0;
  /** The number of the last command frame of the device that came in order. 65535 if none has come. */
  ack = 65535;
  readonly port: Port;
  readonly #decoder = new FrameDecoder(FRAME_BYTES);
  #writing: Promise<unknown> = Promise.resolve();
  #read = 0;
  #wake: () => void = () => undefined;

  constructor(port: Port) {
    this.port = port;
    port.onData((bytes) => {
      for (const item of this.#decoder.push(bytes)) if (item.kind === 'frame') this.#take(item.frame);
      this.#wake();
    });
    port.onClose(() => this.#wake());
    // The delimiter ends a frame that earlier bytes may have begun at the device.
    this.write(Uint8Array.of(0));
  }

  #take({ payload, ...frame }: Frame): void {
    const isCommand = frame.channel === CHANNEL.command;
    if (payload.length === 0) {
      this.heard.push({ message: { kind: 'acknowledgement', name: 'acknowledgement' }, frame });
      return;
    }
    const message = decodeToHost(payload);
    if (message.kind === 'bad')
      throw new Error(`the device sent a payload that is not a message: ${message.reason}`);
    if (isCommand && this.acknowledges) {
      const repeated = frame.seq !== ((this.ack + 1) & 0xffff);
      if (!repeated) this.ack = frame.seq;
      this.write(this.frame(CHANNEL.command, this.seq, new Uint8Array(0)));
      if (repeated) return;
    }
    this.heard.push({ message: copied(message), frame });
  }

  /** Sends bytes unchanged. */
  write(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      const bytes = chunk.slice();
      // A call that waits for an answer gets the error that the port has closed.
      this.#writing = this.#writing.then(() => this.port.write(bytes)).catch(() => undefined);
    }
  }

  frame(channel: Channel, seq: number, payload: Uint8Array, change: Partial<Frame> = {}): Uint8Array {
    const header = { channel, session: this.nonce[0], flags: 0, seq: seq & 0xffff, ack: this.ack };
    return encodeFrame({ ...header, payload, ...change }).slice();
  }

  /** The frame of the next command of the session. */
  command<N extends CommandName>(name: N, fields: Command<N>, requestId = ++this.requestId): Uint8Array {
    return this.frame(CHANNEL.command, this.seq++, encodeCommand(name, requestId, fields));
  }

  stop(stopNumber: number, lastRequestId = this.requestId, nonce = this.nonce): Uint8Array {
    return this.frame(CHANNEL.stop, 0, encodeCommand('stop', 0, { nonce, stopNumber, lastRequestId }));
  }

  event<N extends EventName>(name: N, fields: Event<N>): Uint8Array {
    return this.frame(CHANNEL.sample, 0, encodeEvent(name, 0, fields));
  }

  helloFrame(nonce: Uint8Array, change: Partial<Command<'hello'>> = {}): Uint8Array {
    const payload = encodeCommand('hello', 0, { ...helloFields(nonce, FRAME_BYTES), ...change });
    return this.frame(CHANNEL.open, 0, payload, { session: 0, ack: 0 });
  }

  /** Begins a session: the counts of frames and requests begin anew. */
  begin(nonce: Uint8Array = newNonce()): Uint8Array {
    this.nonce = nonce;
    this.seq = 0;
    this.requestId = 0;
    this.ack = 65535;
    return nonce;
  }

  /** Opens a session. Returns the board's answer to HELLO. */
  async hello(change: Partial<Command<'hello'>> = {}): Promise<Answer<'hello'>> {
    const frame = this.helloFrame(this.begin(), change);
    this.write(frame);
    const { message } = await this.next(({ name }) => name === 'hello' || name === 'helloRefused');
    if (message.name !== 'hello') {
      const { fields } = message as unknown as { fields: Event<'helloRefused'> };
      throw new Error(`HELLO was refused for reason ${fields.reason}`);
    }
    return (message as unknown as { fields: Answer<'hello'> }).fields;
  }

  /** Sends a command. Returns its answer or refusal; other messages before it are skipped. */
  async ask<N extends CommandName>(name: N, fields: Command<N>): Promise<AnswerOrRefusal<N>> {
    this.write(this.command(name, fields));
    return this.answer<N>(this.requestId);
  }

  async answer<N extends CommandName>(requestId: number): Promise<AnswerOrRefusal<N>> {
    const { message } = await this.next(
      (said) =>
        'requestId' in said && said.requestId === requestId && said.name !== 'runEnded' && requestId > 0,
    );
    return message as unknown as AnswerOrRefusal<N>;
  }

  /** The next event of this name. */
  async nextEvent<N extends EventName>(name: N): Promise<Event<N>> {
    const { message } = await this.next((said) => said.name === name);
    return (message as unknown as { fields: Event<N> }).fields;
  }

  /**
   * The next message for which `fits` is true, after the message that the last call returned. Fails at the
   * deadline.
   */
  async next(fits: (message: Said, frame: Omit<Frame, 'payload'>) => boolean): Promise<Heard> {
    const untilMs = performance.now() + DEADLINE_MS;
    for (;;) {
      while (this.#read < this.heard.length) {
        const heard = this.heard[this.#read++];
        if (fits(heard.message, heard.frame)) return heard;
      }
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0 || this.port.closed)
        throw new Error(`it did not come${this.port.closed ? ', the port has closed' : ''}: ${this.#tail()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /**
   * Marks everything heard so far as read. Returns the names of all messages that are heard until the board
   * has nothing more to say to `work`. Answers go before samples, so one ping is not enough to know that.
   */
  async until(work: () => void): Promise<string[]> {
    this.#read = this.heard.length;
    const from = this.#read;
    work();
    for (let token = 0; token < 2; token++) await this.ask('ping', { token });
    return this.heard
      .slice(from, this.#read)
      .map(({ message }) => message.name)
      .filter((name) => name !== 'acknowledgement' && name !== 'ping');
  }

  #tail(): string {
    return JSON.stringify(this.heard.slice(-8).map(({ message }) => message.name));
  }
}

export type AnswerOrRefusal<N extends CommandName> =
  | { readonly kind: 'answer'; readonly name: N; readonly requestId: number; readonly fields: Answer<N> }
  | {
      readonly kind: 'event';
      readonly name: 'refusal';
      readonly requestId: number;
      readonly fields: Event<'refusal'>;
    };

let lastFirstByte = randomBytes(1)[0];

/**
 * A nonce whose first byte differs from those of the last 254 nonces. Boards refuse a nonce with the first
 * byte of a recent nonce.
 */
export function newNonce(): Uint8Array {
  const nonce = new Uint8Array(randomBytes(8));
  lastFirstByte = (lastFirstByte % 255) + 1;
  nonce[0] = lastFirstByte;
  return nonce;
}

/** Copies the bytes of a message, which stay in the decoder's buffer only until the next message. */
function copied(message: ToHost): ToHost {
  const fields = Object.fromEntries(
    Object.entries(message.fields).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? value.slice() : value,
    ]),
  );
  return { ...message, fields } as ToHost;
}
