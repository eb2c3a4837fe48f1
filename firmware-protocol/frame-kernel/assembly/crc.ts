/**
 * A CRC is a remainder modulo P. With y = x⁸, y⁴⁰¹⁸ + y²⁰⁹¹ + y¹⁸³⁷ + 1 is a multiple of P, so that a byte may be struck out
 * if it is added to the bytes 1927, 2181 and 4018 places behind it: the remainder stays. What is left are the last bytes.
 * (Found by search: the only such sum under degree 4,900 in which no place is near, so that no load waits for a store.)
 */
const NEAR: usize = 1927;
const MIDDLE: usize = 2181;
const FAR: usize = 4018;
/** Bytes struck out that are kept, at least FAR. */
const KEPT: usize = 4032;
/** Struck out between two moves of what is kept, so that the room stays in the processor's nearest cache. */
const BLOCK: usize = 8192;
const STEP: usize = 64;

/** What is added to the 16 bytes at `to`, for what was struck out before. */
function carried(to: usize): v128 {
  return v128.xor(v128.xor(v128.load(to - NEAR), v128.load(to - MIDDLE)), v128.load(to - FAR));
}

/**
 * Writes to `room` bytes that have the same remainder as the message of `length` ≥ FAR bytes at `from` with its first four
 * inverted, as a CRC begins, and returns how many: FAR to FAR + STEP − 1. `room` holds KEPT + BLOCK bytes. Up to 15 bytes
 * behind the message are read.
 */
export function foldCrc(from: usize, length: usize, room: usize): usize {
  const kept = room + KEPT;
  memory.fill(room, 0, KEPT);
  // As if these had been struck out FAR places before the first four: that inverts them.
  store<u32>(kept - FAR, 0xffffffff);
  let left = length;
  while (left >= FAR + STEP) {
    const count = min((left - FAR) & ~(STEP - 1), BLOCK);
    const end = from + count;
    for (let to = kept; from < end; from += STEP, to += STEP) {
      v128.store(to, v128.xor(v128.load(from), carried(to)));
      v128.store(to, v128.xor(v128.load(from, 16), carried(to + 16)), 16);
      v128.store(to, v128.xor(v128.load(from, 32), carried(to + 32)), 32);
      v128.store(to, v128.xor(v128.load(from, 48), carried(to + 48)), 48);
    }
    memory.copy(room, room + count, KEPT);
    left -= count;
  }
  // Nothing of the rest is struck out.
  memory.fill(kept, 0, FAR + STEP);
  for (let i: usize = 0; i < left; i += 16)
    v128.store(room + i, v128.xor(v128.load(from + i), carried(kept + i)));
  return left;
}
