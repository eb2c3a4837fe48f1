/**
 * Buffers for large frames. If the host has WebAssembly with SIMD, they are in the memory of a small module,
 * which computes CRCs and encodes and decodes COBS several times as fast as JavaScript. The place of the
 * bytes changes only the speed, never the result.
 */
import { compileEmbedded, type EmbeddedModule, instantiate } from '../embedded-module.js';
import { FRAME_KERNEL_BASE64 } from './frame-kernel.generated.js';

/** The exports of assembly/index.ts. Numbers are addresses and counts of bytes. */
interface FrameKernelExports {
  foldCrc32(from: number, length: number, room: number, state: number): number;
  foldCrc32c(from: number, length: number, room: number, state: number): number;
  stuff(from: number, length: number, to: number): number;
  unstuff(from: number, length: number, to: number, state: number): number;
}

type FrameKernel = FrameKernelExports & { readonly buffer: ArrayBuffer };

/** The module uses this many bytes, from address 0 on, to shorten messages for CRCs (see `foldedMessage`). */
const ROOM_BYTES = 13_824;
/** The module reads and writes up to 16 bytes after its input and output. */
const SLACK_BYTES = 16;
/** Shorter messages gain nothing, because shortening leaves 4 to 5 KiB of every message. */
const FOLDED_BYTES_MIN = 12_288;
/** An `Unstuffer` takes this many bytes at once, and cuts longer pieces. */
const PIECE_BYTES = 65_536;
/** The words of the state of an `Unstuffer`: those of assembly/cobs.ts. */
export const UNSTUFF_STATE = { left: 0, impliesZero: 1, malformed: 2 } as const;
export const UNSTUFF_STATE_WORDS = 3;

const kernels = new WeakMap<ArrayBufferLike, FrameKernel>();
let compiled: EmbeddedModule | undefined;

/**
 * Returns zeroed buffers of these lengths. They are in one memory of the module, or are plain buffers on a
 * host without it. Keep them, because each call takes a new memory.
 */
export function newFrameBuffers(lengths: readonly number[]): Uint8Array[] {
  const kernel = newKernel(lengths.reduce((sum, length) => sum + length + SLACK_BYTES, ROOM_BYTES));
  if (!kernel) return lengths.map((length) => new Uint8Array(length));
  let at = ROOM_BYTES;
  return lengths.map((length) => {
    const bytes = new Uint8Array(kernel.buffer, at, length);
    at += length + SLACK_BYTES;
    return bytes;
  });
}

function newKernel(bytes: number): FrameKernel | undefined {
  compiled ??= compileEmbedded(FRAME_KERNEL_BASE64);
  if ('missing' in compiled) return undefined;
  try {
    const { exports, buffer } = instantiate(compiled, bytes);
    const kernel = { ...(exports as FrameKernelExports), buffer };
    kernels.set(buffer, kernel);
    return kernel;
  } catch (error) {
    // Systems limit the address space of such memories. Without a memory, frames are only slower.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Returns a shorter message. Its CRC, started from state 2³² − 1, equals the CRC of `message`, started from
 * `state`. It is valid until the next call. Undefined if `message` is not in the memory of a module, or is
 * too short to gain.
 */
export function foldedMessage(
  crc: 'crc32' | 'crc32c',
  message: Uint8Array,
  state: number,
): Uint8Array | undefined {
  if (message.length < FOLDED_BYTES_MIN) return undefined;
  const kernel = kernels.get(message.buffer);
  if (!kernel) return undefined;
  const { byteOffset, length } = message;
  const left =
    crc === 'crc32'
      ? kernel.foldCrc32(byteOffset, length, 0, state)
      : kernel.foldCrc32c(byteOffset, length, 0, state);
  return new Uint8Array(kernel.buffer, 0, left);
}

/**
 * Writes the COBS encoding of `raw` with its delimiter to `out` and returns it. All of `out` may change.
 * Undefined if `raw` and `out` are not in the memory of one module, or if `out` is shorter than
 * `withSlack(encodedBytesMax)`.
 */
export function stuffedInPlace(
  raw: Uint8Array,
  out: Uint8Array,
  encodedBytesMax: number,
): Uint8Array | undefined {
  if (raw.buffer !== out.buffer || out.length < encodedBytesMax + SLACK_BYTES) return undefined;
  const kernel = kernels.get(raw.buffer);
  return kernel && out.subarray(0, kernel.stuff(raw.byteOffset, raw.length, out.byteOffset));
}

/** The length of an `out` of `stuffedInPlace` for encodings of at most `encodedBytesMax` bytes. */
export function withSlack(encodedBytesMax: number): number {
  return encodedBytesMax + SLACK_BYTES;
}

/** Decodes COBS by the module: one block after another, each in pieces. */
export interface Unstuffer {
  /** The buffer for decoded bytes. */
  readonly bytes: Uint8Array;
  /**
   * The state that a piece leaves for the next piece (see UNSTUFF_STATE). It is zero at the start of a block.
   */
  readonly state: Int32Array;
  /**
   * Decodes `piece[start…end)`, without a delimiter, to `bytes` from `at` on. Returns how many bytes were
   * decoded.
   */
  push(piece: Uint8Array, start: number, end: number, at: number): number;
}

/** Makes an unstuffer for blocks of at most `bytesMax` bytes. Undefined on a host without the module. */
export function newUnstuffer(bytesMax: number): Unstuffer | undefined {
  const [words, bytes, input] = newFrameBuffers([4 * UNSTUFF_STATE_WORDS, bytesMax, PIECE_BYTES]);
  const kernel = kernels.get(bytes.buffer);
  if (!kernel) return undefined;
  return {
    bytes,
    state: new Int32Array(words.buffer, words.byteOffset, UNSTUFF_STATE_WORDS),
    push(piece, start, end, at) {
      let put = bytes.byteOffset + at;
      for (let from = start; from < end; from += PIECE_BYTES) {
        const part = piece.subarray(from, Math.min(end, from + PIECE_BYTES));
        input.set(part);
        put += kernel.unstuff(input.byteOffset, part.length, put, words.byteOffset);
      }
      return put - bytes.byteOffset - at;
    },
  };
}
