import {
  decodeToDevice,
  decodeToHost,
  encodeAnswer,
  encodeCommand,
  encodeEvent,
  type ToDevice,
  type ToHost,
} from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../firmware-protocol/limits.js';
import type { Port } from '../../firmware-protocol/port.js';

/** A frame on its way, and its message. `message` is undefined if the payload is not a message. */
export interface Passing<M> {
  readonly frame: Frame;
  readonly message: M | undefined;
  /** Number of delimiters directly before the frame. */
  readonly delimiters: number;
}

/**
 * A board with one bug. The bug is made by changes of the frames between a good board and its host. A hook
 * that is left out changes nothing.
 */
export interface Mutation {
  /** The frames that the board hears in place of a frame from the host. */
  readonly toDevice?: (passing: Passing<ToDevice>) => readonly Frame[];
  /** The frames that the host hears in place of a frame from the board; `[]` for none. */
  readonly toHost?: (passing: Passing<ToHost>) => readonly Frame[];
  /** The bytes that the board hears in place of a block that is not a frame. */
  readonly rubbish?: (bytes: Uint8Array) => readonly Uint8Array[];
  /** Changes the bytes to the board before they are split into frames. */
  readonly bytesToDevice?: (bytes: Uint8Array) => Uint8Array;
  readonly bytesToHost?: (bytes: Uint8Array) => Uint8Array;
  /** Changes the number of delimiters before a frame to the host. */
  readonly delimiters?: (count: number) => number;
  /** Called at the start with a function that sends one more frame to the host. */
  readonly start?: (say: (frame: Frame) => void) => void;
  /** When the close of the host reaches the board. Default: at once. */
  readonly closes?: 'late' | 'never';
  /** The answer to the host's question whether the port is closed. */
  readonly isClosed?: false;
}

/** Splits a stream into the blocks between delimiters, and counts the delimiters before each block. */
class Splitter {
  #bytes: number[] = [];
  #delimiters = 0;

  push(chunk: Uint8Array, take: (block: Uint8Array, delimiters: number) => void): void {
    for (const byte of chunk) {
      if (byte !== 0) this.#bytes.push(byte);
      else if (this.#bytes.length === 0) this.#delimiters++;
      else {
        const block = Uint8Array.from(this.#bytes);
        this.#bytes = [];
        take(block, this.#delimiters);
        this.#delimiters = 0;
      }
    }
  }
}

const frameOf = (block: Uint8Array): Frame | undefined => {
  const [item] = new FrameDecoder(FRAME_BYTES_MAX).push(Uint8Array.of(...block, 0));
  return item?.kind === 'frame' ? item.frame : undefined;
};

/** Longer than a server waits for a connection to close. */
const LATE_MS = 1000;

/** A port to a board that has the bug. */
export function mutantPort(port: Port, mutation: Mutation): Port {
  const { toDevice, toHost, rubbish, delimiters, bytesToDevice, bytesToHost } = mutation;
  const [down, up] = [new Splitter(), new Splitter()];
  const rewritesDown = toDevice ?? rubbish;
  const rewritesUp = toHost ?? delimiters;
  const same = ({ frame }: { readonly frame: Frame }): readonly Frame[] => [frame];

  const toBoard = (chunk: Uint8Array): Uint8Array => {
    const bytes = bytesToDevice?.(chunk) ?? chunk;
    if (!rewritesDown) return bytes;
    const out: Uint8Array[] = [];
    down.push(bytes, (block, before) => {
      const frame = frameOf(block);
      if (frame === undefined) {
        for (const piece of rubbish?.(block) ?? [block]) out.push(piece, Uint8Array.of(0));
        return;
      }
      const decoded = decodeToDevice(frame.payload);
      const message = decoded.kind === 'bad' ? undefined : decoded;
      out.push(new Uint8Array(before));
      for (const one of (toDevice ?? same)({ frame, message, delimiters: before }))
        out.push(encodeFrame(one).slice());
    });
    return Buffer.concat(out);
  };

  return {
    name: port.name,
    frameBytesMax: port.frameBytesMax,
    get closed() {
      return mutation.isClosed ?? port.closed;
    },
    onData: (receiver) => {
      mutation.start?.((frame) => receiver(encodeFrame(frame).slice()));
      port.onData((chunk) => {
        const bytes = bytesToHost?.(chunk) ?? chunk;
        if (!rewritesUp) {
          if (bytes.length > 0) receiver(bytes);
          return;
        }
        const out: Uint8Array[] = [];
        up.push(bytes, (block, before) => {
          const frame = frameOf(block);
          if (frame === undefined) return;
          const decoded = decodeToHost(frame.payload);
          const message = decoded.kind === 'bad' ? undefined : decoded;
          out.push(new Uint8Array(delimiters?.(before) ?? before));
          for (const one of (toHost ?? same)({ frame, message, delimiters: before }))
            out.push(encodeFrame(one).slice());
        });
        const all = Buffer.concat(out);
        if (all.length > 0) receiver(all);
      });
    },
    onClose: (receiver) => port.onClose(receiver),
    write: async (chunk) => {
      const bytes = toBoard(chunk);
      if (bytes.length > 0) await port.write(bytes);
    },
    close: async () => {
      if (mutation.closes === 'late') setTimeout(() => void port.close(), LATE_MS);
      else if (mutation.closes !== 'never') await port.close();
    },
  };
}

/** The payload of a message, with some fields changed. */
export function withFields(
  message: ToDevice | ToHost,
  change: object,
  requestId = message.requestId,
): Uint8Array {
  const fields = { ...message.fields, ...change } as never;
  const name = message.name as never;
  if (message.kind === 'answer') return encodeAnswer(name, requestId, fields);
  return message.kind === 'command'
    ? encodeCommand(name, requestId, fields)
    : encodeEvent(name, requestId, fields);
}

/** Changes fields of every message of this name and kind that the host hears. */
export function lies(name: ToHost['name'], change: (fields: never) => object): Pick<Mutation, 'toHost'> {
  return {
    toHost: ({ frame, message }) =>
      message?.name === name
        ? [{ ...frame, payload: withFields(message, change(message.fields as never)) }]
        : [frame],
  };
}

/**
 * Changes fields of every message of this name that the board hears. The board then ignores the request of
 * the host.
 */
export function ignores(
  name: ToDevice['name'],
  change: (fields: never) => object,
): Pick<Mutation, 'toDevice'> {
  return {
    toDevice: ({ frame, message }) =>
      message?.name === name
        ? [{ ...frame, payload: withFields(message, change(message.fields as never)) }]
        : [frame],
  };
}

/** Replaces the reason `from` of refusals by the reason `to`. */
export function refusesAs(from: number, to: number): Pick<Mutation, 'toHost'> {
  return lies('refusal', ({ reason }: { reason: number }) => (reason === from ? { reason: to } : {}));
}

/** Whether a frame is one of the command channel with a message. */
export function isCommand({ channel, payload }: Frame): boolean {
  return channel === CHANNEL.command && payload.length > 0;
}
