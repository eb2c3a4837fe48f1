/**
 * The limits of this machine, for `npm run bench`: the speed of the product instruction alone, and of reading
 * alone.
 */

/**
 * Makes `rounds` × 96 products of int16, in 12 independent chains of instructions of eight products each.
 * Nothing is loaded from memory.
 */
export function dotRoof(rounds: i32, seed: i32): i32 {
  const x = i32x4.splat(seed);
  let a = i32x4.splat(seed + 1);
  let b = i32x4.splat(seed + 2);
  let c = i32x4.splat(seed + 3);
  let d = i32x4.splat(seed + 4);
  let e = i32x4.splat(seed + 5);
  let f = i32x4.splat(seed + 6);
  let g = i32x4.splat(seed + 7);
  let h = i32x4.splat(seed + 8);
  let i = i32x4.splat(seed + 9);
  let j = i32x4.splat(seed + 10);
  let k = i32x4.splat(seed + 11);
  let l = i32x4.splat(seed + 12);
  for (let round = 0; round < rounds; round++) {
    a = i32x4.dot_i16x8_s(a, x);
    b = i32x4.dot_i16x8_s(b, x);
    c = i32x4.dot_i16x8_s(c, x);
    d = i32x4.dot_i16x8_s(d, x);
    e = i32x4.dot_i16x8_s(e, x);
    f = i32x4.dot_i16x8_s(f, x);
    g = i32x4.dot_i16x8_s(g, x);
    h = i32x4.dot_i16x8_s(h, x);
    i = i32x4.dot_i16x8_s(i, x);
    j = i32x4.dot_i16x8_s(j, x);
    k = i32x4.dot_i16x8_s(k, x);
    l = i32x4.dot_i16x8_s(l, x);
  }
  a = v128.xor(v128.xor(v128.xor(a, b), v128.xor(c, d)), v128.xor(v128.xor(e, f), v128.xor(g, h)));
  a = v128.xor(a, v128.xor(v128.xor(i, j), v128.xor(k, l)));
  return i32x4.extract_lane(a, 0);
}

/** Reads `bytes` (a multiple of 128) once. */
export function readAll(at: usize, bytes: usize): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = at + bytes;
  while (at < end) {
    a = v128.xor(a, v128.load(at, 0));
    b = v128.xor(b, v128.load(at, 16));
    c = v128.xor(c, v128.load(at, 32));
    d = v128.xor(d, v128.load(at, 48));
    a = v128.xor(a, v128.load(at, 64));
    b = v128.xor(b, v128.load(at, 80));
    c = v128.xor(c, v128.load(at, 96));
    d = v128.xor(d, v128.load(at, 112));
    at += 128;
  }
  a = v128.xor(v128.xor(a, b), v128.xor(c, d));
  return (
    i32x4.extract_lane(a, 0) ^ i32x4.extract_lane(a, 1) ^ i32x4.extract_lane(a, 2) ^ i32x4.extract_lane(a, 3)
  );
}
