/**
 * The loops of product.ts and two-way.ts for couplings of at most 8 bits, which are stored as int8. These
 * loops read half as many bytes, and widen eight codes with each load. Sums are in units of a code. The code
 * that widens the sums also shifts them to the unit of int16 couplings.
 */

/** Makes 32 sums over `pairs` column pairs, shifted left by `shift`, into out (int32). */
export function byteSumsOf32(g: usize, w: usize, pairs: i32, out: usize, shift: i32): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let a4 = a0;
  let a5 = a0;
  let a6 = a0;
  let a7 = a0;
  const end = w + ((<usize>pairs) << 2);
  while (w < end) {
    load<i32>(g, 512);
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 8), x));
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 16), x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 24), x));
    a4 = i32x4.add(a4, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 32), x));
    a5 = i32x4.add(a5, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 40), x));
    a6 = i32x4.add(a6, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 48), x));
    a7 = i32x4.add(a7, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 56), x));
    g += 64;
    w += 4;
  }
  v128.store(out, i32x4.shl(a0, shift), 0);
  v128.store(out, i32x4.shl(a1, shift), 16);
  v128.store(out, i32x4.shl(a2, shift), 32);
  v128.store(out, i32x4.shl(a3, shift), 48);
  v128.store(out, i32x4.shl(a4, shift), 64);
  v128.store(out, i32x4.shl(a5, shift), 80);
  v128.store(out, i32x4.shl(a6, shift), 96);
  v128.store(out, i32x4.shl(a7, shift), 112);
}

/** Writes 8 sums in the same way. */
export function byteSumsOf8(g: usize, w: usize, pairs: i32, out: usize, shift: i32): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  const end = w + ((<usize>pairs) << 2);
  while (w < end) {
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 8), x));
    g += 16;
    w += 4;
  }
  v128.store(out, i32x4.shl(a0, shift), 0);
  v128.store(out, i32x4.shl(a1, shift), 16);
}

/** Makes 16 row sums over `pairs` column pairs, into out (int32). */
export function byteSumsOf16(g: usize, w: usize, pairs: i32, out: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const end = w + ((<usize>pairs) << 2);
  while (w < end) {
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 8), x));
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 16), x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load_ext<i8>(g, 24), x));
    g += 32;
    w += 4;
  }
  v128.store(out, a0, 0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/**
 * Adds the products of 8 rows, with the inputs in `rows`, to the sums of `pairs` column pairs in `columns`.
 */
export function addBytesToColumns(g: usize, pairs: i32, rows: usize, columns: usize): void {
  const y0 = v128.load(rows, 0);
  const y1 = v128.load(rows, 16);
  const end = columns + ((<usize>pairs) << 4);
  while (columns < end) {
    const codes = spreadBytes(v128.load(g));
    const s0 = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(codes), y0);
    const s1 = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(codes), y1);
    v128.store(columns, i32x4.add(v128.load(columns), i32x4.add(s0, s1)));
    g += 16;
    columns += 16;
  }
}

/** Writes the row sums of 16 rows to `out`, and adds the products of these rows to `columns`, in one pass. */
export function byteSumsAndColumns(
  g: usize,
  w: usize,
  pairs: i32,
  rows: usize,
  columns: usize,
  out: usize,
): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const y0 = v128.load(rows, 0);
  const y1 = v128.load(rows, 16);
  const y2 = v128.load(rows, 32);
  const y3 = v128.load(rows, 48);
  const end = w + ((<usize>pairs) << 2);
  while (w < end) {
    load<i32>(g, 512);
    const x = v128.load_splat<i32>(w);
    const g0 = v128.load_ext<i8>(g, 0);
    const g1 = v128.load_ext<i8>(g, 8);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(g0, x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(g1, x));
    const s01 = i32x4.add(i32x4.dot_i16x8_s(swapPairs(g0), y0), i32x4.dot_i16x8_s(swapPairs(g1), y1));
    const g2 = v128.load_ext<i8>(g, 16);
    const g3 = v128.load_ext<i8>(g, 24);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(g2, x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(g3, x));
    const s23 = i32x4.add(i32x4.dot_i16x8_s(swapPairs(g2), y2), i32x4.dot_i16x8_s(swapPairs(g3), y3));
    v128.store(columns, i32x4.add(v128.load(columns), i32x4.add(s01, s23)));
    g += 32;
    w += 4;
    columns += 16;
  }
  v128.store(out, a0, 0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/** Swaps the middle two of every four codes: see two-way.ts. Inlined by the compiler. */
function swapPairs(codes: v128): v128 {
  return v128.swizzle(codes, i8x16(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));
}

/** As `swapPairs`, for codes that are not widened to 16 bits yet. */
function spreadBytes(codes: v128): v128 {
  return v128.swizzle(codes, i8x16(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15));
}

/**
 * Packs a panel of `panelRows` (a multiple of 8) rows of int8: src holds them row-major, `stride` bytes
 * apart; dst is [column pair][row][2]. `pairs` is a multiple of 8. It moves 8 × 8 pairs of codes at a time.
 */
export function packByteRows(src: usize, stride: usize, panelRows: i32, pairs: i32, dst: usize): void {
  const pairBytes = (<usize>panelRows) << 1;
  for (let row = 0; row < panelRows; row += 8) {
    let from = src + <usize>row * stride;
    let to = dst + ((<usize>row) << 1);
    for (let pair = 0; pair < pairs; pair += 8) {
      const r0 = v128.load(from);
      const r1 = v128.load(from + stride);
      const r2 = v128.load(from + 2 * stride);
      const r3 = v128.load(from + 3 * stride);
      const r4 = v128.load(from + 4 * stride);
      const r5 = v128.load(from + 5 * stride);
      const r6 = v128.load(from + 6 * stride);
      const r7 = v128.load(from + 7 * stride);
      const a0 = v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11);
      const a1 = v128.shuffle<i16>(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11);
      const a2 = v128.shuffle<i16>(r4, r5, 0, 8, 1, 9, 2, 10, 3, 11);
      const a3 = v128.shuffle<i16>(r6, r7, 0, 8, 1, 9, 2, 10, 3, 11);
      const b0 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
      const b1 = v128.shuffle<i32>(a0, a1, 2, 6, 3, 7);
      const b2 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const b3 = v128.shuffle<i32>(a2, a3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(b0, b2, 0, 2));
      v128.store(to + pairBytes, v128.shuffle<i64>(b0, b2, 1, 3));
      v128.store(to + 2 * pairBytes, v128.shuffle<i64>(b1, b3, 0, 2));
      v128.store(to + 3 * pairBytes, v128.shuffle<i64>(b1, b3, 1, 3));
      const c0 = v128.shuffle<i16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15);
      const c1 = v128.shuffle<i16>(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15);
      const c2 = v128.shuffle<i16>(r4, r5, 4, 12, 5, 13, 6, 14, 7, 15);
      const c3 = v128.shuffle<i16>(r6, r7, 4, 12, 5, 13, 6, 14, 7, 15);
      const d0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
      const d1 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
      const d2 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
      const d3 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
      v128.store(to + 4 * pairBytes, v128.shuffle<i64>(d0, d2, 0, 2));
      v128.store(to + 5 * pairBytes, v128.shuffle<i64>(d0, d2, 1, 3));
      v128.store(to + 6 * pairBytes, v128.shuffle<i64>(d1, d3, 0, 2));
      v128.store(to + 7 * pairBytes, v128.shuffle<i64>(d1, d3, 1, 3));
      from += 16;
      to += 8 * pairBytes;
    }
  }
}

/**
 * Packs the same codes transposed: the panel has `panelRows` columns of src, and its `pairs` column pairs are
 * pairs of src's rows.
 */
export function packByteColumns(src: usize, stride: usize, panelRows: i32, pairs: i32, dst: usize): void {
  for (let pair = 0; pair < pairs; pair++) {
    let from = src;
    for (let row = 0; row < panelRows; row += 8) {
      const a = v128.load64_zero(from);
      const b = v128.load64_zero(from + stride);
      v128.store(dst, v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      from += 8;
      dst += 16;
    }
    src += 2 * stride;
  }
}

/** The largest Σ|code| of `rows` rows of int8, `stride` bytes (a multiple of 16) each; no code is −128. */
export function largestByteNorm(src: usize, stride: usize, rows: i32): i32 {
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    let sums = i32x4.splat(0);
    for (const end = src + stride; src < end; src += 16) {
      const pairs = i16x8.extadd_pairwise_i8x16_u(i8x16.abs(v128.load(src)));
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(pairs));
    }
    const norm =
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3);
    largest = max(largest, norm);
  }
  return largest;
}

/**
 * Finds the ranges of column pairs in which 8 rows of int8, `stride` bytes apart, are not all zero. Writes to
 * `ranges` the number of ranges, then for each its first pair and its length. Both are multiples of 8, and a
 * length is at most `lengthMax`. A longer range is cut. Otherwise at least 16 pairs of zeros lie between two
 * ranges. `pairs` is a multiple of 8.
 */
export function byteRanges(src: usize, stride: usize, pairs: i32, lengthMax: i32, ranges: usize): void {
  let count = 0;
  let start = 0;
  let end = 0;
  let at = ranges + 4;
  for (let pair = 0; pair < pairs; pair += 8, src += 16) {
    let any = v128.load(src);
    for (let row: usize = 1; row < 8; row++) any = v128.or(any, v128.load(src + row * stride));
    if (!v128.any_true(any)) continue;
    const isNext = end > start && pair - end < 16;
    if (!isNext || pair + 8 - start > lengthMax) {
      if (end > start) {
        store<i32>(at, start, 0);
        store<i32>(at, end - start, 4);
        at += 8;
        count++;
      }
      start = pair;
    }
    end = pair + 8;
  }
  if (end > start) {
    store<i32>(at, start, 0);
    store<i32>(at, end - start, 4);
    count++;
  }
  store<i32>(ranges, count);
}
