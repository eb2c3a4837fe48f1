import { crc32, crc32c } from './crc.js';
import type { ProgramImage } from './program-image.js';

/** What `commit` compares: two independent CRCs over the program as it travels. */
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
 * Int16Array. Shares memory with `codes`. Errors: none.
 */
export function codeBytes(codes: Int8Array | Int16Array): Uint8Array {
  return new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
}

/**
 * The digest of a program: couplings, drive, initial state, then damping, noise amplitude and shift
 * as u32. Errors: none.
 */
export function programDigest(image: ProgramImage): ProgramDigest {
  const registers = new Uint8Array(12);
  [image.damping, image.noiseAmplitude, image.noiseShift].forEach((value, register) => {
    for (let i = 0; i < 4; i++) registers[4 * register + i] = value >>> (8 * i);
  });
  const digest = { crc32: 0, crc32c: 0 };
  for (const part of [
    codeBytes(image.couplings),
    codeBytes(image.drive),
    codeBytes(image.initialState),
    registers,
  ]) {
    digest.crc32 = crc32(part, digest.crc32);
    digest.crc32c = crc32c(part, digest.crc32c);
  }
  return digest;
}
