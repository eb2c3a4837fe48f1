/** COBS as firmware-protocol/cobs.ts defines it, 16 or 64 bytes at once. */
const GROUP_MAX: usize = 254;

/**
 * Writes the encoding of `length` bytes at `from` to `to`, with the delimiter, and returns its length. It may
 * read up to 15 bytes after the input, and overwrite up to 15 bytes after the output.
 */
export function stuff(from: usize, length: usize, to: usize): usize {
  const end = from + length;
  let at = from;
  /** The address in the encoding of the byte at `at`. */
  let put = to + 1;
  /** The first data byte of the present group, and the address of its code. */
  let start = from;
  let code = to;
  /** The bytes before this address were already examined 64 at a time. */
  let asked = at;
  while (at < end) {
    // The present group cannot become full within these 64 bytes.
    if (at >= asked && at + 64 <= end && at + 64 <= start + GROUP_MAX) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      if (i8x16.all_true(v128.min<u8>(v128.min<u8>(a, b), v128.min<u8>(c, d)))) {
        v128.store(put, a);
        v128.store(put, b, 16);
        v128.store(put, c, 32);
        v128.store(put, d, 48);
        at += 64;
        put += 64;
        continue;
      }
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
        // All 64 bytes are zero. The code 1 of an empty group replaces each of them except the last.
        store<u8>(code, <u8>(at + 1 - start));
        storeFour(put, i8x16.splat(1));
        code = put + 63;
        at += 64;
        put += 64;
        start = at;
        continue;
      }
      asked = at + 64;
    }
    const bytes = v128.load(at);
    const step: usize = min(end - at, 16);
    const zeros = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0))) & ((1 << (<i32>step)) - 1);
    v128.store(put, bytes);
    // A single zero is replaced later, when the length of the group after it is known.
    if (zeros & (zeros - 1)) v128.store(put, withCodes(bytes));
    const room = start + GROUP_MAX - at;
    if (room < step && (zeros & ((1 << (<i32>room)) - 1)) === 0) {
      // A full group stands for no zero, so the code of the next group needs one byte more. The bytes after
      // it are stored again.
      store<u8>(code, 255);
      code = put + room;
      put = code + 1;
      at += room;
      start = at;
      continue;
    }
    if (zeros !== 0) {
      store<u8>(code, <u8>(at + ctz(zeros) + 1 - start));
      const last = 31 - clz(zeros);
      code = put + last;
      start = at + last + 1;
    }
    at += step;
    put += step;
  }
  store<u8>(code, <u8>(end - start + 1));
  store<u8>(put, 0);
  return put + 1 - to;
}

/**
 * Replaces each zero by its distance to the next zero, which is the code of the group after it. The last zero
 * gets a meaningless value, because the group after it ends beyond these bytes.
 */
function withCodes(bytes: v128): v128 {
  const isZero = i8x16.eq(bytes, i8x16.splat(0));
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const none = i8x16.splat(-1);
  // `zeros` has the index of each zero, and 255 for other bytes. `next` has for each byte the index of the
  // next zero after it.
  const zeros = v128.or(places, v128.not(isZero));
  let next = v128.shuffle<u8>(zeros, none, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  next = v128.min<u8>(
    next,
    v128.shuffle<u8>(next, none, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
  );
  next = v128.min<u8>(
    next,
    v128.shuffle<u8>(next, none, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
  );
  next = v128.min<u8>(
    next,
    v128.shuffle<u8>(next, none, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
  );
  next = v128.min<u8>(
    next,
    v128.shuffle<u8>(next, none, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23),
  );
  return v128.bitselect(i8x16.sub(next, places), bytes, isZero);
}

/** Stores the same 16 bytes four times. */
function storeFour(to: usize, bytes: v128): void {
  v128.store(to, bytes);
  v128.store(to, bytes, 16);
  v128.store(to, bytes, 32);
  v128.store(to, bytes, 48);
}

/** Whether all 64 bytes are 1. */
function areOnes(at: usize): bool {
  const ones = i8x16.splat(1);
  const ab = v128.and(i8x16.eq(v128.load(at), ones), i8x16.eq(v128.load(at, 16), ones));
  const cd = v128.and(i8x16.eq(v128.load(at, 32), ones), i8x16.eq(v128.load(at, 48), ones));
  return i8x16.all_true(v128.and(ab, cd));
}

// The state that one piece of a block leaves for the next: byte offsets of 32-bit words.
/** The number of bytes of the present group that have not come yet. */
const LEFT: usize = 0;
/** 1 if the next code stands for a zero. */
const IMPLIES_ZERO: usize = 4;
/** 1 if a code was zero. */
const MALFORMED: usize = 8;

/**
 * Decodes one piece of a block: `length` bytes at `from`, without a delimiter. Writes the bytes to `to` and
 * returns their number. `state` has three words, which are zero before the first piece. It may read up to 16
 * bytes after the input, and overwrite up to 16 bytes after the output.
 */
export function unstuff(from: usize, length: usize, to: usize, state: usize): usize {
  const end = from + length;
  const ones = i8x16.splat(1);
  const zero = i8x16.splat(0);
  let impliesZero = load<i32>(state, IMPLIES_ZERO);
  let malformed = load<i32>(state, MALFORMED);
  /** The address of the next code. */
  let at = from + load<u32>(state, LEFT);
  let put = to + copyGroup(from, min(at, end), to);
  while (at < end) {
    if (impliesZero) {
      // Consecutive zeros are encoded as consecutive codes of 1. Each of these stands for the zero before it.
      const run = min<usize>(ctz(~i8x16.bitmask(i8x16.eq(v128.load(at), ones))), end - at);
      v128.store(put, zero);
      put += run;
      at += run;
      if (run === 16) {
        for (; at + 64 <= end && areOnes(at); at += 64, put += 64) storeFour(put, zero);
        continue;
      }
      if (at >= end) break;
      put++;
    }
    const code = <usize>load<u8>(at);
    if (code === 0) malformed = 1;
    impliesZero = code <= GROUP_MAX ? 1 : 0;
    const next = at + max(code, 1);
    put += copyGroup(at + 1, min(next, end), put);
    at = next;
  }
  store<u32>(state, <u32>(at - end), LEFT);
  store<i32>(state, impliesZero, IMPLIES_ZERO);
  store<i32>(state, malformed, MALFORMED);
  return put - to;
}

/** Copies the bytes from `from` up to, but not including, `end`. Returns their number. */
function copyGroup(from: usize, end: usize, to: usize): usize {
  for (let at: usize = from, put = to; at < end; at += 16, put += 16) v128.store(put, v128.load(at));
  return end - from;
}
