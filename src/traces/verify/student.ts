/**
 * Student's t distribution far out in its tails, where a normal approximation is wrong by orders of magnitude
 * (Abramowitz and Stegun, 26.5 and 26.7).
 */

/** Lanczos' series for g = 7, n = 9; its relative error is below 1e-14 for x ≥ 1/2. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x), x ≥ 1/2. */
function logGamma(x: number): number {
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const FRACTION_TERMS_MAX = 10_000;
/** Replaces 0 in a denominator of the continued fraction. */
const TINY = 1e-300;

/** The regularized incomplete beta function I_x(a, b), a, b ≥ 1/2, 0 ≤ x ≤ 1. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  let c = 1;
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= FRACTION_TERMS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / notZero(1 + even * d);
    c = notZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / notZero(1 + odd * d);
    c = notZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return (front * fraction) / a;
}

function notZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** P(|T| ≥ |t|) of Student's distribution with `dof` ≥ 1 degrees of freedom; 0 for an infinite t. */
export function studentTails(t: number, dof: number): number {
  if (!Number.isFinite(t)) return 0;
  return incompleteBeta(dof / (dof + t * t), dof / 2, 0.5);
}

/** The t ≥ 0 with P(|T| ≥ t) = `tails`, 0 < tails < 1: the inverse of `studentTails`. */
export function studentLimit(tails: number, dof: number): number {
  let low = 0;
  let high = 1;
  while (studentTails(high, dof) > tails) high *= 2;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (studentTails(middle, dof) > tails) low = middle;
    else high = middle;
  }
  return high;
}
