import type { LinearSystem } from '../../src/linalg/linear-system.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import { formDense } from '../../src/linalg/products.js';

/** The matrix A, computed entry by entry. */
export function denseOf(system: LinearSystem): Matrix {
  return system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
}
