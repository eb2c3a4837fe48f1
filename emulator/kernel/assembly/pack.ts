/** Packs row-major couplings into panels, and finds where the 32-bit sums of a panel must be widened. */

/**
 * Packs a panel of `panelRows` (32 or 8) rows: src holds them row-major, `stride` bytes apart; dst is [column
 * pair][row][2]. `pairs` is a multiple of 4.
 */
export function packRows(src: usize, stride: usize, panelRows: i32, pairs: i32, dst: usize): void {
  const pairBytes = (<usize>panelRows) << 2;
  for (let row = 0; row < panelRows; row += 4) {
    let from = src + <usize>row * stride;
    let to = dst + ((<usize>row) << 2);
    for (let pair = 0; pair < pairs; pair += 4) {
      const a = v128.load(from);
      const b = v128.load(from + stride);
      const c = v128.load(from + 2 * stride);
      const d = v128.load(from + 3 * stride);
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
      v128.store(to + pairBytes, v128.shuffle<i64>(ab0, cd0, 1, 3));
      v128.store(to + 2 * pairBytes, v128.shuffle<i64>(ab1, cd1, 0, 2));
      v128.store(to + 3 * pairBytes, v128.shuffle<i64>(ab1, cd1, 1, 3));
      from += 16;
      to += 4 * pairBytes;
    }
  }
}

/**
 * Packs the same couplings transposed: the panel has `panelRows` columns of src, and its `pairs` column pairs
 * are pairs of src's rows.
 */
export function packColumns(src: usize, stride: usize, panelRows: i32, pairs: i32, dst: usize): void {
  for (let pair = 0; pair < pairs; pair++) {
    let from = src;
    for (let row = 0; row < panelRows; row += 8) {
      const a = v128.load(from);
      const b = v128.load(from + stride);
      v128.store(dst, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), 0);
      v128.store(dst, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
      from += 16;
      dst += 32;
    }
    src += 2 * stride;
  }
}

/**
 * Cuts a panel into blocks of column pairs. In a block no row's Σ|g| is above `limit`. Writes to `blocks` the
 * number of blocks and their lengths. Returns the largest Σ|g| of a whole row. `pairs` is even; lengths are
 * even if the limit allows it. `norms` has room for two times `panelRows` int32.
 */
export function cutBlocks(
  g: usize,
  panelRows: i32,
  pairs: i32,
  limit: i32,
  blocks: usize,
  norms: usize,
): i32 {
  const rowBytes = (<usize>panelRows) << 2;
  const totals = norms + rowBytes;
  memory.fill(norms, 0, 2 * rowBytes);
  const limits = i32x4.splat(limit);
  const ones = i16x8.splat(1);
  let count = 0;
  let length = 0;
  for (let pair = 0; pair < pairs; pair += 2) {
    let above = i32x4.splat(0);
    let aboveAlone = above;
    for (let at: usize = 0; at < rowBytes; at += 16) {
      const first = i32x4.dot_i16x8_s(i16x8.abs(v128.load(g + at)), ones);
      const both = i32x4.add(first, i32x4.dot_i16x8_s(i16x8.abs(v128.load(g + rowBytes + at)), ones));
      above = v128.or(above, i32x4.gt_s(i32x4.add(v128.load(norms + at), both), limits));
      aboveAlone = v128.or(aboveAlone, i32x4.gt_s(both, limits));
    }
    const cut = v128.any_true(above);
    const alone = v128.any_true(aboveAlone);
    if (cut && length > 0) {
      count++;
      store<i32>(blocks + ((<usize>count) << 2), length);
      length = 0;
    }
    for (let at: usize = 0; at < rowBytes; at += 16) {
      const first = i32x4.dot_i16x8_s(i16x8.abs(v128.load(g + at)), ones);
      const both = i32x4.add(first, i32x4.dot_i16x8_s(i16x8.abs(v128.load(g + rowBytes + at)), ones));
      v128.store(norms + at, cut ? both : i32x4.add(v128.load(norms + at), both));
      v128.store(totals + at, i32x4.add(v128.load(totals + at), both));
    }
    if (alone) {
      // Two pairs do not fit one block. Each gets a block of its own, and the next block starts empty.
      store<i32>(blocks + ((<usize>count) << 2), 1, 4);
      store<i32>(blocks + ((<usize>count) << 2), 1, 8);
      count += 2;
      memory.fill(norms, 0, rowBytes);
    } else length += 2;
    g += 2 * rowBytes;
  }
  if (length > 0) {
    count++;
    store<i32>(blocks + ((<usize>count) << 2), length);
  }
  store<i32>(blocks, count);
  let largest = 0;
  for (let at: usize = 0; at < rowBytes; at += 4) {
    const norm = load<i32>(totals + at);
    if (norm > largest) largest = norm;
  }
  return largest;
}
