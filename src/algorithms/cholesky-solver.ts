import { ZERO_COST } from '../board/cost.js';
import { weighted } from '../board/diagonal-scaling.js';
import { assert, throwIfAborted } from '../errors.js';
import { isZero } from '../linalg/products.js';
import { directSolver } from '../linalg/woodbury.js';
import { certify, refuseBeyondFloat64, toleranceNotMet, zeroSolution } from './acceptance.js';
import type { EquilibriumSolver, SolveRequest, SolveResult } from './contract.js';
import { checkSolveRequest } from './request-checks.js';

/**
 * A solver for A x = b in float64 by Cholesky factorisation, O(N³). Other solvers are compared with it. A
 * factored system with m < N is solved by Woodbury's identity; A itself is never formed. The solver computes
 * only the equilibrium, so it has no `relax`.
 *
 * Errors: its `solve` throws those of `EquilibriumSolver`.
 */
export function createCholeskySolver(): EquilibriumSolver {
  return { name: 'cholesky', solve: async (request) => solve(request) };
}

function solve(request: SolveRequest): SolveResult {
  const { evened } = checkSolveRequest(request);
  throwIfAborted(request.signal);
  const { tolerance } = request;
  const { weights, checked } = evened;
  const drive = weighted(request.drive, weights);
  if (isZero(drive)) return zeroSolution(drive.length);
  refuseBeyondFloat64(evened, tolerance);
  const exactly = directSolver(checked.system);
  assert(exactly !== undefined, 'definiteness was checked');
  const y = exactly(drive);
  const { relativeErrorBound, relativeResidual } = certify(evened, drive, y);
  if (relativeErrorBound > tolerance)
    throw toleranceNotMet('Float64', 'the residual does not prove the tolerance', {
      tolerance,
      passes: 1,
      samples: 0,
      relativeResidual,
      relativeErrorBound,
      relativeStandardError: 0,
    });
  return {
    x: weighted(y, weights),
    standardError: new Float64Array(y.length),
    quantizationError: 0,
    carryNoiseShare: 0,
    relativeResidual,
    passes: 1,
    samples: 0,
    cost: ZERO_COST,
  };
}
