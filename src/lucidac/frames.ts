/** A message beyond this length is no message: the longest that a LUCIDAC has cause to send is a tenth. */
export const MESSAGE_BYTES_MAX = 2 ** 20;
/** A length below 2²¹ takes at most three bytes. */
const LENGTH_BYTES_MAX = 3;

/** Puts its length before a message, as a varint. */
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
 * Cuts a stream into messages, each after its length as a varint. It keeps at most one unfinished message, of
 * which it stores no more bytes than have arrived.
 */
export class FrameSplitter {
  #head: number[] = [];
  #left = 0;
  #parts: Uint8Array[] = [];

  /**
   * The messages that `bytes` complete, or undefined for a length that no message has. Nothing that follows
   * such a length means anything.
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
