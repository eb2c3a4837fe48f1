import { entriesOf, lengthOf, RECORD, reachOf, vectorOf } from './stretches';

/**
 * Adding this number to x and then subtracting it rounds x to a whole number, half to even, as quantize.ts
 * does. |x| must be below 2⁵¹.
 */
const ROUNDER: f64 = 6755399441055744;
/** All magnitudes up to this one are rounded to 0, because halves go to even. */
const ROUNDED_TO_ZERO: f64 = 0.5;

/**
 * Writes roundHalfEven(factor · value) of `length` values as int8; `length` is a multiple of 16. Returns the
 * bitwise OR of all magnitudes, which shows whether a code exceeds int8.
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

/** Like `roundToInt8`, but writes int16. */
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

/** Multiplies four values by `factors`, and rounds them to int32. */
function fourRounded(from: usize, factors: v128): v128 {
  return rounded(f64x2.mul(factors, v128.load(from)), f64x2.mul(factors, v128.load(from + 16)));
}

/**
 * Writes roundHalfEven(factor · entry) of all entries as int8, row by row. It also overwrites up to 15 bytes
 * behind the last code. Returns the bitwise OR of all magnitudes.
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
    // Values written behind the stretch belong to the next stretch, which is written later.
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

/** Like `roundStretchesToInt8`, but writes int16, and overwrites up to 14 bytes behind the last code. */
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

/**
 * Multiplies four entries by `scales` and then by `factors`, each product in float64, and rounds them to
 * int32.
 */
function fourOfStretch(from: usize, scales: v128, factors: v128): v128 {
  return rounded(
    f64x2.mul(factors, f64x2.mul(scales, v128.load(from))),
    f64x2.mul(factors, f64x2.mul(scales, v128.load(from + 16))),
  );
}

/** Rounds four float64 half to even, to int32. */
function rounded(first: v128, second: v128): v128 {
  return i64x2.shuffle(twoRounded(first), twoRounded(second), 0, 2);
}

/** Converts two float64 to the lower two int32. */
function twoRounded(values: v128): v128 {
  const rounder = f64x2.splat(ROUNDER);
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.sub(f64x2.add(values, rounder), rounder));
}

/** Converts sixteen int32 to int8, with saturation. */
function int8Of(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(int16Of(a, b), int16Of(c, d));
}

/** Converts eight int32 to int16, with saturation. */
function int16Of(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_s(a, b);
}

/** Bitwise OR of the magnitudes of eight int32, in four lanes. */
function bitsOfTwo(a: v128, b: v128): v128 {
  return v128.or(i32x4.abs(a), i32x4.abs(b));
}

/** Bitwise OR of all lanes. */
function bitsOf(used: v128): i32 {
  const half = v128.or(used, i64x2.shuffle(used, used, 1, 0));
  return i32x4.extract_lane(half, 0) | i32x4.extract_lane(half, 1);
}
