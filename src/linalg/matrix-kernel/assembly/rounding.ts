import { entriesOf, lengthOf, RECORD, reachOf, vectorOf } from './stretches';

/** Adding and subtracting it rounds |x| < 2⁵¹ half to even, as quantize.ts does. */
const ROUNDER: f64 = 6755399441055744;
/** Rounding halves to even, all magnitudes up to here become 0. */
const ROUNDED_TO_ZERO: f64 = 0.5;

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
    used = v128.or(used, v128.or(bitsOfTwo(a, b), bitsOfTwo(c, d)));
    v128.store(to, int8Of(a, b, c, d));
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
    used = v128.or(used, bitsOfTwo(a, b));
    v128.store(to, int16Of(a, b));
  }
  return bitsOf(used);
}

/** Four values times `factors`, rounded, as int32. */
function fourRounded(from: usize, factors: v128): v128 {
  return rounded(f64x2.mul(factors, v128.load(from)), f64x2.mul(factors, v128.load(from + 16)));
}

/**
 * Writes roundHalfEven(factor · entry) of all entries as int8, row by row, and up to 15 bytes behind them.
 * Returns the bits that the magnitudes use.
 */
export function roundStretchesToInt8(table: usize, rows: i32, stretches: i32, factor: f64, to: usize): i32 {
  const factors = f64x2.splat(factor);
  let used = i32x4.splat(0);
  const end = table + RECORD * <usize>(rows * stretches);
  for (let record = table; record < end; record += RECORD) {
    const vector = vectorOf(record);
    const length = <usize>lengthOf(vector);
    if (!(abs(factor * reachOf(record)) > ROUNDED_TO_ZERO)) {
      memory.fill(to, 0, length);
      to += length;
      continue;
    }
    // What is written behind the stretch belongs to the next one, which is written later.
    const scales = f64x2.splat(load<f64>(record));
    let from = entriesOf(vector);
    const stop = to + length;
    for (let at = to; at < stop; at += 16, from += 128) {
      const a = fourOfStretch(from, scales, factors);
      const b = fourOfStretch(from + 32, scales, factors);
      const c = fourOfStretch(from + 64, scales, factors);
      const d = fourOfStretch(from + 96, scales, factors);
      used = v128.or(used, v128.or(bitsOfTwo(a, b), bitsOfTwo(c, d)));
      v128.store(at, int8Of(a, b, c, d));
    }
    to = stop;
  }
  return bitsOf(used);
}

/** The same as int16, and up to 14 bytes behind them. */
export function roundStretchesToInt16(table: usize, rows: i32, stretches: i32, factor: f64, to: usize): i32 {
  const factors = f64x2.splat(factor);
  let used = i32x4.splat(0);
  const end = table + RECORD * <usize>(rows * stretches);
  for (let record = table; record < end; record += RECORD) {
    const vector = vectorOf(record);
    const scales = f64x2.splat(load<f64>(record));
    let from = entriesOf(vector);
    const stop = to + 2 * <usize>lengthOf(vector);
    for (let at = to; at < stop; at += 16, from += 64) {
      const a = fourOfStretch(from, scales, factors);
      const b = fourOfStretch(from + 32, scales, factors);
      used = v128.or(used, bitsOfTwo(a, b));
      v128.store(at, int16Of(a, b));
    }
    to = stop;
  }
  return bitsOf(used);
}

/** Four entries, each rounded to float64, times `factors`, rounded, as int32. */
function fourOfStretch(from: usize, scales: v128, factors: v128): v128 {
  return rounded(
    f64x2.mul(factors, f64x2.mul(scales, v128.load(from))),
    f64x2.mul(factors, f64x2.mul(scales, v128.load(from + 16))),
  );
}

/** Four float64, rounded half to even, as int32. */
function rounded(first: v128, second: v128): v128 {
  return i64x2.shuffle(twoRounded(first), twoRounded(second), 0, 2);
}

/** Two of them as the lower two int32. */
function twoRounded(values: v128): v128 {
  const rounder = f64x2.splat(ROUNDER);
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(f64x2.add(values, rounder), rounder));
}

/** Sixteen int32 as int8; those that do not fit saturate. */
function int8Of(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(int16Of(a, b), int16Of(c, d));
}

/** Eight int32 as int16; those that do not fit saturate. */
function int16Of(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_s(a, b);
}

/** The bits that the magnitudes of eight int32 use, in four lanes. */
function bitsOfTwo(a: v128, b: v128): v128 {
  return v128.or(i32x4.abs(a), i32x4.abs(b));
}

/** The bits of all lanes together. */
function bitsOf(used: v128): i32 {
  const half = v128.or(used, i64x2.shuffle(used, used, 1, 0));
  return i32x4.extract_lane(half, 0) | i32x4.extract_lane(half, 1);
}
