import { cholesky, choleskySolve } from './cholesky.js';
import type { LinearSystem } from './linear-system.js';
import type { Matrix } from './matrix.js';
import { formDense } from './products.js';
import { woodburySolver } from './woodbury.js';

/** A⁻¹b in float64. */
export type DirectSolver = (b: Float64Array) => Float64Array<ArrayBuffer>;

/**
 * Takes A apart once, for any number of right-hand sides: by Cholesky factorisation, O(N³), or by Woodbury's identity, O(m²N),
 * for a factored system with m < N, which is never formed. Undefined when float64 finds A not positive definite.
 */
export function directSolver(system: LinearSystem): DirectSolver | undefined {
  if (system.kind === 'dense') return byCholesky(system.matrix);
  const { factor, damping } = system;
  if (factor.rows >= factor.columns) return byCholesky(formDense(factor, damping));
  return damping > 0 ? woodburySolver(factor, damping) : undefined;
}

function byCholesky(a: Matrix): DirectSolver | undefined {
  const outcome = cholesky(a);
  return outcome.ok ? (b) => choleskySolve(outcome.factor, b) : undefined;
}
