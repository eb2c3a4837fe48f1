/**
 * The steps of a tick other than the products (device-model.md, "One tick"), for four cells or rows at a
 * time. The caller pads lengths.
 */

/**
 * WebAssembly has no arithmetic shift of 64-bit lanes. So this offset is added before an unsigned shift and
 * subtracted after it. |T|, |U| < 2⁴⁷.
 */
const BIAS_LOG2: i64 = 48;
/** A change of v beyond this leaves the rails for every v and η: |v| < 2²⁵, |η| < 2²⁴. */
const DELTA_MAX: i32 = 1 << 28;
const ROW_RAIL: i32 = 20480;

/** u = v + c; w = u >> 10; c = u − w·2¹⁰. Returns the largest |w|. */
export function arrayInput(v: usize, c: usize, w: usize, cells: i32): i32 {
  const mask = i32x4.splat(1023);
  let largest = i16x8.splat(0);
  const end = v + ((<usize>cells) << 2);
  while (v < end) {
    const u0 = i32x4.add(v128.load(v, 0), v128.load(c, 0));
    const u1 = i32x4.add(v128.load(v, 16), v128.load(c, 16));
    v128.store(c, v128.and(u0, mask), 0);
    v128.store(c, v128.and(u1, mask), 16);
    const input = i16x8.narrow_i32x4_s(i32x4.shr_s(u0, 10), i32x4.shr_s(u1, 10));
    v128.store(w, input);
    largest = i16x8.max_s(largest, i16x8.abs(input));
    v += 32;
    c += 32;
    w += 16;
  }
  largest = i16x8.max_s(largest, v128.shuffle<i64>(largest, largest, 1, 0));
  largest = i16x8.max_s(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  return max(i16x8.extract_lane_s(largest, 0), i16x8.extract_lane_s(largest, 1));
}

/**
 * y = (U + q) >> shift; q = the rest. A y beyond its limit is clamped, and its row is flagged if it is one of
 * the first `linear` rows. Returns whether any row was flagged.
 */
export function rowAmplifiers(
  u: usize,
  q: usize,
  y: usize,
  flags: usize,
  rows: i32,
  shift: i32,
  linear: i32,
): i32 {
  const bias = i64x2.splat((<i64>1) << BIAS_LOG2);
  const shiftedBias = i32x4.splat(<i32>((<i64>1) << (BIAS_LOG2 - <i64>shift)));
  const mask = i32x4.splat((1 << shift) - 1);
  const most = i32x4.splat(ROW_RAIL);
  const least = i32x4.splat(-ROW_RAIL);
  let overload = 0;
  const end = q + ((<usize>rows) << 2);
  while (q < end) {
    const carry = v128.load(q);
    const low = i64x2.add(i64x2.add(v128.load(u, 0), bias), i64x2.extend_low_i32x4_u(carry));
    const high = i64x2.add(i64x2.add(v128.load(u, 16), bias), i64x2.extend_high_i32x4_u(carry));
    const out = i32x4.sub(
      v128.shuffle<i32>(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift), 0, 2, 4, 6),
      shiftedBias,
    );
    const over = v128.or(i32x4.gt_s(out, most), i32x4.lt_s(out, least));
    const rest = v128.and(v128.shuffle<i32>(low, high, 0, 2, 4, 6), mask);
    v128.store(q, v128.andnot(rest, over));
    const clamped = i32x4.max_s(i32x4.min_s(out, most), least);
    v128.store64_lane(y, i16x8.narrow_i32x4_s(clamped, clamped), 0);
    if (v128.any_true(over)) {
      const bits = i32x4.bitmask(over) & firstLanes(linear);
      setFlags(flags, bits);
      overload |= bits;
    }
    u += 32;
    q += 16;
    y += 8;
    flags += 4;
    linear -= 4;
  }
  return overload ? 1 : 0;
}

/** The bits of the first `count` of four lanes. */
function firstLanes(count: i32): i32 {
  if (count >= 4) return 15;
  return count <= 0 ? 0 : (1 << count) - 1;
}

/**
 * For rows from `first` up to, but not including, `end`: y = T(y), linear between nodes that are 256 apart.
 */
export function rowElements(y: usize, first: i32, end: i32, table: usize): void {
  for (let row = max(first, 0); row < end; row++) {
    const at = y + ((<usize>row) << 1);
    const from = <i32>load<i16>(at) + ROW_RAIL;
    const node = table + ((<usize>(from >> 8)) << 1);
    const value = <i32>load<i16>(node);
    const rise = (<i32>load<i16>(node, 2) - value) * (from & 255);
    store<i16>(at, <i16>(value + ((rise + 128) >> 8)));
  }
}

/** Sets byte i to 1 where bit i is set. */
export function setFlags(flags: usize, bits: i32): void {
  if (bits & 1) store<u8>(flags, 1, 0);
  if (bits & 2) store<u8>(flags, 1, 1);
  if (bits & 4) store<u8>(flags, 1, 2);
  if (bits & 8) store<u8>(flags, 1, 3);
}

/**
 * Makes the constant K = 32·e + λ·2¹⁵ + bias of every cell. T + bias is K − S − λ·(w + 2¹⁵) + r. In this form
 * w + 2¹⁵ is never negative.
 */
export function integratorConstants(drive: usize, damping: usize, out: usize, cells: i32): void {
  for (let i = 0; i < cells; i++) {
    const at = (<usize>i) << 2;
    const sum = 32 * <i64>load<i32>(drive + at) + ((<i64>load<u32>(damping + at)) << 15);
    store<i64>(out + (at << 1), sum + ((<i64>1) << BIAS_LOG2));
  }
}

/**
 * T = 32·e − S − λ·w + r; Δ = T >> shift; r = the rest; v = clamp(v + Δ + η, ± rail). S is int64 and is
 * shifted left by ρ. Returns whether any cell was clamped.
 */
export function integrateWide(
  v: usize,
  r: usize,
  w: usize,
  s: usize,
  constant: usize,
  damping: usize,
  eta: usize,
  flags: usize,
  cells: i32,
  shift: i32,
  attenuation: i32,
  rail: i32,
): i32 {
  const mask = i32x4.splat((1 << shift) - 1);
  const most = i32x4.splat(rail);
  const least = i32x4.splat(-rail);
  // Makes Δ an unsigned 32-bit number with an offset of 2³¹, if it fits.
  const offset = i64x2.splat(((<i64>1) << (BIAS_LOG2 - <i64>shift)) - ((<i64>1) << 31));
  const half = i32x4.splat(1 << 15);
  const zero = i32x4.splat(0);
  const top = i32x4.splat(i32.MIN_VALUE);
  const largest = i32x4.splat(DELTA_MAX);
  const smallest = i32x4.splat(-DELTA_MAX);
  let overload = 0;
  const end = v + ((<usize>cells) << 2);
  while (v < end) {
    const seen = i32x4.add(v128.load_ext<i16>(w), half);
    const lambda = v128.load(damping);
    const carry = v128.load(r);
    let low = i64x2.sub(v128.load(constant, 0), i64x2.shl(v128.load(s, 0), attenuation));
    let high = i64x2.sub(v128.load(constant, 16), i64x2.shl(v128.load(s, 16), attenuation));
    low = i64x2.sub(low, i64x2.extmul_low_i32x4_u(lambda, seen));
    high = i64x2.sub(high, i64x2.extmul_high_i32x4_u(lambda, seen));
    low = i64x2.add(low, i64x2.extend_low_i32x4_u(carry));
    high = i64x2.add(high, i64x2.extend_high_i32x4_u(carry));
    v128.store(r, v128.and(v128.shuffle<i32>(low, high, 0, 2, 4, 6), mask));
    low = i64x2.sub(i64x2.shr_u(low, shift), offset);
    high = i64x2.sub(i64x2.shr_u(high, shift), offset);
    const upper = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
    let delta = v128.xor(v128.shuffle<i32>(low, high, 0, 2, 4, 6), top);
    const beyond = v128.bitselect(smallest, largest, i32x4.lt_s(upper, zero));
    delta = v128.bitselect(delta, beyond, i32x4.eq(upper, zero));
    delta = i32x4.max_s(i32x4.min_s(delta, largest), smallest);
    const x = i32x4.add(i32x4.add(v128.load(v), delta), v128.load(eta));
    const over = v128.or(i32x4.gt_s(x, most), i32x4.lt_s(x, least));
    v128.store(v, i32x4.max_s(i32x4.min_s(x, most), least));
    if (v128.any_true(over)) {
      setFlags(flags, i32x4.bitmask(over));
      overload = 1;
    }
    v += 16;
    r += 16;
    w += 8;
    s += 32;
    constant += 32;
    damping += 16;
    eta += 16;
    flags += 4;
  }
  return overload;
}

/** The same as `integrateWide`, for programs with ρ = 0 whose Δ fits 32 bits in any state. */
export function integrateModerate(
  v: usize,
  r: usize,
  w: usize,
  s: usize,
  constant: usize,
  damping: usize,
  eta: usize,
  flags: usize,
  cells: i32,
  shift: i32,
  rail: i32,
): i32 {
  const mask = i32x4.splat((1 << shift) - 1);
  const most = i32x4.splat(rail);
  const least = i32x4.splat(-rail);
  const half = i32x4.splat(1 << 15);
  const shiftedBias = i32x4.splat(<i32>((<i64>1) << (BIAS_LOG2 - <i64>shift)));
  let overload = 0;
  const end = v + ((<usize>cells) << 2);
  while (v < end) {
    const seen = i32x4.add(v128.load_ext<i16>(w), half);
    const lambda = v128.load(damping);
    const carry = v128.load(r);
    let low = i64x2.sub(v128.load(constant, 0), v128.load(s, 0));
    let high = i64x2.sub(v128.load(constant, 16), v128.load(s, 16));
    low = i64x2.sub(low, i64x2.extmul_low_i32x4_u(lambda, seen));
    high = i64x2.sub(high, i64x2.extmul_high_i32x4_u(lambda, seen));
    low = i64x2.add(low, i64x2.extend_low_i32x4_u(carry));
    high = i64x2.add(high, i64x2.extend_high_i32x4_u(carry));
    v128.store(r, v128.and(v128.shuffle<i32>(low, high, 0, 2, 4, 6), mask));
    const biased = v128.shuffle<i32>(i64x2.shr_u(low, shift), i64x2.shr_u(high, shift), 0, 2, 4, 6);
    const delta = i32x4.sub(biased, shiftedBias);
    const x = i32x4.add(i32x4.add(v128.load(v), delta), v128.load(eta));
    const clamped = i32x4.max_s(i32x4.min_s(x, most), least);
    v128.store(v, clamped);
    const over = i32x4.ne(x, clamped);
    if (v128.any_true(over)) {
      setFlags(flags, i32x4.bitmask(over));
      overload = 1;
    }
    v += 16;
    r += 16;
    w += 8;
    s += 32;
    constant += 32;
    damping += 16;
    eta += 16;
    flags += 4;
  }
  return overload;
}

/**
 * As `integrateWide`, for S as int32, ρ = 0 and |T| < 2³¹. Partial sums may wrap around, but T does not. It
 * takes eight cells at a time.
 */
export function integrateNarrow(
  v: usize,
  r: usize,
  w: usize,
  s: usize,
  drive: usize,
  damping: usize,
  eta: usize,
  flags: usize,
  cells: i32,
  shift: i32,
  rail: i32,
): i32 {
  const mask = i32x4.splat((1 << shift) - 1);
  const most = i32x4.splat(rail);
  const least = i32x4.splat(-rail);
  let overload = 0;
  const end = v + ((<usize>cells) << 2);
  while (v < end) {
    let t0 = i32x4.sub(i32x4.shl(v128.load(drive, 0), 5), v128.load(s, 0));
    let t1 = i32x4.sub(i32x4.shl(v128.load(drive, 16), 5), v128.load(s, 16));
    t0 = i32x4.sub(t0, i32x4.mul(v128.load(damping, 0), v128.load_ext<i16>(w, 0)));
    t1 = i32x4.sub(t1, i32x4.mul(v128.load(damping, 16), v128.load_ext<i16>(w, 8)));
    t0 = i32x4.add(t0, v128.load(r, 0));
    t1 = i32x4.add(t1, v128.load(r, 16));
    v128.store(r, v128.and(t0, mask), 0);
    v128.store(r, v128.and(t1, mask), 16);
    const x0 = i32x4.add(i32x4.add(v128.load(v, 0), i32x4.shr_s(t0, shift)), v128.load(eta, 0));
    const x1 = i32x4.add(i32x4.add(v128.load(v, 16), i32x4.shr_s(t1, shift)), v128.load(eta, 16));
    const y0 = i32x4.max_s(i32x4.min_s(x0, most), least);
    const y1 = i32x4.max_s(i32x4.min_s(x1, most), least);
    v128.store(v, y0, 0);
    v128.store(v, y1, 16);
    const over0 = i32x4.ne(x0, y0);
    const over1 = i32x4.ne(x1, y1);
    if (v128.any_true(v128.or(over0, over1))) {
      setFlags(flags, i32x4.bitmask(over0));
      setFlags(flags + 4, i32x4.bitmask(over1));
      overload = 1;
    }
    v += 32;
    r += 32;
    w += 16;
    s += 32;
    drive += 32;
    damping += 32;
    eta += 32;
    flags += 8;
  }
  return overload;
}
