/**
 * The subset of MessagePack that the protocol uses (protocol.md, "Payloads"): integers in shortest form (u64
 * below 2⁵³), strings up to TEXT_BYTES_MAX, `bin`, and arrays up to ARRAY_ITEMS_MAX, nested up to
 * ARRAY_DEPTH_MAX. A check of the bytes rejects everything else before the library gets them; it allocates
 * nothing. With the library's defaults a message of 40 bytes would cost 1.7 GB and 6 s.
 */
import { Decoder, Encoder } from '@msgpack/msgpack';
import { ARRAY_DEPTH_MAX, ARRAY_ITEMS_MAX, FRAME_BYTES_MAX, TEXT_BYTES_MAX } from './limits.js';

export type WireValue = number | string | Uint8Array | WireValue[];

export type Unpacked =
  | { readonly ok: true; readonly value: WireValue }
  | { readonly ok: false; readonly reason: string };

const NOT_UTF8 = 'text is not UTF-8';

const encoder = new Encoder({ maxDepth: ARRAY_DEPTH_MAX + 1, initialBufferSize: 256 });
const decoder = new Decoder({
  maxStrLength: TEXT_BYTES_MAX,
  maxBinLength: FRAME_BYTES_MAX,
  maxArrayLength: ARRAY_ITEMS_MAX,
  maxMapLength: 0,
  maxExtLength: 0,
});

/** The bytes of a value made of integers, strings, bytes and arrays. */
export function pack(value: WireValue): Uint8Array {
  return encoder.encode(value);
}

/** A last item of this many bytes is not copied. */
const BULK_BYTES_MIN = 512;
/** An array of at most this many items has its length in its first byte. */
const SHORT_ARRAY_MAX = 15;

/**
 * Returns the bytes of an array in one or two parts. The caller must copy them before the next call, which
 * overwrites the first part. The second part is the last item itself.
 */
export function packParts(items: readonly WireValue[]): readonly Uint8Array[] {
  const bulk = items.at(-1);
  if (!(bulk instanceof Uint8Array) || bulk.length < BULK_BYTES_MIN || items.length > SHORT_ARRAY_MAX)
    return [encoder.encodeSharedRef(items)];
  const { length } = bulk;
  const rest = encoder.encodeSharedRef(items.slice(0, -1));
  const width = length < 65536 ? 2 : 4;
  const head = new Uint8Array(rest.length + 1 + width);
  head.set(rest);
  head[0]++;
  head[rest.length] = width === 2 ? 0xc5 : 0xc6;
  for (let i = 0; i < width; i++) head[rest.length + 1 + i] = length >>> (8 * (width - 1 - i));
  return [head, bulk];
}

/** The value of exactly these bytes, or the reason why they are not in the subset. Never throws. */
export function unpack(bytes: Uint8Array): Unpacked {
  const end = walk(bytes, 0, 0);
  if (typeof end === 'string') return { ok: false, reason: end };
  if (end !== bytes.length) return { ok: false, reason: `${bytes.length - end} bytes after the value` };
  // The decoder accepts all bytes that pass the check.
  return { ok: true, value: decoder.decode(bytes) as WireValue };
}

/** Index after the value that starts at `at`, or the reason why it is rejected. */
function walk(bytes: Uint8Array, at: number, depth: number): number | string {
  if (at >= bytes.length) return 'truncated';
  const type = bytes[at];
  if (type <= 0x7f || type >= 0xe0) return at + 1;
  if (type >= 0x90 && type <= 0x9f) return walkArray(bytes, at + 1, type & 15, depth);
  if (type >= 0xa0 && type <= 0xbf) return utf8(bytes, at + 1, type & 31);
  switch (type) {
    case 0xc4:
      return sized(bytes, at, 1, 0, FRAME_BYTES_MAX);
    case 0xc5:
      return sized(bytes, at, 2, 256, FRAME_BYTES_MAX);
    case 0xc6:
      return sized(bytes, at, 4, 65536, FRAME_BYTES_MAX);
    case 0xcc:
      return atLeast(bytes, at, 1, 128);
    case 0xcd:
      return atLeast(bytes, at, 2, 256);
    case 0xce:
      return atLeast(bytes, at, 4, 65536);
    case 0xcf:
      return unsigned64(bytes, at);
    case 0xd0:
    case 0xd1:
    case 0xd2:
      return negative(bytes, at, 1 << (type - 0xd0));
    case 0xd9:
      return text(bytes, at, 1, 32);
    case 0xda:
      return text(bytes, at, 2, 256);
    case 0xdc: {
      if (at + 3 > bytes.length) return 'truncated';
      const count = bigEndian(bytes, at + 1, 2);
      return count < 16 ? 'not in shortest form' : walkArray(bytes, at + 3, count, depth);
    }
    default:
      return `type 0x${type.toString(16)} is not allowed`;
  }
}

function walkArray(bytes: Uint8Array, at: number, count: number, depth: number): number | string {
  if (depth >= ARRAY_DEPTH_MAX) return 'nested too deep';
  if (count > ARRAY_ITEMS_MAX) return 'array too long';
  for (let i = 0; i < count; i++) {
    const next = walk(bytes, at, depth + 1);
    if (typeof next === 'string') return next;
    at = next;
  }
  return at;
}

function skip(bytes: Uint8Array, at: number, length: number, most: number): number | string {
  if (length > most) return 'too long';
  return at + length > bytes.length ? 'truncated' : at + length;
}

function sized(bytes: Uint8Array, at: number, width: number, least: number, most: number): number | string {
  const start = at + 1 + width;
  if (start > bytes.length) return 'truncated';
  const length = bigEndian(bytes, at + 1, width);
  return length < least ? 'not in shortest form' : skip(bytes, start, length, most);
}

function text(bytes: Uint8Array, at: number, width: number, least: number): number | string {
  const end = sized(bytes, at, width, least, TEXT_BYTES_MAX);
  return typeof end === 'string' ? end : utf8(bytes, at + 1 + width, end - at - 1 - width);
}

/** Index after a text of `length` bytes. It must be UTF-8: shortest forms, no surrogates, up to U+10FFFF. */
function utf8(bytes: Uint8Array, at: number, length: number): number | string {
  const end = skip(bytes, at, length, TEXT_BYTES_MAX);
  if (typeof end === 'string') return end;
  while (at < end) {
    const lead = bytes[at++];
    if (lead < 0x80) continue;
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead < 0xc2 || lead > 0xf4 || at + more > end) return NOT_UTF8;
    // The range of the second byte excludes longer forms, surrogates, and values above U+10FFFF.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (bytes[at] < low || bytes[at] > high) return NOT_UTF8;
    for (let i = 1; i < more; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return NOT_UTF8;
    at += more;
  }
  return end;
}

function atLeast(bytes: Uint8Array, at: number, width: number, least: number): number | string {
  if (at + 1 + width > bytes.length) return 'truncated';
  return bigEndian(bytes, at + 1, width) < least ? 'not in shortest form' : at + 1 + width;
}

function unsigned64(bytes: Uint8Array, at: number): number | string {
  if (at + 9 > bytes.length) return 'truncated';
  const high = bigEndian(bytes, at + 1, 4);
  if (high === 0) return 'not in shortest form';
  return high >= 1 << 21 ? 'integer of 2⁵³ or more' : at + 9;
}

/** A negative integer is in shortest form as int8 below −32, as int16 below −128, as int32 below −32768. */
function negative(bytes: Uint8Array, at: number, width: number): number | string {
  if (at + 1 + width > bytes.length) return 'truncated';
  const value = bigEndian(bytes, at + 1, width);
  const span = width === 1 ? 256 : width === 2 ? 65536 : 4294967296;
  const signed = value >= span / 2 ? value - span : value;
  const least = width === 1 ? -32 : width === 2 ? -128 : -32768;
  return signed < least ? at + 1 + width : 'not in shortest form';
}

function bigEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + bytes[at + i];
  return value;
}
