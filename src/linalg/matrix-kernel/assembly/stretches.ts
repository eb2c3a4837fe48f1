/**
 * A matrix whose rows are stretches, each a number times a vector (../product-matrix.ts). Row r begins at
 * `table` + 16 · r · `stretches`; per stretch there are 16 bytes:
 *
 *     float64  the number
 *     u32      address of the vector
 *     u32      unused
 *
 * A header of 16 bytes stands before the entries of a vector. Zeros behind the entries fill the vector up to
 * a multiple of 16 entries. The header is:
 *
 *     float64  largest magnitude of its entries; NaN is ignored
 *     i32      how many entries it has, at least 1
 *     u32      unused
 *
 * The stretches of one place have the same length in all rows.
 */

const F64: usize = 8;
export const RECORD: usize = 16;
const HEADER: usize = 16;

/** Sets the largest magnitude of `count` vectors, which lie one after another from `first` on. */
export function largestOfVectors(first: usize, count: i32): void {
  let vector = first;
  for (let v = 0; v < count; v++) {
    const paddedBytes = F64 * <usize>((lengthOf(vector) + 15) & ~15);
    let largest = f64x2.splat(0);
    const end = vector + HEADER + paddedBytes;
    for (let at = vector + HEADER; at < end; at += 16)
      largest = f64x2.pmax(largest, f64x2.abs(v128.load(at)));
    store<f64>(vector, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)));
    vector = end;
  }
}

/**
 * Writes all entries, row by row; −0 is written as 0. Writing a stretch may overwrite up to 8 bytes behind
 * it. These bytes belong to the next stretch, which is written later.
 */
export function writeStretches(table: usize, rows: i32, stretches: i32, to: usize): void {
  const end = table + RECORD * <usize>(rows * stretches);
  for (let record = table; record < end; record += RECORD) {
    const scales = f64x2.splat(load<f64>(record));
    let from = entriesOf(vectorOf(record));
    const stop = to + F64 * <usize>lengthOf(vectorOf(record));
    for (let at = to; at < stop; at += 16, from += 16)
      v128.store(at, f64x2.add(f64x2.splat(0), f64x2.mul(scales, v128.load(from))));
    to = stop;
  }
}

export function vectorOf(record: usize): usize {
  return <usize>load<u32>(record + F64);
}

export function entriesOf(vector: usize): usize {
  return vector + HEADER;
}

export function lengthOf(vector: usize): i32 {
  return load<i32>(vector + F64);
}

/**
 * The largest magnitude in a stretch: |number| times the largest magnitude in its vector. No other product of
 * the number is larger, because rounding is monotone.
 */
export function reachOf(record: usize): f64 {
  return abs(load<f64>(record)) * load<f64>(vectorOf(record));
}
