const F64: usize = 8;

/**
 * For each position and output o with x_i = roots_i · (δ_i − Σ_k p_k δ_k), i < m: target[i · stride + o · n +
 * j] += x_i · a_j for j < n, and sums[o · m + i] += x_i.
 *
 * δ is float32, [position][output][m]; a is float64, [position][n]. A δ of zeros adds nothing. `x` is room
 * for m float64.
 */
export function addCenteredProducts(
  target: usize,
  stride: i32,
  sums: usize,
  p: usize,
  roots: usize,
  x: usize,
  m: i32,
  deltas: usize,
  positions: i32,
  outputs: i32,
  activations: usize,
  n: i32,
): void {
  let delta = deltas;
  let a = activations;
  for (let position = 0; position < positions; position++, a += F64 * n) {
    const isBlank = isZero64(a, n);
    for (let o = 0; o < outputs; o++, delta += 4 * m) {
      if (isZero32(delta, m)) continue;
      let mean: f64 = 0;
      for (let k = 0; k < m; k++) mean += load<f64>(p + F64 * k) * <f64>load<f32>(delta + 4 * k);
      let sum = sums + F64 * <usize>(o * m);
      for (let i = 0; i < m; i++, sum += F64) {
        const value = load<f64>(roots + F64 * i) * (<f64>load<f32>(delta + 4 * i) - mean);
        store<f64>(x + F64 * i, value);
        store<f64>(sum, load<f64>(sum) + value);
      }
      if (!isBlank) addOuterProduct(target + F64 * <usize>(o * n), stride, x, m, a, n);
    }
  }
}

function isZero64(from: usize, length: i32): bool {
  for (let i = 0; i < length; i++) if (load<f64>(from + F64 * i) !== 0) return false;
  return true;
}

function isZero32(from: usize, length: i32): bool {
  for (let i = 0; i < length; i++) if (load<f32>(from + 4 * i) !== 0) return false;
  return true;
}

/** target[i · stride + j] += x[i] · y[j] for i < m, j < n. */
function addOuterProduct(target: usize, stride: i32, x: usize, m: i32, y: usize, n: i32): void {
  for (let i = 0; i < m; i++) {
    const factor = load<f64>(x + F64 * i);
    const factors = f64x2.splat(factor);
    let at = target + F64 * <usize>(i * stride);
    let from = y;
    const end = y + F64 * (n & ~1);
    for (; from < end; from += 16, at += 16)
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(factors, v128.load(from))));
    if ((n & 1) !== 0) store<f64>(at, load<f64>(at) + factor * load<f64>(from));
  }
}
