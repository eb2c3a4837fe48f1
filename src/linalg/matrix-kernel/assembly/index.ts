/**
 * The loops of matrix-room.ts, two float64 at once; addresses and sizes in bytes are usize, counts are i32.
 */

const F64: usize = 8;
const MAGNITUDE = i64.MAX_VALUE;
/** Adding and subtracting it rounds |x| < 2⁵¹ half to even, as quantize.ts does. */
const ROUNDER: f64 = 6755399441055744;

/** target[i · stride + j] = 0 + x[i] · y[j] for i < m, j < n; stride in entries. */
export function setOuterProduct(target: usize, stride: i32, x: usize, m: i32, y: usize, n: i32): void {
  for (let i = 0; i < m; i++) {
    const factor = load<f64>(x + F64 * i);
    const factors = f64x2.splat(factor);
    let at = target + F64 * <usize>(i * stride);
    let from = y;
    const end = y + F64 * (n & ~1);
    for (; from < end; from += 16, at += 16)
      v128.store(at, f64x2.add(f64x2.splat(0), f64x2.mul(factors, v128.load(from))));
    if ((n & 1) !== 0) store<f64>(at, 0.0 + factor * load<f64>(from));
  }
}

/** target[i · stride + j] += x[i] · y[j] for i < m, j < n. */
export function addOuterProduct(target: usize, stride: i32, x: usize, m: i32, y: usize, n: i32): void {
  for (let i = 0; i < m; i++) {
    const factor = load<f64>(x + F64 * i);
    const factors = f64x2.splat(factor);
    let at = target + F64 * <usize>(i * stride);
    let from = y;
    const end = y + F64 * (n & ~1);
    for (; from < end; from += 16, at += 16)
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(factors, v128.load(from))));
    if ((n & 1) !== 0) store<f64>(at, load<f64>(at) + factor * load<f64>(from));
  }
}

/** Writes largest magnitude, sum of magnitudes and sum of squares of each row: three float64 a row. */
export function measureRows(from: usize, rows: i32, columns: i32, out: usize): void {
  const magnitude = i64x2.splat(MAGNITUDE);
  let at = from;
  for (let r = 0; r < rows; r++, out += 3 * F64) {
    let largest = f64x2.splat(0);
    let sums = f64x2.splat(0);
    let squares = f64x2.splat(0);
    const end = at + F64 * (columns & ~1);
    for (; at < end; at += 16) {
      const entries = v128.and(v128.load(at), magnitude);
      largest = f64x2.pmax(largest, entries);
      sums = f64x2.add(sums, entries);
      squares = f64x2.add(squares, f64x2.mul(entries, entries));
    }
    let rest: f64 = 0;
    if ((columns & 1) !== 0) {
      rest = abs(load<f64>(at));
      at += F64;
    }
    const high = max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1));
    store<f64>(out, max(high, rest));
    store<f64>(out + F64, f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) + rest);
    store<f64>(out + 2 * F64, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1) + rest * rest);
  }
}

/** Two products, rounded half to even, as the lower two int32. */
function rounded(from: usize, factors: v128): v128 {
  const rounder = f64x2.splat(ROUNDER);
  const sums = f64x2.add(f64x2.mul(factors, v128.load(from)), rounder);
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(sums, rounder));
}

/** Four products, rounded half to even, as int32. */
function fourRounded(from: usize, factors: v128): v128 {
  return i64x2.shuffle(rounded(from, factors), rounded(from + 16, factors), 0, 2);
}

/**
 * Writes roundHalfEven(factor · value) of `length` values, a multiple of 16, as int8, and returns the bits
 * that the magnitudes use. A code beyond int8 shows in these bits.
 */
export function roundToInt8(from: usize, length: i32, factor: f64, to: usize): i32 {
  const factors = f64x2.splat(factor);
  let used = i32x4.splat(0);
  const end = to + <usize>length;
  for (; to < end; to += 16, from += 128) {
    const a = fourRounded(from, factors);
    const b = fourRounded(from + 32, factors);
    const c = fourRounded(from + 64, factors);
    const d = fourRounded(from + 96, factors);
    used = v128.or(used, v128.or(v128.or(i32x4.abs(a), i32x4.abs(b)), v128.or(i32x4.abs(c), i32x4.abs(d))));
    v128.store(to, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
  }
  return bitsOf(used);
}

/** The same as int16. */
export function roundToInt16(from: usize, length: i32, factor: f64, to: usize): i32 {
  const factors = f64x2.splat(factor);
  let used = i32x4.splat(0);
  const end = to + 2 * <usize>length;
  for (; to < end; to += 16, from += 64) {
    const a = fourRounded(from, factors);
    const b = fourRounded(from + 32, factors);
    used = v128.or(used, v128.or(i32x4.abs(a), i32x4.abs(b)));
    v128.store(to, i16x8.narrow_i32x4_s(a, b));
  }
  return bitsOf(used);
}

function bitsOf(used: v128): i32 {
  const half = v128.or(used, i64x2.shuffle(used, used, 1, 0));
  return i32x4.extract_lane(half, 0) | i32x4.extract_lane(half, 1);
}

/**
 * For each position and output o with x_i = roots_i · (δ_i − Σ_k p_k δ_k), i < m: target[i · stride + o · n +
 * j] += x_i · a_j for j < n, and sums[o · m + i] += x_i.
 *
 * δ is float32, [position][output][m]; a is float64, [position][n]. A δ of zeros adds nothing. `x` is room
 * for m float64.
 */
export function addCenteredProducts(
  target: usize,
  stride: i32,
  sums: usize,
  p: usize,
  roots: usize,
  x: usize,
  m: i32,
  deltas: usize,
  positions: i32,
  outputs: i32,
  activations: usize,
  n: i32,
): void {
  let delta = deltas;
  let a = activations;
  for (let position = 0; position < positions; position++, a += F64 * n) {
    const isBlank = isZero64(a, n);
    for (let o = 0; o < outputs; o++, delta += 4 * m) {
      if (isZero32(delta, m)) continue;
      let mean: f64 = 0;
      for (let k = 0; k < m; k++) mean += load<f64>(p + F64 * k) * <f64>load<f32>(delta + 4 * k);
      let sum = sums + F64 * <usize>(o * m);
      for (let i = 0; i < m; i++, sum += F64) {
        const value = load<f64>(roots + F64 * i) * (<f64>load<f32>(delta + 4 * i) - mean);
        store<f64>(x + F64 * i, value);
        store<f64>(sum, load<f64>(sum) + value);
      }
      if (!isBlank) addOuterProduct(target + F64 * <usize>(o * n), stride, x, m, a, n);
    }
  }
}

function isZero64(from: usize, length: i32): bool {
  for (let i = 0; i < length; i++) if (load<f64>(from + F64 * i) !== 0) return false;
  return true;
}

function isZero32(from: usize, length: i32): bool {
  for (let i = 0; i < length; i++) if (load<f32>(from + 4 * i) !== 0) return false;
  return true;
}
