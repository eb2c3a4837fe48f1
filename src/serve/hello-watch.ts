import { equalBytes } from '../../firmware-protocol/bytes.js';
import { decodeToDevice, encodeEvent } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_BEFORE_HELLO } from '../../firmware-protocol/limits.js';
import type { Command } from '../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';

const DELIMITER = new Uint8Array(1);

export interface SeenHello {
  readonly fields: Command<'hello'>;
  /** A delimiter, the HELLO and all bytes after it. They are passed to the board. */
  readonly bytes: Uint8Array;
}

/**
 * Waits for the HELLO of a client that has no board yet, and ignores everything else. Its memory is bounded.
 */
export class HelloWatch {
  readonly #decoder = new FrameDecoder(FRAME_BYTES_BEFORE_HELLO);
  /** Whether bytes have arrived since the last delimiter. */
  #inFrame = false;

  push(chunk: Uint8Array): SeenHello | undefined {
    for (let start = 0; start < chunk.length; ) {
      // Empty frames are skipped; a line may send many of them.
      if (!this.#inFrame && chunk[start] === 0) {
        start++;
        continue;
      }
      const zero = chunk.indexOf(0, start);
      const end = zero < 0 ? chunk.length : zero + 1;
      for (const item of this.#decoder.push(chunk.subarray(start, end))) {
        const fields = item.kind === 'frame' ? helloFields(item.frame) : undefined;
        if (fields && item.kind === 'frame')
          return { fields, bytes: concat(DELIMITER, encodeFrame(item.frame), chunk.subarray(end)) };
      }
      start = end;
      this.#inFrame = zero < 0;
    }
    return undefined;
  }
}

function helloFields({ channel, payload }: Frame): Command<'hello'> | undefined {
  if (channel !== CHANNEL.open) return undefined;
  const message = decodeToDevice(payload);
  return message.kind === 'command' && message.name === 'hello' ? message.fields : undefined;
}

/** Whether a board of this release speaks the version of a HELLO (protocol.md, "Versions"). */
export function speaksOurVersion({ major, minor, tableHash }: Command<'hello'>): boolean {
  return major === PROTOCOL_MAJOR && (minor !== PROTOCOL_MINOR || equalBytes(tableHash, TABLE_HASH));
}

/** The BUSY answer to a client while another client has the board (protocol.md, "One client at a time"). */
export function busyAnswer({ nonce }: Command<'hello'>): Uint8Array {
  const payload = encodeEvent('helloRefused', 0, {
    nonce,
    reason: REFUSAL.busy,
    major: PROTOCOL_MAJOR,
    minor: PROTOCOL_MINOR,
    tableHash: TABLE_HASH,
  });
  const frame = encodeFrame({ channel: CHANNEL.open, session: 0, flags: 0, seq: 0, ack: 0, payload });
  return concat(DELIMITER, frame);
}

/** Returns a plain Uint8Array, because `slice` of a Buffer shares its memory. */
function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
