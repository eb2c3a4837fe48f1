/** Longest accepted message. The longest message of a LUCIDAC has about a tenth of this length. */
export const MESSAGE_BYTES_MAX = 2 ** 20;
/** A length below 2²¹ takes at most three bytes. */
const LENGTH_BYTES_MAX = 3;

/** Returns the message with its length in front, as a varint. */
export function framed(message: Uint8Array): Uint8Array {
  const head: number[] = [];
  let rest = message.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) head.push((rest % 0x80) | 0x80);
  head.push(rest);
  const frame = new Uint8Array(head.length + message.length);
  frame.set(head);
  frame.set(message, head.length);
  return frame;
}

/**
 * Cuts a stream into messages. Each message follows its length, which is a varint. At most one unfinished
 * message is kept; its memory grows only with the bytes that have arrived.
 */
export class FrameSplitter {
  #head: number[] = [];
  #left = 0;
  #parts: Uint8Array[] = [];

  /**
   * Returns the messages that `bytes` complete, or undefined for an impossible length. The stream cannot be
   * read after an impossible length.
   */
  push(bytes: Uint8Array): Uint8Array[] | undefined {
    const messages: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        const byte = bytes[at++];
        this.#head.push(byte);
        if (byte >= 0x80) {
          if (this.#head.length === LENGTH_BYTES_MAX) return undefined;
          continue;
        }
        this.#left = this.#head.reduceRight((length, part) => length * 0x80 + (part & 0x7f), 0);
        this.#head = [];
        if (this.#left > MESSAGE_BYTES_MAX) return undefined;
        continue;
      }
      const part = bytes.slice(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      this.#parts.push(part);
      if (this.#left > 0) continue;
      messages.push(this.#parts.length === 1 ? part : Buffer.concat(this.#parts));
      this.#parts = [];
    }
    return messages;
  }
}
