/**
 * The ideal ADC: code = clamp((v + 2^(25−b)) >> (26−b)) (device-model.md, "Formats"). Reads `cells` cells
 * from `v` to int16 at `out`, and returns whether any code was clamped.
 */
export function readAdc(v: usize, cells: i32, adcBits: i32, out: usize): i32 {
  const shift = 26 - adcBits;
  const largest = (1 << (adcBits - 1)) - 1;
  const half = i32x4.splat(1 << (shift - 1));
  const most = i32x4.splat(largest);
  const least = i32x4.splat(~largest);
  let cut = i32x4.splat(0);
  const end = out + ((<usize>cells & ~7) << 1);
  for (; out < end; out += 16, v += 32) {
    const a = i32x4.shr_s(i32x4.add(v128.load(v), half), shift);
    const b = i32x4.shr_s(i32x4.add(v128.load(v, 16), half), shift);
    const keptA = i32x4.max_s(i32x4.min_s(a, most), least);
    const keptB = i32x4.max_s(i32x4.min_s(b, most), least);
    cut = v128.or(cut, v128.or(v128.xor(a, keptA), v128.xor(b, keptB)));
    v128.store(out, i16x8.narrow_i32x4_s(keptA, keptB));
  }
  let clipped = v128.any_true(cut) ? 1 : 0;
  for (let i = 0; i < (cells & 7); i++) {
    const code = (load<i32>(v + ((<usize>i) << 2)) + (1 << (shift - 1))) >> shift;
    const kept = max(min(code, largest), ~largest);
    store<i16>(out + ((<usize>i) << 1), <i16>kept);
    if (kept !== code) clipped = 1;
  }
  return clipped;
}
