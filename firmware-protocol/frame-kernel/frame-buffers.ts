/**
 * Buffers for large frames, where the host has WebAssembly with SIMD in the memory of a small module that finds their
 * CRC-32 and stuffs them several times as fast. Where a frame lies decides how fast it is, never what comes out.
 */
import { compileEmbedded, type EmbeddedModule, instantiate } from '../embedded-module.js';
import { FRAME_KERNEL_BASE64 } from './frame-kernel.generated.js';

/** What assembly/index.ts exports; numbers are addresses and counts of bytes. */
interface FrameKernelExports {
  foldCrc(from: number, length: number, room: number): number;
  stuff(from: number, length: number, to: number): number;
}

type FrameKernel = FrameKernelExports & { readonly buffer: ArrayBuffer };

/** From address 0 on: where `foldCrc` works. */
const ROOM_BYTES = 12288;
/** The module reads and writes up to 15 bytes behind what it was given. */
const SLACK_BYTES = 16;
/** Messages from here on are worth folding: what is left of them has 4 KiB. */
const FOLDED_BYTES_MIN = 12288;

const kernels = new WeakMap<ArrayBufferLike, FrameKernel>();
let compiled: EmbeddedModule | undefined;

/**
 * Zeroed buffers of these lengths, beside each other in one memory of the module, or plain ones where there is none. Each
 * call takes a memory of its own: keep them.
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
    // A system bounds the address space of such memories; without one frames are only slower.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * A shorter message, good until the next call, whose CRC-32 from state 2³² − 1 is that of `message` from the start.
 * Undefined when there is no module where it lies, or it is too short to gain.
 */
export function foldedMessage(message: Uint8Array): Uint8Array | undefined {
  if (message.length < FOLDED_BYTES_MIN) return undefined;
  const kernel = kernels.get(message.buffer);
  if (!kernel) return undefined;
  return new Uint8Array(kernel.buffer, 0, kernel.foldCrc(message.byteOffset, message.length, 0));
}

/**
 * The COBS encoding of `raw` with its delimiter, written to `out`; all of `out` may change. Undefined when the two do not lie
 * with one module, or `out` does not have `encodedBytesMax` bytes and some to spare.
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

/** What a buffer of `encodedBytesMax` bytes needs to be an `out` of `stuffedInPlace`. */
export function withSlack(encodedBytesMax: number): number {
  return encodedBytesMax + SLACK_BYTES;
}
