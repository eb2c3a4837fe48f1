/**
 * Both products of a factored program with one array of int8 that is mostly zeros. The factors of a training
 * are such arrays. Blocks of 16 columns of a row that are all zero are neither kept nor read. The codes are
 * stored twice. The row sums read them by rows. The column sums read them by blocks of columns, with two rows
 * interleaved.
 */
import { rowAmplifiers, rowElements } from './cells';

/** The most blocks of a range. Its sums, in two halves, fit 32 bits: 2 · 2 · 127 · 128 · 2¹⁵ < 2³¹. */
const BLOCKS_MAX = 127;
/** A range keeps up to this many blocks of zeros. To begin another range would cost more. */
const GAP_MAX = 1;
/** The most pairs of rows whose sums fit 32 bits: 2 · 255 · 128 · 2¹⁵ < 2³¹. */
const PAIRS_MAX = 255;

/**
 * Packs the rows of src without their blocks of zeros. src is row-major with `columns` (a multiple of 16)
 * bytes per row. `table` gets for each row its number of ranges. For each range it gets the byte offset of
 * the first input and the number of codes. Returns how many codes are kept.
 */
export function packRowRanges(src: usize, columns: i32, rows: i32, codes: usize, table: usize): i32 {
  const first = codes;
  const blocks = columns >> 4;
  for (let row = 0; row < rows; row++, src += columns) {
    let count = 0;
    let start = 0;
    let end = 0;
    let at = table + 4;
    for (let block = 0; block <= blocks; block++) {
      const isEnd = block === blocks;
      if (!isEnd && !v128.any_true(v128.load(src + ((<usize>block) << 4)))) continue;
      if (!isEnd && end > start && block - end <= GAP_MAX && block - start < BLOCKS_MAX) {
        end = block + 1;
        continue;
      }
      if (end > start) {
        const bytes = (<usize>(end - start)) << 4;
        store<i32>(at, start << 5, 0);
        store<i32>(at, <i32>bytes, 4);
        memory.copy(codes, src + ((<usize>start) << 4), bytes);
        codes += bytes;
        at += 8;
        count++;
      }
      start = block;
      end = block + 1;
    }
    store<i32>(table, count);
    table = at;
  }
  return <i32>(codes - first);
}

/**
 * Packs the same codes by blocks of columns. `table` gets for each block the number of pairs of rows that are
 * not all zero there, and the byte offset of the inputs of each pair.
 */
export function packColumnPairs(src: usize, columns: i32, rows: i32, codes: usize, table: usize): void {
  for (let column = 0; column < columns; column += 16, src += 16) {
    let at = table + 4;
    let from = src;
    for (let row = 0; row < rows; row += 2) {
      const a = v128.load(from);
      const b = v128.load(from + columns);
      from += (<usize>columns) << 1;
      if (!v128.any_true(v128.or(a, b))) continue;
      v128.store(codes, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 0);
      v128.store(
        codes,
        v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
        16,
      );
      store<i32>(at, row << 1);
      codes += 32;
      at += 4;
    }
    store<i32>(table, <i32>((at - table) >> 2) - 1);
    table = at;
  }
}

/** Makes the sums of `rows` rows, shifted left by `shift`, into u (int64). */
function rowSums(codes: usize, table: usize, w: usize, rows: i32, u: usize, shift: i32): void {
  for (const end = u + ((<usize>rows) << 3); u < end; u += 8) {
    let total = i64x2.splat(0);
    const last = table + 4 + ((<usize>load<i32>(table)) << 3);
    for (table += 4; table < last; table += 8) {
      let x = w + <usize>load<i32>(table);
      let low = i32x4.splat(0);
      let high = low;
      for (const stop = codes + <usize>load<i32>(table, 4); codes < stop; codes += 16) {
        low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 0), v128.load(x, 0)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 8), v128.load(x, 16)));
        x += 32;
      }
      const sums = i32x4.add(low, high);
      total = i64x2.add(total, i64x2.extend_low_i32x4_s(sums));
      total = i64x2.add(total, i64x2.extend_high_i32x4_s(sums));
    }
    store<i64>(u, (i64x2.extract_lane(total, 0) + i64x2.extract_lane(total, 1)) << (<i64>shift));
  }
}

/** Makes the sums of `columns` columns over rows with the inputs y, times 2^shift, into s (int64). */
function columnSums(codes: usize, table: usize, y: usize, columns: i32, s: usize, shift: i32): void {
  for (const end = s + ((<usize>columns) << 3); s < end; s += 128) {
    let left = load<i32>(table);
    table += 4;
    let isFirst = true;
    do {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      for (const stop = table + ((<usize>min(left, PAIRS_MAX)) << 2); table < stop; table += 4) {
        const inputs = v128.load_splat<i32>(y + <usize>load<i32>(table));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 0), inputs));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 8), inputs));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 16), inputs));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load_ext<i8>(codes, 24), inputs));
        codes += 32;
      }
      if (!isFirst) {
        addColumns(s, a0, shift);
        addColumns(s + 32, a1, shift);
        addColumns(s + 64, a2, shift);
        addColumns(s + 96, a3, shift);
      } else {
        putColumns(s, a0, shift);
        putColumns(s + 32, a1, shift);
        putColumns(s + 64, a2, shift);
        putColumns(s + 96, a3, shift);
      }
      isFirst = false;
      left -= PAIRS_MAX;
    } while (left > 0);
  }
}

/** Inlined by the compiler. */
function putColumns(s: usize, sums: v128, shift: i32): void {
  v128.store(s, i64x2.shl(i64x2.extend_low_i32x4_s(sums), shift), 0);
  v128.store(s, i64x2.shl(i64x2.extend_high_i32x4_s(sums), shift), 16);
}

function addColumns(s: usize, sums: v128, shift: i32): void {
  v128.store(s, i64x2.add(v128.load(s, 0), i64x2.shl(i64x2.extend_low_i32x4_s(sums), shift)), 0);
  v128.store(s, i64x2.add(v128.load(s, 16), i64x2.shl(i64x2.extend_high_i32x4_s(sums), shift)), 16);
}

/**
 * Makes S of a factored program, packed by `packRowRanges` to `codes` and `table` and by `packColumnPairs` to
 * `columnCodes` and `columnTable`. Returns whether a row went over its limit.
 */
export function productOfRowRanges(
  codes: usize,
  table: usize,
  columnCodes: usize,
  columnTable: usize,
  w: usize,
  columns: i32,
  rows: i32,
  u: usize,
  q: usize,
  y: usize,
  rowFlags: usize,
  shift: i32,
  linear: i32,
  rowTable: usize,
  s: usize,
  couplingShift: i32,
): i32 {
  rowSums(codes, table, w, rows, u, couplingShift);
  const overload = rowAmplifiers(u, q, y, rowFlags, rows, shift, linear);
  if (rowTable) rowElements(y, linear, rows, rowTable);
  columnSums(columnCodes, columnTable, y, columns, s, couplingShift);
  return overload;
}
