import { crc32 } from '../firmware-protocol/crc.js';
import type { CellArray } from './analog/cell-array.js';

/**
 * The whole state on which later ticks depend, as bytes (device-model.md, "State and digest"). It has v, c, r
 * of every cell of the board and q of every row as int32, cell flags and row flags as bytes, and the tick as
 * u64. All are little-endian, without gaps.
 */
export function stateBytes(array: CellArray, tick: number): Uint8Array {
  const words = [array.v, array.c, array.r, array.q];
  const flags = [array.cellFlags, array.rowFlags];
  const size =
    words.reduce((sum, part) => sum + 4 * part.length, 0) + flags.reduce((sum, part) => sum + part.length, 8);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of words)
    for (const word of part) {
      view.setInt32(at, word, true);
      at += 4;
    }
  for (const part of flags) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setBigUint64(at, BigInt(tick), true);
  return bytes;
}

/** CRC-32 of those bytes. Equal states have equal digests in every implementation. */
export function stateDigest(array: CellArray, tick: number): number {
  return crc32(stateBytes(array, tick));
}
