const F64: usize = 8;

/**
 * For each position and output o with x_i = roots_i · (δ_i − Σ_k p_k δ_k), i < m: target[i · stride + o · n +
 * j] += x_i · a_j for j < n, and sums[o · m + i] += x_i, by ascending position.
 *
 * δ is float32, [position][output][m]; a is float64, [position][n]. If δ is zero, nothing is added. `work` is
 * scratch memory of (m + 2) float64 per position.
 */
export function addCenteredProducts(
  target: usize,
  stride: i32,
  sums: usize,
  p: usize,
  roots: usize,
  work: usize,
  m: i32,
  deltas: usize,
  positions: i32,
  outputs: i32,
  activations: usize,
  n: i32,
): void {
  // `work` begins with one flag per position: whether a has a nonzero entry. The terms of one output follow:
  // the address of a, and x.
  const terms = work + F64 * <usize>positions;
  const termBytes = F64 * <usize>(m + 1);
  const deltaBytes = <usize>(4 * m);
  const rowBytes = F64 * <usize>stride;
  for (let position = 0; position < positions; position++)
    store<u8>(work + position, u8(!isZero64(activations + F64 * <usize>(n * position), n)));
  for (let o = 0; o < outputs; o++, sums += F64 * <usize>m, target += F64 * <usize>n) {
    let end = terms;
    let delta = deltas + deltaBytes * o;
    let a = activations;
    for (let position = 0; position < positions; position++) {
      if (!isZero32(delta, m)) {
        center(delta, p, roots, end + F64, m);
        for (let i: usize = 0; i < F64 * <usize>m; i += F64)
          store<f64>(sums + i, load<f64>(sums + i) + load<f64>(end + F64 + i));
        if (load<u8>(work + position) !== 0) {
          store<usize>(end, a);
          end += termBytes;
        }
      }
      delta += deltaBytes * outputs;
      a += F64 * <usize>n;
    }
    let i = 0;
    for (; i + 1 < m; i += 2) addTerms(target + rowBytes * i, rowBytes, terms, end, termBytes, i, n);
    // A last row without a partner is its own partner (distance 0): both writes are equal.
    if (i < m) addTerms(target + rowBytes * i, 0, terms, end, termBytes, i, n);
  }
}

/** x_i = roots_i · (δ_i − Σ_k p_k δ_k). */
function center(delta: usize, p: usize, roots: usize, x: usize, m: i32): void {
  let mean: f64 = 0;
  for (let k = 0; k < m; k++) mean += load<f64>(p + F64 * k) * <f64>load<f32>(delta + 4 * k);
  for (let i = 0; i < m; i++)
    store<f64>(x + F64 * i, load<f64>(roots + F64 * i) * (<f64>load<f32>(delta + 4 * i) - mean));
}

/**
 * Adds all terms to rows i and i + 1 of the target, which are `rowBytes` apart; if `rowBytes` is 0, only to
 * row i. The sums stay in registers during the loop over the terms.
 */
function addTerms(
  target: usize,
  rowBytes: usize,
  terms: usize,
  end: usize,
  termBytes: usize,
  i: i32,
  n: i32,
): void {
  const x = F64 * <usize>(i + 1);
  const y = rowBytes === 0 ? x : x + F64;
  let first = target;
  let second = target + rowBytes;
  const bytes = F64 * <usize>n;
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64, first += 64, second += 64) {
    let a0 = v128.load(first);
    let a1 = v128.load(first, 16);
    let a2 = v128.load(first, 32);
    let a3 = v128.load(first, 48);
    let b0 = v128.load(second);
    let b1 = v128.load(second, 16);
    let b2 = v128.load(second, 32);
    let b3 = v128.load(second, 48);
    for (let term = terms; term < end; term += termBytes) {
      const from = load<usize>(term) + at;
      const xs = v128.load64_splat(term + x);
      const ys = v128.load64_splat(term + y);
      const v0 = v128.load(from);
      const v1 = v128.load(from, 16);
      const v2 = v128.load(from, 32);
      const v3 = v128.load(from, 48);
      a0 = f64x2.add(a0, f64x2.mul(xs, v0));
      a1 = f64x2.add(a1, f64x2.mul(xs, v1));
      a2 = f64x2.add(a2, f64x2.mul(xs, v2));
      a3 = f64x2.add(a3, f64x2.mul(xs, v3));
      b0 = f64x2.add(b0, f64x2.mul(ys, v0));
      b1 = f64x2.add(b1, f64x2.mul(ys, v1));
      b2 = f64x2.add(b2, f64x2.mul(ys, v2));
      b3 = f64x2.add(b3, f64x2.mul(ys, v3));
    }
    v128.store(first, a0);
    v128.store(first, a1, 16);
    v128.store(first, a2, 32);
    v128.store(first, a3, 48);
    v128.store(second, b0);
    v128.store(second, b1, 16);
    v128.store(second, b2, 32);
    v128.store(second, b3, 48);
  }
  for (; at < bytes; at += F64, first += F64, second += F64) {
    let a = load<f64>(first);
    let b = load<f64>(second);
    for (let term = terms; term < end; term += termBytes) {
      const value = load<f64>(load<usize>(term) + at);
      a += load<f64>(term + x) * value;
      b += load<f64>(term + y) * value;
    }
    store<f64>(first, a);
    store<f64>(second, b);
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
