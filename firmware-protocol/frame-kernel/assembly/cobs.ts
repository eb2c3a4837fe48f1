/** Consistent Overhead Byte Stuffing as in firmware-protocol/cobs.ts, 16 or 64 bytes at once. */
const GROUP_MAX: usize = 254;

function zerosOf(bytes: v128): i32 {
  return i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0)));
}

/**
 * Writes the encoding of `length` bytes at `from`, delimiter included, to `to`, and returns its length. Up to 15 bytes
 * behind either are read or overwritten.
 */
export function stuff(from: usize, length: usize, to: usize): usize {
  const end = from + length;
  let at = from;
  /** Where the byte at `at` goes. */
  let put = to + 1;
  /** First data byte of the present group, and the place of its code. */
  let start = from;
  let code = to;
  while (at < end) {
    let zeros: u64 = 0;
    let step: usize = 64;
    if (at + 64 <= end && at + 64 <= start + GROUP_MAX) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      v128.store(put, a);
      v128.store(put, b, 16);
      v128.store(put, c, 32);
      v128.store(put, d, 48);
      if (!i8x16.all_true(v128.min<u8>(v128.min<u8>(a, b), v128.min<u8>(c, d))))
        zeros =
          <u64>zerosOf(a) | ((<u64>zerosOf(b)) << 16) | ((<u64>zerosOf(c)) << 32) | ((<u64>zerosOf(d)) << 48);
    } else {
      const a = v128.load(at);
      v128.store(put, a);
      step = min(end - at, 16);
      zeros = <u64>zerosOf(a) & ((1 << step) - 1);
      const room = start + GROUP_MAX - at;
      if (room < step && (zeros & ((1 << room) - 1)) === 0) {
        // A full group, whose successor's code stands for no zero.
        store<u8>(code, 255);
        code = put + room;
        put = code + 1;
        at += room;
        start = at;
        continue;
      }
    }
    // The code of a group lies where the zero was.
    while (zeros !== 0) {
      const zero = <usize>ctz(zeros);
      zeros &= zeros - 1;
      store<u8>(code, <u8>(at + zero + 1 - start));
      start = at + zero + 1;
      code = put + zero;
    }
    at += step;
    put += step;
  }
  store<u8>(code, <u8>(end - start + 1));
  store<u8>(put, 0);
  return put + 1 - to;
}
