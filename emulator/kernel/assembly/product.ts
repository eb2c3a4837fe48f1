/**
 * Inner products of int16 couplings with int16 voltages or row currents, exact in 32 bits over one block of
 * columns. Couplings are stored in panels of 32 rows (8 for the rest): [column pair][row][2]. A pair of
 * voltages is copied to all lanes. A lane then belongs to one row, and no sum goes across lanes. Every hot
 * loop is an exported function, because it runs slower when the compiler inlines it. `bytes`: couplings are
 * stored as int8. They are in units of a code, and their sums are shifted left by `shift`.
 */
import { byteSumsOf8, byteSumsOf32 } from './byte-products';

/**
 * Makes 32 sums over `pairs` column pairs, shifted left by `shift`, into out (int32). The values of two loads
 * are not used: these loads bring the couplings that the loop needs four turns later into the cache. One turn
 * of the loop takes one pair. With two pairs, V8 would load both first and run out of registers.
 */
export function sumsOf32(g: usize, w: usize, pairs: i32, out: usize, shift: i32): void {
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
    load<i32>(g, 576);
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(g, 16), x));
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load(g, 32), x));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load(g, 48), x));
    a4 = i32x4.add(a4, i32x4.dot_i16x8_s(v128.load(g, 64), x));
    a5 = i32x4.add(a5, i32x4.dot_i16x8_s(v128.load(g, 80), x));
    a6 = i32x4.add(a6, i32x4.dot_i16x8_s(v128.load(g, 96), x));
    a7 = i32x4.add(a7, i32x4.dot_i16x8_s(v128.load(g, 112), x));
    g += 128;
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

/** Makes 8 sums in the same way. */
export function sumsOf8(g: usize, w: usize, pairs: i32, out: usize, shift: i32): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  const end = w + ((<usize>(pairs & ~1)) << 2);
  while (w < end) {
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(g, 16), x));
    const y = v128.load_splat<i32>(w, 4);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.load(g, 32), y));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.load(g, 48), y));
    g += 64;
    w += 8;
  }
  if (pairs & 1) {
    const x = v128.load_splat<i32>(w);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load(g, 0), x));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load(g, 16), x));
  }
  v128.store(out, i32x4.shl(i32x4.add(a0, b0), shift), 0);
  v128.store(out, i32x4.shl(i32x4.add(a1, b1), shift), 16);
}

/** out (int64) = sums (int32) · 2^shift. The sums take `bytes` bytes. */
export function widenFirst(sums: usize, bytes: usize, out: usize, shift: i32): void {
  const end = sums + bytes;
  while (sums < end) {
    const a = v128.load(sums);
    v128.store(out, i64x2.shl(i64x2.extend_low_i32x4_s(a), shift), 0);
    v128.store(out, i64x2.shl(i64x2.extend_high_i32x4_s(a), shift), 16);
    sums += 16;
    out += 32;
  }
}

/** out (int64) += sums (int32) · 2^shift. */
export function widenNext(sums: usize, bytes: usize, out: usize, shift: i32): void {
  const end = sums + bytes;
  while (sums < end) {
    const a = v128.load(sums);
    const low = i64x2.shl(i64x2.extend_low_i32x4_s(a), shift);
    const high = i64x2.shl(i64x2.extend_high_i32x4_s(a), shift);
    v128.store(out, i64x2.add(v128.load(out, 0), low), 0);
    v128.store(out, i64x2.add(v128.load(out, 16), high), 16);
    sums += 16;
    out += 32;
  }
}

/** Makes all sums of an array, into out (int32): one block per panel. */
export function productNarrow(
  g: usize,
  w: usize,
  pairs: i32,
  panels: i32,
  smallPanels: i32,
  bytes: i32,
  shift: i32,
  out: usize,
): void {
  for (let p = 0; p < panels; p++) {
    if (bytes) byteSumsOf32(g, w, pairs, out, shift);
    else sumsOf32(g, w, pairs, out, shift);
    g += ((<usize>pairs) << 7) >> bytes;
    out += 128;
  }
  for (let p = 0; p < smallPanels; p++) {
    if (bytes) byteSumsOf8(g, w, pairs, out, shift);
    else sumsOf8(g, w, pairs, out, shift);
    g += ((<usize>pairs) << 5) >> bytes;
    out += 32;
  }
}

/**
 * Makes all sums of an array, into out (int64). `blocks` says for each panel how many blocks there are and
 * how many column pairs each has.
 */
export function productWide(
  g: usize,
  w: usize,
  pairs: i32,
  panels: i32,
  smallPanels: i32,
  blocks: usize,
  bytes: i32,
  shift: i32,
  sums: usize,
  out: usize,
): void {
  const stride = (<usize>(pairs + 1)) << 2;
  for (let p = 0; p < panels; p++) {
    const count = load<i32>(blocks);
    let x = w;
    for (let b = 1; b <= count; b++) {
      const length = load<i32>(blocks + ((<usize>b) << 2));
      if (bytes) byteSumsOf32(g, x, length, sums, 0);
      else sumsOf32(g, x, length, sums, 0);
      if (b === 1) widenFirst(sums, 128, out, shift);
      else widenNext(sums, 128, out, shift);
      g += ((<usize>length) << 7) >> bytes;
      x += (<usize>length) << 2;
    }
    out += 256;
    blocks += stride;
  }
  for (let p = 0; p < smallPanels; p++) {
    const count = load<i32>(blocks);
    let x = w;
    for (let b = 1; b <= count; b++) {
      const length = load<i32>(blocks + ((<usize>b) << 2));
      if (bytes) byteSumsOf8(g, x, length, sums, 0);
      else sumsOf8(g, x, length, sums, 0);
      if (b === 1) widenFirst(sums, 32, out, shift);
      else widenNext(sums, 32, out, shift);
      g += ((<usize>length) << 5) >> bytes;
      x += (<usize>length) << 2;
    }
    out += 64;
    blocks += stride;
  }
}
