/**
 * CRC-32 (ISO-HDLC, check value CBF43926, as in zlib and the CRC units of microcontrollers) and CRC-32C
 * (Castagnoli, check value E3069283), computed from tables, eight bytes per step. Calls can be chained:
 * crc32(b, crc32(a)) is the CRC of a followed by b. If a long message is in the memory of the frame kernel,
 * the kernel shortens it first.
 */
import { foldedMessage } from './frame-kernel/frame-buffers.js';

type CrcTables = readonly Int32Array[];

function makeTables(reflectedPolynomial: number): CrcTables {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? reflectedPolynomial : 0);
    tables[0][byte] = value;
  }
  for (let byte = 0; byte < 256; byte++)
    for (let k = 1; k < 8; k++) {
      const previous = tables[k - 1][byte];
      tables[k][byte] = (previous >>> 8) ^ tables[0][previous & 255];
    }
  return tables;
}

const CRC32_TABLES = makeTables(0xedb88320);
const CRC32C_TABLES = makeTables(0x82f63b78);

function update(tables: CrcTables, bytes: Uint8Array, state: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~state;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      t7[low & 255] ^
      t6[(low >>> 8) & 255] ^
      t5[(low >>> 16) & 255] ^
      t4[low >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

/** The state from which the CRC of a shortened message starts. */
const FOLDED_STATE = 0xffffffff;

type Crc = (bytes: Uint8Array, state: number) => number;

let crc32Of: Crc = (bytes, state) => update(CRC32_TABLES, bytes, state);

/** CRC-32 of `bytes`, u32, continuing from `state` (default: from the start). Errors: none. */
export function crc32(bytes: Uint8Array, state = 0): number {
  const folded = foldedMessage('crc32', bytes, state);
  return folded ? crc32Of(folded, FOLDED_STATE) : crc32Of(bytes, state);
}

/**
 * Replaces the computation of CRC-32 by the platform's own function, after a comparison of both. The function
 * of zlib is four times as fast as these tables. This folder itself depends on no platform. Throws if the two
 * differ.
 */
export function useFasterCrc32(candidate: Crc): void {
  const sample = Uint8Array.from({ length: 67 }, (_, i) => (i * 29) & 255);
  for (let length = 0; length <= sample.length; length++) {
    const bytes = sample.subarray(0, length);
    for (const state of [0, 1, 0xffffffff])
      if (candidate(bytes, state) !== update(CRC32_TABLES, bytes, state))
        throw new Error('bug: this is not CRC-32');
  }
  crc32Of = candidate;
}

/** CRC-32C of `bytes`, u32, continuing from `state` (default: from the start). Errors: none. */
export function crc32c(bytes: Uint8Array, state = 0): number {
  const folded = foldedMessage('crc32c', bytes, state);
  return folded ? update(CRC32C_TABLES, folded, FOLDED_STATE) : update(CRC32C_TABLES, bytes, state);
}
