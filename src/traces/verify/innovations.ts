import { type Matrix, matrix } from '../../linalg/matrix.js';
import { matMul, transposed } from '../../linalg/products.js';
import { symmetricEigen } from '../../linalg/symmetric-eigen.js';

/** Number of neighbouring cells that are predicted together. The work per sample grows with this number. */
const GROUP_CELLS = 64;
/** Smallest number of samples per cell. With fewer, the prediction is too uncertain to be useful. */
const SAMPLES_PER_CELL = 8;
/** Directions with less than this share of the largest variance come from rounding and are ignored. */
const SHARE_MIN = 1e-10;

/** Cells `first` … `first + cells − 1`, with the weights that give their innovations from two samples. */
export interface InnovationFilter {
  readonly first: number;
  readonly cells: number;
  /** W = [P, −P F] [cells × 2 cells]: innovations are W (x(t), x(t − 1)). */
  readonly weights: Float64Array;
}

interface Series {
  /** [samples × cells], row-major. */
  readonly differences: Float64Array;
  readonly samples: number;
  readonly cells: number;
}

/**
 * Computes filters that turn the samples of a run into innovations. An innovation is the part of a sample
 * that can't be predicted from the sample before it and from the other cells. Each has variance 1.
 *
 * d(t) is the difference of two runs [samples × cells]. C₀ is the mean of d(t)d(t)ᵀ over t, and C₁ that of
 * d(t)d(t−1)ᵀ. F = C₁ C₀⁻¹ predicts a sample from the one before it. Q = C₀ − C₁ C₀⁻¹ C₁ᵀ is the covariance
 * of the remainder of d. The symmetric P = (Q/2)^(−1/2) makes the remainder of either run white. For dx = −A
 * x dt + noise of single cells and symmetric A, the square of innovation i is nearly the best statistic for
 * the noise of cell i (docs/decisions/0034). The square does not spread that noise over the coupled cells,
 * and does not count correlated samples twice.
 *
 * d has no transient and no mean, even if the runs have them. Exchanging the runs gives the same filters, so
 * no run is preferred. Groups with too few samples have no filter.
 */
export function innovationFilters(series: Series): InnovationFilter[] {
  const { samples, cells } = series;
  const filters: InnovationFilter[] = [];
  for (let first = 0; first < cells; first += GROUP_CELLS) {
    const width = Math.min(GROUP_CELLS, cells - first);
    if (samples < SAMPLES_PER_CELL * width) continue;
    const { now, lagged } = covariances(series, first, width);
    const predictor = matMul(lagged, symmetricPower(now, -1));
    const explained = matMul(predictor, transposed(lagged));
    const left = matrix(
      width,
      width,
      now.data.map((value, k) => (value - explained.data[k]) / 2),
    );
    const own = symmetricPower(left, -1 / 2);
    const before = matMul(own, predictor);
    const weights = new Float64Array(2 * width * width);
    for (let i = 0; i < width; i++) {
      // A cell without variation has no innovation. Its rounding errors must not count as an innovation.
      if (now.data[i * width + i] === 0) continue;
      for (let j = 0; j < width; j++) {
        weights[2 * i * width + j] = own.data[i * width + j];
        weights[(2 * i + 1) * width + j] = -before.data[i * width + j];
      }
    }
    filters.push({ first, cells: width, weights });
  }
  return filters;
}

/** Adds the squared innovations of sample `t` ≥ 1 of a run [samples × cells] to `sums` [filter's cells]. */
export function addSquares(
  { first, cells: width, weights }: InnovationFilter,
  values: Float64Array,
  cells: number,
  t: number,
  sums: Float64Array,
): void {
  const now = t * cells + first;
  const before = now - cells;
  for (let i = 0; i < width; i++) {
    const row = 2 * i * width;
    // There are four sums, because each addition to a single sum would have to wait for the one before.
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    let j = 0;
    for (; j + 2 <= width; j += 2) {
      s0 += weights[row + j] * values[now + j];
      s1 += weights[row + j + 1] * values[now + j + 1];
      s2 += weights[row + width + j] * values[before + j];
      s3 += weights[row + width + j + 1] * values[before + j + 1];
    }
    if (j < width) s0 += weights[row + j] * values[now + j] + weights[row + width + j] * values[before + j];
    const innovation = s0 + s1 + (s2 + s3);
    sums[i] += innovation * innovation;
  }
}

/** The means of d(t) d(t)ᵀ and of d(t) d(t−1)ᵀ, for `width` cells from `first` on. */
function covariances(
  { differences, samples, cells }: Series,
  first: number,
  width: number,
): { now: Matrix; lagged: Matrix } {
  const [now, lagged] = [matrix(width, width), matrix(width, width)];
  let t = 1;
  for (; t + 4 <= samples; t += 4) {
    addFour(differences, t * cells + first, t * cells + first, cells, now);
    addFour(differences, t * cells + first, (t - 1) * cells + first, cells, lagged);
  }
  for (; t < samples; t++)
    for (let i = 0, k = 0; i < width; i++)
      for (let j = 0; j < width; j++, k++) {
        const at = t * cells + first;
        now.data[k] += differences[at + i] * differences[at + j];
        lagged.data[k] += differences[at + i] * differences[at - cells + j];
      }
  for (const { data } of [now, lagged]) for (let k = 0; k < data.length; k++) data[k] /= samples - 1;
  return { now, lagged };
}

/** Adds Σ xyᵀ over four samples: x from `at` on, y from `other` on, `stride` apart. */
function addFour(series: Float64Array, at: number, other: number, stride: number, out: Matrix): void {
  const { rows, data } = out;
  const [y1, y2, y3] = [other + stride, other + 2 * stride, other + 3 * stride];
  for (let i = 0, k = 0; i < rows; i++) {
    const x0 = series[at + i];
    const x1 = series[at + stride + i];
    const x2 = series[at + 2 * stride + i];
    const x3 = series[at + 3 * stride + i];
    for (let j = 0; j < rows; j++, k++)
      data[k] += x0 * series[other + j] + x1 * series[y1 + j] + (x2 * series[y2 + j] + x3 * series[y3 + j]);
  }
}

/** A^p of a symmetric A, which should be positive semidefinite. Directions without variance stay 0. */
function symmetricPower(a: Matrix, exponent: number): Matrix {
  const { values, vectors } = symmetricEigen(a);
  const n = a.rows;
  const least = SHARE_MIN * values[n - 1];
  const scaled = matrix(n, n);
  for (let k = 0; k < n; k++) {
    const power = values[k] > least ? values[k] ** exponent : 0;
    for (let i = 0; i < n; i++) scaled.data[i * n + k] = power * vectors.data[i * n + k];
  }
  return matMul(scaled, transposed(vectors));
}
