import { crc32, crc32c } from './crc.js';
import { newFrameBuffers } from './frame-kernel/frame-buffers.js';
import type { ProgramImage } from './program-image.js';

/** The digest that `commit` compares: two independent CRCs over the program as it travels. */
export interface ProgramDigest {
  /** CRC-32, u32. */
  readonly crc32: number;
  /** CRC-32C, u32. */
  readonly crc32c: number;
}

if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1)
  throw new Error(
    'this machine is big-endian; codes are sent as they lie in memory, which must be little-endian',
  );

/**
 * The bytes of codes [n] as they travel: little-endian, one byte a code for an Int8Array, two for an
 * Int16Array, four and eight for sums. Shares memory with `codes`. Errors: none.
 */
export function codeBytes(codes: Int8Array | Int16Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
}

/** This many bytes at a time are copied to the memory in which the frame kernel computes both CRCs. */
const WINDOW_BYTES = 1_048_576;
let digestWindow: Uint8Array | undefined;

/**
 * The digest of a program (protocol.md, "Programs"). It covers couplings, drive, initial state, then the
 * table and the drive of the rows if there is a row element, then damping, noise amplitude and shift as u32.
 * `ofCouplings` is the digest of the couplings, if it is known. Errors: none.
 */
export function programDigest(
  image: ProgramImage,
  ofCouplings: ProgramDigest = couplingsDigest(image.couplings),
): ProgramDigest {
  const registers = new Uint8Array(12);
  [image.damping, image.noiseAmplitude, image.noiseShift].forEach((value, register) => {
    for (let i = 0; i < 4; i++) registers[4 * register + i] = value >>> (8 * i);
  });
  const digest = { ...ofCouplings };
  const ofRows = image.rowElement ? [image.rowElement.table, image.rowElement.drive] : [];
  for (const codes of [image.drive, image.initialState, ...ofRows]) addToDigest(digest, codeBytes(codes));
  addToDigest(digest, registers);
  return digest;
}

/** The digest of a program's first part, its couplings [n]. `programDigest` continues it. Errors: none. */
export function couplingsDigest(couplings: ProgramImage['couplings']): ProgramDigest {
  const digest = { crc32: 0, crc32c: 0 };
  addToDigest(digest, codeBytes(couplings));
  return digest;
}

function addToDigest(digest: { crc32: number; crc32c: number }, bytes: Uint8Array): void {
  digestWindow ??= newFrameBuffers([WINDOW_BYTES])[0];
  for (let at = 0; at < bytes.length; at += WINDOW_BYTES) {
    const part = bytes.subarray(at, at + WINDOW_BYTES);
    digestWindow.set(part);
    const copy = digestWindow.subarray(0, part.length);
    digest.crc32 = crc32(copy, digest.crc32);
    digest.crc32c = crc32c(copy, digest.crc32c);
  }
}
