/**
 * The loops of src/learning/network/chain-room.ts: maps, max-pooling and tanh of a network in float32, in the
 * same order as there. Loops that handle four numbers at once write up to 12 bytes behind a row. These bytes
 * are written again later, or are reserved for this.
 */

const F32: usize = 4;
const INVERSE_LN2: f32 = Mathf.LOG2E;
const LN2: f32 = Mathf.LN2;

/** out[o][c] = Σ_i w[o][i] · a[i][c] by ascending i. */
export function affineSums(w: usize, a: usize, out: usize, outputs: i32, inputs: i32, columns: i32): void {
  const rowBytes = F32 * <usize>columns;
  let to = out;
  for (let o = 0; o < outputs; o++, w += F32 * <usize>inputs, to += rowBytes) {
    let c: usize = 0;
    for (; c + 64 <= rowBytes; c += 64) {
      let sum0 = f32x4.splat(0);
      let sum1 = f32x4.splat(0);
      let sum2 = f32x4.splat(0);
      let sum3 = f32x4.splat(0);
      let from = a + c;
      for (let i = 0; i < inputs; i++, from += rowBytes) {
        const weight = v128.load32_splat(w + F32 * <usize>i);
        sum0 = f32x4.add(sum0, f32x4.mul(weight, v128.load(from)));
        sum1 = f32x4.add(sum1, f32x4.mul(weight, v128.load(from + 16)));
        sum2 = f32x4.add(sum2, f32x4.mul(weight, v128.load(from + 32)));
        sum3 = f32x4.add(sum3, f32x4.mul(weight, v128.load(from + 48)));
      }
      v128.store(to + c, sum0);
      v128.store(to + c + 16, sum1);
      v128.store(to + c + 32, sum2);
      v128.store(to + c + 48, sum3);
    }
    for (; c < rowBytes; c += 16) {
      let sum = f32x4.splat(0);
      let from = a + c;
      for (let i = 0; i < inputs; i++, from += rowBytes)
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + F32 * <usize>i), v128.load(from)));
      v128.store(to + c, sum);
    }
  }
}

/**
 * out[o][c] = f(max_place sums[o][place][c] + bias[o]) with f = tanh, or the identity for `isLast`.
 */
export function poolAndTanh(
  sums: usize,
  bias: usize,
  out: usize,
  outputs: i32,
  places: i32,
  columns: i32,
  isLast: bool,
): void {
  const rowBytes = F32 * <usize>columns;
  for (let o = 0; o < outputs; o++, sums += rowBytes * places, out += rowBytes) {
    const biases = v128.load32_splat(bias + F32 * <usize>o);
    for (let c: usize = 0; c < rowBytes; c += 16) {
      let largest = v128.load(sums + c);
      for (let place = 1; place < places; place++)
        largest = f32x4.max(largest, v128.load(sums + rowBytes * place + c));
      const z = f32x4.add(largest, biases);
      v128.store(out + c, isLast ? z : tanh(z));
    }
  }
}

/** (1 − e^(−2|x|))/(1 + e^(−2|x|)) with the sign of x, in the steps of `tanh` of chain-room.ts. */
function tanh(x: v128): v128 {
  const sign = v128.bitselect(f32x4.splat(1), f32x4.splat(-1), f32x4.lt(x, f32x4.splat(0)));
  const e = exp(f32x4.mul(f32x4.mul(x, sign), f32x4.splat(2)));
  const inverse = f32x4.div(f32x4.splat(1), f32x4.add(e, f32x4.splat(1)));
  return f32x4.mul(f32x4.mul(f32x4.sub(e, f32x4.splat(1)), inverse), sign);
}

/** e^x for x ≤ 0 or NaN. */
function exp(x: v128): v128 {
  const whole = f32x4.nearest(f32x4.mul(x, f32x4.splat(INVERSE_LN2)));
  const exponent = i32x4.trunc_sat_f32x4_s(whole);
  const rest = f32x4.sub(x, f32x4.mul(whole, f32x4.splat(LN2)));
  let sum = f32x4.splat(<f32>(1.0 / 720.0));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(<f32>(1.0 / 120.0)));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(<f32>(1.0 / 24.0)));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(<f32>(1.0 / 6.0)));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1));
  sum = f32x4.add(f32x4.mul(sum, rest), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(exponent, i32x4.splat(127)), 23);
  const isTiny = i32x4.lt_s(exponent, i32x4.splat(-126));
  return v128.andnot(f32x4.mul(sum, power), isTiny);
}

/**
 * δ of one example from the cotangent of its activations: see `tanhAndPoolDerivative` of chain-room.ts.
 * `sums` and `activations` begin at the example, which is one of `count`.
 */
export function tanhAndPoolDerivative(
  sums: usize,
  activations: usize,
  cotangent: usize,
  delta: usize,
  outputs: i32,
  positions: i32,
  places: i32,
  count: i32,
  k: i32,
): void {
  const pooled = positions / places;
  const kBytes = F32 * <usize>k;
  const placeBytes = F32 * <usize>(pooled * count);
  if (places > 1) memory.fill(delta, 0, kBytes * <usize>(positions * outputs));
  for (let output = 0; output < outputs; output++) {
    let first = sums + F32 * <usize>(output * positions * count);
    for (let position = 0; position < pooled; position++, first += F32 * <usize>count) {
      const h = load<f32>(activations);
      activations += F32 * <usize>count;
      const slope: f32 = <f32>1 - h * h;
      let largest = load<f32>(first);
      for (let place = 1; place < places; place++) {
        const sum = load<f32>(first + placeBytes * place);
        if (sum > largest) largest = sum;
      }
      let equals: i32 = 0;
      for (let place = 0; place < places; place++)
        equals += i32(load<f32>(first + placeBytes * place) === largest);
      const share: f32 = <f32>1 / <f32>equals;
      for (let place = 0; place < places; place++) {
        if (load<f32>(first + placeBytes * place) !== largest) continue;
        const to = delta + kBytes * <usize>((place * pooled + position) * outputs + output);
        for (let i: usize = 0; i < kBytes; i += F32)
          store<f32>(to + i, load<f32>(cotangent + i) * slope * share);
      }
      cotangent += kBytes;
    }
  }
}

/** From [feature][position][example] to [example][position][feature]. */
export function exampleMajor(from: usize, to: usize, features: i32, positions: i32, count: i32): void {
  const exampleBytes = F32 * <usize>(positions * features);
  for (let feature = 0; feature < features; feature++) {
    let row = to + F32 * <usize>feature;
    for (let position = 0; position < positions; position++, row += F32 * <usize>features) {
      let at = row;
      for (let e = 0; e < count; e++, from += F32, at += exampleBytes) store<f32>(at, load<f32>(from));
    }
  }
}
