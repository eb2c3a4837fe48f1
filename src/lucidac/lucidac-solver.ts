import type { EquilibriumSolver, RelaxationSolver, RelaxRequest } from '../algorithms/contract.js';
import { checkRelaxRequest, checkSolveRequest } from '../algorithms/request-checks.js';
import { takeTurn } from '../board/turns.js';
import { throwIfAborted } from '../errors.js';
import { circuitOf } from './circuit.js';
import { Lucidac } from './lucidac.js';
import { operatingTimeOf } from './machine-use.js';
import { type LucidacRelaxResult, Relaxations } from './relax.js';
import { notALucidac, planSolve, solveOn } from './solve.js';

/**
 * Largest coupling of a relaxation, as a share of the range. The rest of the range is needed to correct gains
 * that are too small.
 */
const COUPLING_FILL = 0.9;

/** The solver that `createLucidacSolver` returns. */
export interface LucidacSolver extends EquilibriumSolver, RelaxationSolver {
  /**
   * Like `RelaxationSolver.relax`; the result also tells the error of the answer. Errors: those of
   * `RelaxationSolver.relax`, and of the machine: BUSY, OVERLOAD, TIMEOUT, LINK_LOST, ABORTED.
   */
  relax(request: RelaxRequest): Promise<LucidacRelaxResult>;
}

/**
 * A solver that computes on a LUCIDAC: dense systems of up to five unknowns, and systems of up to eight
 * unknowns if couplings and unknowns together are at most 32. The uses of one machine take turns. Each use
 * removes its circuit from the machine at its end.
 *
 * `solve` keeps ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, proved by the residual of the host. Each entry of `standardError`
 * is the standard error of a mean over four placements. |x̂_i − x_i| is below twice that error in about 86 of
 * 100 cases (Student's distribution with three degrees of freedom). The seed of a request has no effect,
 * because the machine has no noise source.
 *
 * `relax` measures the behaviour of the machine with a matrix, corrects the coefficients, and repeats runs to
 * average the noise. `relativeError` estimates the error of the answer. A matrix is not measured again if the
 * call before had the same matrix and there was no solve between.
 *
 * Errors: BAD_ARGUMENT if `lucidac` is not a connected LUCIDAC. The methods of the solver throw the errors of
 * `EquilibriumSolver` and `RelaxationSolver`; OVERLOAD, SAMPLES_LOST, RUN_ENDED, BUSY, DEVICE_REFUSED,
 * TIMEOUT, LINK_LOST, ABORTED.
 */
export function createLucidacSolver(lucidac: Lucidac): LucidacSolver {
  if (!(lucidac instanceof Lucidac)) throw notALucidac();
  const relaxations = new Relaxations(lucidac);
  return {
    name: 'LUCIDAC',
    solve: async (request) => {
      const { evened } = checkSolveRequest(request);
      const plan = planSolve(evened, request.tolerance);
      return useOf(lucidac, request.signal, () => solveOn(lucidac, plan, request));
    },
    relax: async (request) => {
      const checked = checkRelaxRequest(request);
      const circuit = circuitOf(checked.system, COUPLING_FILL);
      const operatingTimeNs = operatingTimeOf(circuit, request.time);
      // A `nextTime` that the next call would refuse is refused in this call already.
      operatingTimeOf(circuit, request.nextTime ?? 0);
      return useOf(lucidac, request.signal, () =>
        relaxations.relax(checked, { circuit, operatingTimeNs }, request),
      );
    },
  };
}

/** Waits for the turn of this use, does the work, and removes the configuration at the end. */
async function useOf<Result>(
  lucidac: Lucidac,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  throwIfAborted(signal);
  return takeTurn(lucidac, signal, async () => {
    try {
      throwIfAborted(signal);
      return await work();
    } finally {
      await lucidac.release();
    }
  });
}
