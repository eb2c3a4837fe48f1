import { assert, ThermolinkError, throwIfAborted } from '../errors.js';
import { cholesky, choleskySolve } from '../linalg/cholesky.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';
import { formDense } from '../linalg/products.js';
import { solveByWoodbury } from '../linalg/woodbury.js';
import { inspectSystem } from '../mapping/definiteness.js';
import { checkTolerance, checkVector } from '../mapping/validation.js';
import { certify, refuseBeyondFloat64, toleranceNotMet } from './acceptance.js';
import {
  type LinearSolver,
  type SolveRequest,
  type SolveResult,
  ZERO_COST,
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
  throwIfAborted(request.signal);
  checkTolerance(request.tolerance);
  const { system, drive, tolerance } = request;
  checkVector(drive, system, 'right-hand side');
  const spectrum = inspectSystem(system);
  if (drive.every((value) => value === 0)) return zeroSolution(drive.length);
  refuseBeyondFloat64(system, spectrum, tolerance);
  const x = solveExactly(system, drive);
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

function solveExactly(system: LinearSystem, drive: Float64Array): Float64Array<ArrayBuffer> {
  if (system.kind === 'dense') return solveDefinite(system.matrix, drive);
  const { factor, damping } = system;
  if (factor.rows >= factor.columns) return solveDefinite(formDense(factor, damping), drive);
  const x = solveByWoodbury(factor, damping, drive);
  assert(x !== undefined, 'definiteness was checked');
  return x;
}

function solveDefinite(a: Matrix, b: Float64Array): Float64Array<ArrayBuffer> {
  const outcome = cholesky(a);
  assert(outcome.ok, 'definiteness was checked');
  return choleskySolve(outcome.factor, b);
}
