/**
 * Shortens a message without changing its CRC. A CRC is a remainder modulo a polynomial P. Let y = x⁸. Each
 * CRC here uses a multiple of P that has the form yᵈ + yᵃ + yᵇ + 1. A byte can be removed from the message if
 * it is added to the three bytes that are d − a, d − b and d places after it. This does not change the
 * remainder. The last bytes of a message are not removed. Both multiples were found by search. Among the
 * multiples whose places are all distant they have the least degree. Distant places matter because no load
 * then waits for a store.
 */

/** CRC-32: y⁴⁰¹⁸ + y²⁰⁹¹ + y¹⁸³⁷ + 1. The numbers are places after the removed byte. */
const CRC32_NEAR: usize = 1927;
const CRC32_MIDDLE: usize = 2181;
const CRC32_FAR: usize = 4018;
/** CRC-32C: y⁵²⁷⁵ + y⁴⁵⁰⁸ + y²⁷⁵¹ + 1. */
const CRC32C_NEAR: usize = 767;
const CRC32C_MIDDLE: usize = 2524;
const CRC32C_FAR: usize = 5275;
/**
 * The number of bytes removed before the kept bytes are moved back. With this number `room` stays in the
 * first-level cache.
 */
const BLOCK: usize = 8192;
const STEP: usize = 64;

/**
 * Writes a shorter message to `room` and returns its length, FAR to FAR + STEP − 1 bytes. Its CRC-32, started
 * from state 2³² − 1, equals the CRC-32 of the `length` bytes at `from`, started from `state`. `length` is at
 * least FAR. `room` holds FAR + STEP + BLOCK bytes. Up to 15 bytes after the message are read.
 */
export function foldCrc32(from: usize, length: usize, room: usize, state: u32): usize {
  return fold(from, length, room, state, CRC32_NEAR, CRC32_MIDDLE, CRC32_FAR);
}

/** The same for CRC-32C. */
export function foldCrc32c(from: usize, length: usize, room: usize, state: u32): usize {
  return fold(from, length, room, state, CRC32C_NEAR, CRC32C_MIDDLE, CRC32C_FAR);
}

function fold(
  from: usize,
  length: usize,
  room: usize,
  state: u32,
  near: usize,
  middle: usize,
  far: usize,
): usize {
  /**
   * Later bytes need the removed bytes up to `far` places before them. This number of removed bytes is
   * therefore kept: `far`, rounded up to a multiple of 16.
   */
  const keptBytes = (far + 15) & ~15;
  const kept = room + keptBytes;
  memory.fill(room, 0, keptBytes);
  // A CRC begins by adding its inverted state to the first four bytes of the message. The loop does this if
  // the inverted state lies `far` places before them, like removed bytes.
  store<u32>(kept - far, ~state);
  let left = length;
  while (left >= far + STEP) {
    const count = min((left - far) & ~(STEP - 1), BLOCK);
    const end = from + count;
    for (let to = kept; from < end; from += STEP, to += STEP) {
      const a = to - near;
      const b = to - middle;
      const c = to - far;
      v128.store(to, sum(v128.load(from), v128.load(a), v128.load(b), v128.load(c)));
      v128.store(to, sum(v128.load(from, 16), v128.load(a, 16), v128.load(b, 16), v128.load(c, 16)), 16);
      v128.store(to, sum(v128.load(from, 32), v128.load(a, 32), v128.load(b, 32), v128.load(c, 32)), 32);
      v128.store(to, sum(v128.load(from, 48), v128.load(a, 48), v128.load(b, 48), v128.load(c, 48)), 48);
    }
    memory.copy(room, room + count, keptBytes);
    left -= count;
  }
  // The rest is short, and none of its bytes is removed. Zeros after it add nothing.
  memory.fill(kept, 0, far + STEP);
  for (let i: usize = 0; i < left; i += 16) {
    const at = kept + i;
    const bytes = sum(v128.load(from + i), v128.load(at - near), v128.load(at - middle), v128.load(at - far));
    v128.store(room + i, bytes);
  }
  return left;
}

/** The sum modulo 2 of each bit. */
function sum(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.xor(v128.xor(a, b), v128.xor(c, d));
}
