import { largestEigenvalue } from '../../src/board/spectrum.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { dot, norm2 } from '../../src/linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../src/linalg/random.js';
import { normalMatrix, normalVector, problemRandom } from './solver-problems.js';

/** The largest eigenvalue of KᵀK of `hiddenTop`; the next one is about 1. */
export const TOP = 1.3;

/** The entries are so small that λ_max determines the scale of a board. */
const COPIES = 16;

/**
 * K (16n × n). The first start of the host's Lanczos method does not find the largest eigenvalue of KᵀK,
 * because the eigenvector is orthogonal to the starting vector.
 */
export function hiddenTop(n: number): Matrix {
  const random = randomSource({ seed: 0, stream: RANDOM_STREAM.spectrumProbe, block: 0 });
  const start = Float64Array.from({ length: n }, () => random.normal());
  const other = problemRandom(5);
  const hidden = withoutShare(normalVector(other, n), start);
  const factor = normalMatrix(other, n, n);
  const rowOf = (i: number): Float64Array => factor.data.subarray(i * n, (i + 1) * n);
  rowOf(n - 1).fill(0);
  for (let i = 0; i < n - 1; i++) rowOf(i).set(withoutShare(rowOf(i), hidden));
  const scale = 1 / Math.sqrt(largestEigenvalue({ kind: 'factored', factor, damping: 0 }));
  const top = Math.sqrt(TOP) / norm2(hidden);
  const rows = matrix(COPIES * n, n);
  for (let copy = 0; copy < COPIES; copy++) {
    const at = copy * n * n;
    rows.data.set(
      factor.data.map((value) => (scale * value) / Math.sqrt(COPIES)),
      at,
    );
    for (let j = 0; j < n; j++) rows.data[at + (n - 1) * n + j] = (top * hidden[j]) / Math.sqrt(COPIES);
  }
  return rows;
}

/** v without its component along `axis`. */
function withoutShare(v: Float64Array, axis: Float64Array): Float64Array {
  const share = dot(axis, v) / dot(axis, axis);
  return v.map((value, i) => value - share * axis[i]);
}
