/**
 * Thermal noise, four groups of Philox4x32-10 in four lanes. The first two rounds depend little on the tick.
 * From a counter (tick low, tick high, group, 0) they make
 *
 *     c0 = A ^ u0,   c1 = u1,   c2 = B ^ u2,   c3 = C
 *
 * where A, B and C depend on the group and the high half of the tick, and u on the low half. Eight rounds
 * remain per tick.
 */

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const KEY_STEP_0: u32 = 0x9e3779b9;
const KEY_STEP_1: u32 = 0xbb67ae85;

/** Prepares round keys 3 … 10 as splats, and (A, B, C) of four groups at a time: 48 bytes per 16 cells. */
export function prepareNoise(
  keys: usize,
  groups: usize,
  cells: i32,
  dieSeed: u32,
  runSeed: u32,
  tickHigh: u32,
): void {
  let k0 = dieSeed + KEY_STEP_0;
  let k1 = runSeed + KEY_STEP_1;
  for (let round = 0; round < 8; round++) {
    k0 += KEY_STEP_0;
    k1 += KEY_STEP_1;
    v128.store(keys, i32x4.splat(k0), 0);
    v128.store(keys, i32x4.splat(k1), 16);
    keys += 32;
  }
  for (let first: u32 = 0; first < <u32>cells >> 2; first += 4) {
    for (let lane: u32 = 0; lane < 4; lane++) {
      const product = M1 * <u64>(first + lane);
      const second = M0 * <u64>(<u32>(product >> 32) ^ tickHigh ^ dieSeed);
      const to = groups + ((<usize>lane) << 2);
      store<u32>(to, <u32>product, 0);
      store<u32>(to, <u32>(second >> 32), 16);
      store<u32>(to, <u32>second, 32);
    }
    groups += 48;
  }
}

/**
 * Makes one random word per cell, for 2 × 16 cells at once. The last cells may be beyond the program. u0 … u2
 * are as above; m0 and m1 are the multipliers.
 */
export function randomWords(
  words: usize,
  groups: usize,
  cells: i32,
  keys: usize,
  u0: i32,
  u1: i32,
  u2: i32,
  m0: i32,
  m1: i32,
): void {
  const mul0 = i32x4.splat(m0);
  const mul1 = i32x4.splat(m1);
  const end = words + ((<usize>cells) << 2);
  const keysEnd = keys + 256;
  while (words < end) {
    let a0 = v128.xor(v128.load(groups, 0), i32x4.splat(u0));
    let a1 = i32x4.splat(u1);
    let a2 = v128.xor(v128.load(groups, 16), i32x4.splat(u2));
    let a3 = v128.load(groups, 32);
    let b0 = v128.xor(v128.load(groups, 48), i32x4.splat(u0));
    let b1 = a1;
    let b2 = v128.xor(v128.load(groups, 64), i32x4.splat(u2));
    let b3 = v128.load(groups, 80);
    for (let key = keys; key < keysEnd; key += 32) {
      const k0 = v128.load(key, 0);
      const k1 = v128.load(key, 16);
      const ap = i64x2.extmul_low_i32x4_u(a0, mul0);
      const aq = i64x2.extmul_high_i32x4_u(a0, mul0);
      const ar = i64x2.extmul_low_i32x4_u(a2, mul1);
      const as = i64x2.extmul_high_i32x4_u(a2, mul1);
      a0 = v128.xor(v128.xor(v128.shuffle<i32>(ar, as, 1, 3, 5, 7), a1), k0);
      a1 = v128.shuffle<i32>(ar, as, 0, 2, 4, 6);
      a2 = v128.xor(v128.xor(v128.shuffle<i32>(ap, aq, 1, 3, 5, 7), a3), k1);
      a3 = v128.shuffle<i32>(ap, aq, 0, 2, 4, 6);
      const bp = i64x2.extmul_low_i32x4_u(b0, mul0);
      const bq = i64x2.extmul_high_i32x4_u(b0, mul0);
      const br = i64x2.extmul_low_i32x4_u(b2, mul1);
      const bs = i64x2.extmul_high_i32x4_u(b2, mul1);
      b0 = v128.xor(v128.xor(v128.shuffle<i32>(br, bs, 1, 3, 5, 7), b1), k0);
      b1 = v128.shuffle<i32>(br, bs, 0, 2, 4, 6);
      b2 = v128.xor(v128.xor(v128.shuffle<i32>(bp, bq, 1, 3, 5, 7), b3), k1);
      b3 = v128.shuffle<i32>(bp, bq, 0, 2, 4, 6);
    }
    v128.store(words, a0, 0);
    v128.store(words, a1, 16);
    v128.store(words, a2, 32);
    v128.store(words, a3, 48);
    v128.store(words, b0, 64);
    v128.store(words, b1, 80);
    v128.store(words, b2, 96);
    v128.store(words, b3, 112);
    words += 128;
    groups += 96;
  }
}

/** Makes the words of one tick. */
export function tickWords(
  words: usize,
  groups: usize,
  cells: i32,
  keys: usize,
  dieSeed: u32,
  runSeed: u32,
  tickLow: u32,
): void {
  const first = M0 * <u64>tickLow;
  const c2 = <u32>(first >> 32) ^ runSeed;
  const second = M1 * <u64>c2;
  const u0 = <u32>(second >> 32) ^ (dieSeed + KEY_STEP_0);
  const u2 = <u32>first ^ (runSeed + KEY_STEP_1);
  randomWords(words, groups, cells, keys, u0, <u32>second, u2, <u32>M0, <u32>M1);
}

/**
 * Makes z of the words, and η = (a·(z before + z) + 2^(s−1) + (ζ < 0 ? −1 : 0)) >> s. A conversion of x to
 * float gives its octave and segment. It is exact, because the bits that could round are cleared first.
 * `table` holds pairs (base, slope). One turn of the loop takes two vectors. The indices into the table
 * overwrite the words in memory. This is faster than extracting the indices from the lanes.
 */
export function gaussians(
  words: usize,
  cells: i32,
  table: usize,
  z: usize,
  amplitude: usize,
  eta: usize,
  shift: i32,
  magnitudeBits: i32,
  fractionBits: i32,
): void {
  const magnitudes = i32x4.splat(magnitudeBits);
  const fractions = i32x4.splat(fractionBits);
  const one = i32x4.splat(1);
  const unit = i32x4.splat(1 << 14);
  const rounding = i32x4.splat(1 << 13);
  const half = i32x4.splat(1 << (shift - 1));
  // The exponent field of a float is the octave plus 127. An octave has 64 segments of 4 bytes.
  table -= 127 * 64 * 4;
  const end = words + ((<usize>cells) << 2);
  while (words < end) {
    const word0 = v128.load(words, 0);
    const word1 = v128.load(words, 16);
    let x0 = v128.or(v128.and(word0, magnitudes), one);
    let x1 = v128.or(v128.and(word1, magnitudes), one);
    x0 = v128.andnot(x0, i32x4.shr_u(x0, 24));
    x1 = v128.andnot(x1, i32x4.shr_u(x1, 24));
    const bits0 = v128.convert<i32>(x0);
    const bits1 = v128.convert<i32>(x1);
    const entry0 = i32x4.shl(i32x4.shr_u(bits0, 17), 2);
    const entry1 = i32x4.shl(i32x4.shr_u(bits1, 17), 2);
    v128.store(words, entry0, 0);
    let pairs0 = v128.load_zero<u32>(table + <usize>load<u32>(words, 0));
    v128.store(words, entry1, 16);
    let pairs1 = v128.load_zero<u32>(table + <usize>load<u32>(words, 16));
    pairs0 = v128.load_lane<u32>(table + <usize>load<u32>(words, 4), pairs0, 1);
    pairs1 = v128.load_lane<u32>(table + <usize>load<u32>(words, 20), pairs1, 1);
    pairs0 = v128.load_lane<u32>(table + <usize>load<u32>(words, 8), pairs0, 2);
    pairs1 = v128.load_lane<u32>(table + <usize>load<u32>(words, 24), pairs1, 2);
    pairs0 = v128.load_lane<u32>(table + <usize>load<u32>(words, 12), pairs0, 3);
    pairs1 = v128.load_lane<u32>(table + <usize>load<u32>(words, 28), pairs1, 3);
    const weights0 = v128.or(v128.and(i32x4.shl(bits0, 10), fractions), unit);
    const weights1 = v128.or(v128.and(i32x4.shl(bits1, 10), fractions), unit);
    const scaled0 = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs0, weights0), rounding), 14);
    const scaled1 = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(pairs1, weights1), rounding), 14);
    const sign0 = i32x4.shr_s(word0, 31);
    const sign1 = i32x4.shr_s(word1, 31);
    const now0 = i32x4.sub(v128.xor(scaled0, sign0), sign0);
    const now1 = i32x4.sub(v128.xor(scaled1, sign1), sign1);
    const zeta0 = i32x4.add(v128.load(z, 0), now0);
    const zeta1 = i32x4.add(v128.load(z, 16), now1);
    v128.store(z, now0, 0);
    v128.store(z, now1, 16);
    const sum0 = i32x4.add(i32x4.mul(v128.load(amplitude, 0), zeta0), half);
    const sum1 = i32x4.add(i32x4.mul(v128.load(amplitude, 16), zeta1), half);
    v128.store(eta, i32x4.shr_s(i32x4.add(sum0, i32x4.shr_s(zeta0, 31)), shift), 0);
    v128.store(eta, i32x4.shr_s(i32x4.add(sum1, i32x4.shr_s(zeta1, 31)), shift), 16);
    words += 32;
    z += 32;
    amplitude += 32;
    eta += 32;
  }
}
