import { diagonalOf, type LinearSystem } from '../../linalg/linear-system.js';
import { dotOfRows, formDense } from '../../linalg/products.js';

/**
 * ln det(A + cD) for a c well above λ_max, with the slope that the integral below c needs at its upper end.
 */
export interface Head {
  /** ln det(A + cD), dimensionless. */
  readonly logDeterminant: number;
  /** Bound on the terms that the series leaves out; dimensionless. */
  readonly remainder: number;
  /** d/d(ln s) of s·tr D(A + sD)⁻¹ at s = c; dimensionless. */
  readonly slope: number;
}

/**
 * ln det(A + cD) by three traces, D = diag(`gains`): with the eigenvalues λ of D^(−½) A D^(−½), their mean m
 * and d = c + m it is
 *
 *     ln det D + N ln d − Σ(λ − m)²/(2d²) + Σ(λ − m)³/(3d³)
 *
 * up to at most Σ(λ − m)⁴/(4d⁴(1 − ρ)) with ρ = λ₊/(d min D).
 *
 * `eigenvalueMax` is λ₊ ≥ λ_max; c must be above it. The third trace costs N³ products.
 */
export function headOf(system: LinearSystem, c: number, eigenvalueMax: number, gains: Float64Array): Head {
  const n = gains.length;
  const diagonal = diagonalOf(system).map((entry, i) => entry / gains[i]);
  const mean = diagonal.reduce((total, entry) => total + entry, 0) / n;
  const a = system.kind === 'dense' ? system.matrix.data : formDense(system.factor, system.damping).data;
  const roots = gains.map(Math.sqrt);
  const centred = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) centred[i * n + j] = a[i * n + j] / (roots[i] * roots[j]);
  for (let i = 0; i < n; i++) centred[i * n + i] -= mean;
  let second = 0;
  let third = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      // The matrix in a board with a calibration may differ from a symmetric one in the last bits.
      const entry = (centred[i * n + j] + centred[j * n + i]) / 2;
      second += entry * entry;
      third += entry * dotOfRows(centred, i * n, centred, j * n, n);
    }
  const d = c + mean;
  const ratio = eigenvalueMax / (d * Math.min(...gains));
  const ofGains = gains.reduce((total, gain) => total + Math.log(gain), 0);
  return {
    logDeterminant: ofGains + n * Math.log(d) - second / (2 * d * d) + third / (3 * d ** 3),
    remainder: (second * ratio * ratio) / (4 * d * d * (1 - ratio)),
    slope: (c / (d * d)) * (n * mean + ((3 * mean - 2 * d) * second) / (d * d)),
  };
}
