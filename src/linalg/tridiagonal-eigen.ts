export interface TridiagonalEigen {
  /** Eigenvalues θ_k, in no particular order. */
  readonly values: Float64Array;
  /** First and last component of the normalised eigenvector that belongs to θ_k. */
  readonly first: Float64Array;
  readonly last: Float64Array;
}

const SWEEPS_MAX = 60;

/**
 * Eigenvalues of the symmetric tridiagonal matrix with `diagonal` d (length n) and `offDiagonal` e (length n
 * − 1), and the two components of each eigenvector that Lanczos' method needs. Implicit QL with Wilkinson's
 * shift, O(n²).
 *
 * Source: Golub, Welsch, "Calculation of Gauss quadrature rules", Math. Comp. 23 (1969).
 */
export function tridiagonalEigen(diagonal: Float64Array, offDiagonal: Float64Array): TridiagonalEigen {
  const n = diagonal.length;
  const d = Float64Array.from(diagonal);
  const e = new Float64Array(n);
  e.set(offDiagonal.subarray(0, Math.max(0, n - 1)));
  const first = new Float64Array(n);
  const last = new Float64Array(n);
  first[0] = 1;
  last[n - 1] = 1;
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      const m = firstNegligible(d, e, l);
      if (m === l) break;
      if (sweep === SWEEPS_MAX) throw new Error('bug: implicit QL does not converge on a finite matrix');
      qlSweep(d, e, l, m, first, last);
    }
  }
  return { values: d, first, last };
}

function firstNegligible(d: Float64Array, e: Float64Array, from: number): number {
  let m = from;
  while (m < d.length - 1) {
    const scale = Math.abs(d[m]) + Math.abs(d[m + 1]);
    if (Math.abs(e[m]) <= Number.EPSILON * scale) break;
    m++;
  }
  return m;
}

function qlSweep(
  d: Float64Array,
  e: Float64Array,
  l: number,
  m: number,
  first: Float64Array,
  last: Float64Array,
): void {
  let g = (d[l + 1] - d[l]) / (2 * e[l]);
  let r = Math.hypot(g, 1);
  g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i];
    const b = c * e[i];
    r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    rotate(first, i, s, c);
    rotate(last, i, s, c);
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

function rotate(z: Float64Array, i: number, s: number, c: number): void {
  const f = z[i + 1];
  z[i + 1] = s * z[i] + c * f;
  z[i] = c * z[i] - s * f;
}
