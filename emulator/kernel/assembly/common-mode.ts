/**
 * Noise that all cells share (device-model.md, "Imperfections"): one Gaussian per tick, times each cell's own
 * amplitude.
 */
import { setFlags } from './cells';

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const KEY_STEP_0: u32 = 0x9e3779b9;
const KEY_STEP_1: u32 = 0xbb67ae85;
/** `PHILOX_STREAM.commonMode`. */
const STREAM: u32 = 2;
const SHARE_LOG2 = 16;
/**
 * WebAssembly has no arithmetic shift of 64-bit lanes. So this offset is added before an unsigned shift and
 * subtracted after it. |a·share·ζ| < 2⁴⁷.
 */
const BIAS_LOG2 = 48;

/**
 * z[tick] is made from word 0 of Philox4x32-10 with counter (tick low, tick high, 0, stream). `table` holds
 * pairs (base, slope).
 */
export function commonGaussian(tick: u64, dieSeed: u32, runSeed: u32, table: usize): i32 {
  let c0 = <u32>tick;
  let c1 = <u32>(tick >> 32);
  let c2: u32 = 0;
  let c3 = STREAM;
  let k0 = dieSeed;
  let k1 = runSeed;
  for (let round = 0; round < 10; round++) {
    const p = M0 * <u64>c0;
    const q = M1 * <u64>c2;
    c0 = <u32>(q >> 32) ^ c1 ^ k0;
    c1 = <u32>q;
    c2 = <u32>(p >> 32) ^ c3 ^ k1;
    c3 = <u32>p;
    k0 += KEY_STEP_0;
    k1 += KEY_STEP_1;
  }
  const x = (c0 & 0x7fffffff) | 1;
  const octave = 31 - clz<u32>(x);
  const m = x << (31 - octave);
  const entry = table + ((<usize>((octave << 6) + ((m >>> 25) & 63))) << 2);
  const fraction = <i32>((m >>> 14) & 2047);
  const z = (((<i32>load<i16>(entry)) << 14) + <i32>load<i16>(entry, 2) * fraction + (1 << 13)) >> 14;
  return <i32>c0 < 0 ? -z : z;
}

/**
 * v = clamp(v + (a·share·ζ + 2^(s+15) + (ζ < 0 ? −1 : 0)) >> (s + 16), ± rail) with share in 2⁻¹⁶ and a·share
 * < 2³¹. Returns whether any cell was clamped.
 */
export function addCommonMode(
  v: usize,
  amplitude: usize,
  flags: usize,
  cells: i32,
  share: i32,
  zeta: i32,
  noiseShift: i32,
  rail: i32,
): i32 {
  const shift = noiseShift + SHARE_LOG2;
  const half = ((<i64>1) << (shift - 1)) - (zeta < 0 ? 1 : 0);
  const bias = i64x2.splat(((<i64>1) << BIAS_LOG2) + half);
  const shiftedBias = i32x4.splat(1 << (BIAS_LOG2 - shift));
  const shares = i32x4.splat(share);
  const kicks = i32x4.splat(zeta);
  const most = i32x4.splat(rail);
  const least = i32x4.splat(-rail);
  let overload = 0;
  const end = v + ((<usize>cells) << 2);
  while (v < end) {
    const scaled = i32x4.mul(v128.load(amplitude), shares);
    const low = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(scaled, kicks), bias), shift);
    const high = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(scaled, kicks), bias), shift);
    const kick = i32x4.sub(v128.shuffle<i32>(low, high, 0, 2, 4, 6), shiftedBias);
    const x = i32x4.add(v128.load(v), kick);
    const clamped = i32x4.max_s(i32x4.min_s(x, most), least);
    v128.store(v, clamped);
    const over = i32x4.ne(x, clamped);
    if (v128.any_true(over)) {
      setFlags(flags, i32x4.bitmask(over));
      overload = 1;
    }
    v += 16;
    amplitude += 16;
    flags += 4;
  }
  return overload;
}
