/**
 * Products that read each coupling once and use it twice: for its row and, transposed, for its column. A
 * factored program whose two arrays are the same needs both products, and so does a symmetric dense program
 * of which only the upper half is stored. For arrays larger than the second-level cache, reading takes most
 * of the time.
 *
 * Couplings are stored in panels of 16 rows, in the order [column pair][row][2]. Before a column product, the
 * middle two of every four codes are swapped: then a lane of 32 bits holds the codes of two rows of one
 * column. Column sums are kept as four lanes per column pair: each of the two columns has two lanes.
 * Couplings of at most 8 bits may be stored as int8, as in product.ts.
 */
import { addBytesToColumns, byteSumsAndColumns, byteSumsOf8, byteSumsOf16 } from './byte-products';
import { rowAmplifiers, rowElements } from './cells';
import { widenFirst, widenNext } from './product';

const PANEL_ROWS = 16;
/** A column pair of a panel has 2 to this power bytes. */
const PAIR_LOG2: usize = 6;

/** Writes 16 row sums over `pairs` column pairs, an even number, into `out` (int32). */
export function sumsOf16(g: usize, w: usize, pairs: i32, out: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const end = w + ((<usize>pairs) << 2);
  while (w < end) {
    load<i32>(g, 1024);
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(g, 16), x));
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load(g, 32), x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load(g, 48), x));
    g += 64;
    w += 4;
  }
  v128.store(out, a0, 0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/** Adds to `columns` the products of 16 rows with their inputs in `rows`, for `pairs` column pairs. */
export function addToColumns(g: usize, pairs: i32, rows: usize, columns: usize): void {
  const y0 = v128.load(rows, 0);
  const y1 = v128.load(rows, 16);
  const y2 = v128.load(rows, 32);
  const y3 = v128.load(rows, 48);
  const end = columns + ((<usize>pairs) << 4);
  while (columns < end) {
    const s0 = i32x4.dot_i16x8_s(swapMiddle(v128.load(g, 0)), y0);
    const s1 = i32x4.dot_i16x8_s(swapMiddle(v128.load(g, 16)), y1);
    const s2 = i32x4.dot_i16x8_s(swapMiddle(v128.load(g, 32)), y2);
    const s3 = i32x4.dot_i16x8_s(swapMiddle(v128.load(g, 48)), y3);
    v128.store(columns, i32x4.add(v128.load(columns), i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3))));
    g += 64;
    columns += 16;
  }
}

/** Makes the row sums and adds to the column sums in one pass. */
export function sumsAndColumns(
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
    load<i32>(g, 1024);
    const x = v128.load_splat<i32>(w);
    const g0 = v128.load(g, 0);
    const g1 = v128.load(g, 16);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(g0, x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(g1, x));
    const s01 = i32x4.add(i32x4.dot_i16x8_s(swapMiddle(g0), y0), i32x4.dot_i16x8_s(swapMiddle(g1), y1));
    const g2 = v128.load(g, 32);
    const g3 = v128.load(g, 48);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(g2, x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(g3, x));
    const s23 = i32x4.add(i32x4.dot_i16x8_s(swapMiddle(g2), y2), i32x4.dot_i16x8_s(swapMiddle(g3), y3));
    v128.store(columns, i32x4.add(v128.load(columns), i32x4.add(s01, s23)));
    g += 64;
    w += 4;
    columns += 16;
  }
  v128.store(out, a0, 0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
}

/** Inlined by the compiler. */
function swapMiddle(codes: v128): v128 {
  return v128.swizzle(codes, i8x16(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));
}

/**
 * Copies 16 int16 inputs into the form that `addToColumns` multiplies with. Every pair of rows is there
 * twice.
 */
export function spreadRows(inputs: usize, rows: usize): void {
  for (let quad: usize = 0; quad < 4; quad++) {
    const codes = v128.load64_zero(inputs + (quad << 3));
    v128.store(rows + (quad << 4), v128.shuffle<i32>(codes, codes, 0, 0, 1, 1));
  }
}

/** Adds the column sums · 2^shift of `pairs` column pairs to s (int64), and sets them to 0. */
export function flushColumns(columns: usize, pairs: i32, s: usize, shift: i32): void {
  const zero = i32x4.splat(0);
  const end = columns + ((<usize>pairs) << 4);
  while (columns < end) {
    const lanes = v128.load(columns);
    const low = i64x2.extend_low_i32x4_s(lanes);
    const high = i64x2.extend_high_i32x4_s(lanes);
    v128.store(s, i64x2.add(v128.load(s), i64x2.shl(i64x2.add(low, high), shift)));
    v128.store(columns, zero);
    columns += 16;
    s += 16;
  }
}

/**
 * Makes S of a factored program from its one array. Returns whether a row went over its limit. `blocks` holds
 * three things for each panel: whether column sums must be flushed between it and the previous panel, the
 * number of blocks, and the number of column pairs of each block. `backward`: the last panel comes first,
 * because the cache still holds the part that the previous tick read last.
 */
export function productFactored(
  g: usize,
  w: usize,
  pairs: i32,
  rows: i32,
  blocks: usize,
  sums: usize,
  u: usize,
  q: usize,
  y: usize,
  rowFlags: usize,
  shift: i32,
  linear: i32,
  rowTable: usize,
  spread: usize,
  columns: usize,
  s: usize,
  couplingShift: i32,
  backward: bool,
): i32 {
  const stride = (<usize>(pairs + 2)) << 2;
  const panelBytes = (<usize>pairs) << PAIR_LOG2;
  let overload = 0;
  memory.fill(s, 0, (<usize>pairs) << 4);
  for (let first = 0; first < rows; first += PANEL_ROWS) {
    const row = <usize>(backward ? rows - PANEL_ROWS - first : first);
    const panel = row / PANEL_ROWS;
    const table = blocks + panel * stride;
    const array = g + panel * panelBytes;
    if (!backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
    const count = load<i32>(table, 4);
    let at = array;
    let x = w;
    for (let b = 0; b < count; b++) {
      const length = load<i32>(table + ((<usize>b) << 2), 8);
      sumsOf16(at, x, length, sums);
      if (b === 0) widenFirst(sums, 64, u, couplingShift);
      else widenNext(sums, 64, u, couplingShift);
      at += (<usize>length) << PAIR_LOG2;
      x += (<usize>length) << 2;
    }
    const inputs = y + (row << 1);
    const left = linear - <i32>row;
    overload |= rowAmplifiers(u, q + (row << 2), inputs, rowFlags + row, PANEL_ROWS, shift, left);
    if (rowTable) rowElements(inputs, left, PANEL_ROWS, rowTable);
    spreadRows(inputs, spread);
    addToColumns(array, pairs, spread, columns);
    if (backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
  }
  flushColumns(columns, pairs, s, couplingShift);
  return overload;
}

/**
 * Makes S of a factored program from its one array of int8. Returns whether a row went over its limit. Panels
 * have 8 rows. `ranges` has an entry for each panel, `stride` bytes apart. It says whether column sums must
 * be flushed between this panel and the previous one, and holds the ranges of `byteRanges`. Zeros outside the
 * ranges are not read; the factors of a training are mostly zeros.
 */
export function productOfRanges(
  g: usize,
  w: usize,
  pairs: i32,
  rows: i32,
  ranges: usize,
  stride: usize,
  sums: usize,
  u: usize,
  q: usize,
  y: usize,
  rowFlags: usize,
  shift: i32,
  linear: i32,
  rowTable: usize,
  spread: usize,
  columns: usize,
  s: usize,
  couplingShift: i32,
  backward: bool,
): i32 {
  const panelBytes = (<usize>pairs) << 4;
  let overload = 0;
  memory.fill(s, 0, (<usize>pairs) << 4);
  for (let first = 0; first < rows; first += 8) {
    const row = <usize>(backward ? rows - 8 - first : first);
    const panel = row >> 3;
    const table = ranges + panel * stride;
    const array = g + panel * panelBytes;
    if (!backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
    const end = table + 8 + ((<usize>load<i32>(table, 4)) << 3);
    memory.fill(u, 0, 64);
    for (let at = table + 8; at < end; at += 8) {
      const start = <usize>load<i32>(at);
      byteSumsOf8(array + (start << 4), w + (start << 2), load<i32>(at, 4), sums, 0);
      widenNext(sums, 32, u, couplingShift);
    }
    const inputs = y + (row << 1);
    const left = linear - <i32>row;
    overload |= rowAmplifiers(u, q + (row << 2), inputs, rowFlags + row, 8, shift, left);
    if (rowTable) rowElements(inputs, left, 8, rowTable);
    if (v128.any_true(v128.load(inputs))) {
      spreadRows(inputs, spread);
      for (let at = table + 8; at < end; at += 8) {
        const start = <usize>load<i32>(at);
        addBytesToColumns(array + (start << 4), load<i32>(at, 4), spread, columns + (start << 4));
      }
    }
    if (backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
  }
  flushColumns(columns, pairs, s, couplingShift);
  return overload;
}

/**
 * Makes S of a dense program from the upper half of its array. A panel begins at its diagonal block of 16 ×
 * 16. `backward`: as in `productFactored`.
 */
export function productSymmetric(
  g: usize,
  w: usize,
  pairs: i32,
  blocks: usize,
  sums: usize,
  spread: usize,
  columns: usize,
  s: usize,
  bytes: i32,
  couplingShift: i32,
  backward: bool,
): void {
  const stride = (<usize>(pairs + 2)) << 2;
  const pairLog2 = PAIR_LOG2 - <usize>bytes;
  memory.fill(s, 0, (<usize>pairs) << 4);
  for (let step = 0; step < pairs; step += 8) {
    const first = backward ? pairs - 8 - step : step;
    const panel = first >> 3;
    const table = blocks + <usize>panel * stride;
    // The panels before this one have `pairs`, `pairs` − 8 and so on column pairs.
    let array = g + ((<usize>(panel * pairs - 4 * panel * (panel - 1))) << pairLog2);
    const at = (<usize>first) << 4;
    if (!backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
    const count = load<i32>(table, 4);
    let x = w + ((<usize>first) << 2);
    if (bytes) byteSumsOf16(array, x, 8, sums);
    else sumsOf16(array, x, 8, sums);
    widenNext(sums, 64, s + at, couplingShift);
    spreadRows(x, spread);
    array += 8 << pairLog2;
    x += 32;
    let to = columns + at + 128;
    for (let b = 0; b < count; b++) {
      const length = load<i32>(table + ((<usize>b) << 2), 8);
      if (bytes) byteSumsAndColumns(array, x, length, spread, to, sums);
      else sumsAndColumns(array, x, length, spread, to, sums);
      widenNext(sums, 64, s + at, couplingShift);
      array += (<usize>length) << pairLog2;
      x += (<usize>length) << 2;
      to += (<usize>length) << 4;
    }
    if (backward && load<i32>(table)) flushColumns(columns, pairs, s, couplingShift);
  }
  flushColumns(columns, pairs, s, couplingShift);
}

/**
 * Whether a panel of 16 rows could take a column sum above 32 bits. `norms` holds Σ|g| per column (int32)
 * since the last flush. 0: no. 1: yes, so the sums must be flushed before it. −1: yes, even after a flush.
 * The function updates `norms`. `scratch` has the length of `norms`.
 */
export function columnNorms(g: usize, pairs: i32, limit: i32, norms: usize, scratch: usize): i32 {
  const low = i32x4.splat(0xffff);
  const columns = (<usize>pairs) << 1;
  let flush = 0;
  for (let column: usize = 0; column < columns; column += 2) {
    let even = i32x4.splat(0);
    let odd = even;
    for (let quad = 0; quad < 4; quad++) {
      const sizes = i16x8.abs(v128.load(g));
      even = i32x4.add(even, v128.and(sizes, low));
      odd = i32x4.add(odd, i32x4.shr_u(sizes, 16));
      g += 16;
    }
    const evenSum = sumOfLanes(even);
    const oddSum = sumOfLanes(odd);
    if (evenSum > limit || oddSum > limit) return -1;
    const at = column << 2;
    if (load<i32>(norms + at) + evenSum > limit || load<i32>(norms + at, 4) + oddSum > limit) flush = 1;
    store<i32>(scratch + at, evenSum);
    store<i32>(scratch + at, oddSum, 4);
  }
  for (let at: usize = 0; at < columns << 2; at += 4)
    store<i32>(norms + at, load<i32>(scratch + at) + (flush ? 0 : load<i32>(norms + at)));
  return flush;
}

function sumOfLanes(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}
