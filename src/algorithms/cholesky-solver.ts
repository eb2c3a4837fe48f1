import { certify, refuseBeyondFloat64, toleranceNotMet } from '../board/acceptance.js';
import { ZERO_COST } from '../board/cost.js';
import { inspectSystem } from '../board/definiteness.js';
import { assert, ThermolinkError, throwIfAborted } from '../errors.js';
import { directSolver } from '../linalg/woodbury.js';
import {
  checkSolveRequest,
  type LinearSolver,
  type SolveRequest,
  type SolveResult,
  zeroSolution,
} from './contract.js';

/**
 * A⁻¹b in float64 by Cholesky factorisation: the oracle that other solvers are compared with. A factored system with
 * m < N is solved by Woodbury's identity and never formed.
 *
 * Errors: those of `LinearSolver`; `relax` is UNSUPPORTED.
 */
export function createCholeskySolver(): LinearSolver {
  return {
    name: 'cholesky',
    canRelax: false,
    relax: async () => {
      throw new ThermolinkError(
        'UNSUPPORTED',
        'A Cholesky solver knows the equilibrium only, not the way there.',
        {
          hint: 'Use the ideal sampler or a board for a finite time.',
        },
      );
    },
    solve: async (request) => solve(request),
  };
}

function solve(request: SolveRequest): SolveResult {
  checkSolveRequest(request);
  throwIfAborted(request.signal);
  const { system, drive, tolerance } = request;
  const spectrum = inspectSystem(system);
  if (drive.every((value) => value === 0)) return zeroSolution(drive.length);
  refuseBeyondFloat64(system, spectrum, tolerance);
  const exactly = directSolver(system);
  assert(exactly !== undefined, 'definiteness was checked');
  const x = exactly(drive);
  const { relativeErrorBound, relativeResidual } = certify(system, spectrum, drive, x);
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
    x,
    standardError: new Float64Array(x.length),
    quantizationError: 0,
    carryNoiseShare: 0,
    relativeResidual,
    passes: 1,
    samples: 0,
    cost: ZERO_COST,
  };
}
