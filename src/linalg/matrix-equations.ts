import { createRequire } from 'node:module';
import type { Matrix as DenseMatrix } from 'ml-matrix';
import { type Matrix, matrix } from './matrix.js';
import { transposed } from './products.js';

/**
 * Matrix equations (Lyapunov, Riccati), solved in float64 by doubling. Solutions by a board are compared with
 * these solutions.
 */

const DOUBLINGS_MAX = 64;
const REFINEMENTS = 2;

let loaded: typeof import('ml-matrix') | undefined;

/** `ml-matrix`, loaded at the first call. Programs that solve no matrix equation never load it. */
function library(): typeof import('ml-matrix') {
  loaded ??= createRequire(import.meta.url)('ml-matrix') as typeof import('ml-matrix');
  return loaded;
}

function wrapped({ rows, columns, data }: Matrix): DenseMatrix {
  return library().Matrix.from1DArray(rows, columns, data);
}

function unwrapped(m: DenseMatrix): Matrix {
  return matrix(m.rows, m.columns, Float64Array.from(m.to1DArray()));
}

/** A B. Shapes m×k and k×n. */
export function product(a: Matrix, b: Matrix): Matrix {
  return unwrapped(wrapped(a).mmul(wrapped(b)));
}

/** A⁻¹B of a square A, by LU factors with pivots. The entries are not finite if A is singular. */
export function leftDivided(a: Matrix, b: Matrix): Matrix {
  const factors = new (library().LuDecomposition)(wrapped(a));
  if (factors.isSingular())
    return matrix(b.rows, b.columns, new Float64Array(b.data.length).fill(Number.NaN));
  return unwrapped(factors.solve(wrapped(b)));
}

/** The eigenvalues of an N×N matrix: real and imaginary parts, each of length N. */
export function eigenvaluesOf(a: Matrix): { readonly real: Float64Array; readonly imaginary: Float64Array } {
  const found = new (library().EigenvalueDecomposition)(wrapped(a));
  return {
    real: Float64Array.from(found.realEigenvalues),
    imaginary: Float64Array.from(found.imaginaryEigenvalues),
  };
}

/** The largest |eigenvalue|. */
export function spectralRadius(a: Matrix): number {
  const { real, imaginary } = eigenvaluesOf(a);
  return real.reduce((most, value, k) => Math.max(most, Math.hypot(value, imaginary[k])), 0);
}

/**
 * X = M X Mᵀ + Q, by doubling: X ← X + M X Mᵀ, M ← M². All eigenvalues of M must lie inside the unit circle;
 * otherwise the result is not finite.
 *
 * Source: Smith, SIAM J. Appl. Math. 16 (1968) 198.
 */
export function solveDiscreteLyapunov(m: Matrix, q: Matrix): Matrix {
  let power = wrapped(m);
  let x = wrapped(q);
  for (let k = 0; k < DOUBLINGS_MAX; k++) {
    const added = power.mmul(x).mmul(power.transpose());
    x = library().Matrix.add(x, added);
    const size = x.max() - x.min();
    if (!(added.max() - added.min() > Number.EPSILON * size)) break;
    power = power.mmul(power);
  }
  return unwrapped(x);
}

/**
 * A X + X Aᵀ = S by Cayley's transform, M = (pI + A)⁻¹(pI − A), and doubling. Two refinements by the residual
 * follow. All eigenvalues of A must have positive real parts. `shift` is p > 0; p = √(|λ|_min·|λ|_max) needs
 * the fewest steps.
 */
export function solveContinuousLyapunov(a: Matrix, s: Matrix, shift: number): Matrix {
  const n = a.rows;
  const dense = wrapped(a);
  const identity = library().Matrix.eye(n).mul(shift);
  const factors = new (library().LuDecomposition)(library().Matrix.add(identity, dense));
  const m = unwrapped(factors.solve(library().Matrix.sub(identity, dense)));
  const solved = (right: DenseMatrix): DenseMatrix => {
    const half = factors.solve(right);
    const q = factors.solve(half.transpose()).mul(2 * shift);
    return wrapped(solveDiscreteLyapunov(m, unwrapped(q)));
  };
  let x = solved(wrapped(s));
  for (let k = 0; k < REFINEMENTS; k++) {
    const image = dense.mmul(x);
    const residual = library().Matrix.sub(wrapped(s), library().Matrix.add(image, image.transpose()));
    x = library().Matrix.add(x, solved(residual));
  }
  return unwrapped(library().Matrix.add(x, x.transpose()).mul(0.5));
}

/** The optimum of a linear–quadratic problem. */
export interface RiccatiSolution {
  /** P, N×N: the cost from x is xᵀPx. */
  readonly cost: Matrix;
  /** K, M×N: the optimal input is u = −Kx. */
  readonly gain: Matrix;
}

/**
 * P = Q + Aᵀ P (I + G P)⁻¹ A with G = B R⁻¹ Bᵀ, by structure-preserving doubling, and K = (R + BᵀPB)⁻¹BᵀPA.
 * (A, B) must be stabilizable and (A, Q) detectable; otherwise the result is not finite, or K does not
 * stabilize.
 *
 * Source: Chu, Fan, Lin, Wang, Int. J. Control 77 (2004) 767.
 */
export function solveRiccati(a: Matrix, b: Matrix, q: Matrix, r: Matrix): RiccatiSolution {
  const n = a.rows;
  const [stateCost, input] = [wrapped(q), wrapped(b)];
  let step = wrapped(a);
  let g = input.mmul(wrapped(leftDivided(r, transposed(b))));
  let p = stateCost;
  for (let k = 0; k < DOUBLINGS_MAX; k++) {
    const factors = new (library().LuDecomposition)(library().Matrix.add(library().Matrix.eye(n), g.mmul(p)));
    if (factors.isSingular()) break;
    const stepped = factors.solve(step);
    const added = step.transpose().mmul(p).mmul(stepped);
    const gained = step.mmul(factors.solve(g)).mmul(step.transpose());
    p = library().Matrix.add(p, added);
    g = library().Matrix.add(g, gained);
    step = step.mmul(stepped);
    if (!(added.max() - added.min() > Number.EPSILON * (p.max() - p.min()))) break;
  }
  const cost = unwrapped(library().Matrix.add(p, p.transpose()).mul(0.5));
  const pulled = product(transposed(b), cost);
  const curvature = unwrapped(library().Matrix.add(wrapped(r), wrapped(product(pulled, b))));
  return { cost, gain: leftDivided(curvature, product(pulled, a)) };
}
