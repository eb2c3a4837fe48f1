import type { EquilibriumSolver, RelaxationSolver, RelaxRequest } from '../algorithms/contract.js';
import { checkRelaxRequest, checkSolveRequest } from '../algorithms/request-checks.js';
import { takeTurn } from '../board/turns.js';
import { throwIfAborted } from '../errors.js';
import { circuitOf } from './circuit.js';
import { Lucidac } from './lucidac.js';
import { operatingTimeOf } from './machine-use.js';
import { type LucidacRelaxResult, Relaxations } from './relax.js';
import { notALucidac, planSolve, solveOn } from './solve.js';

/** The largest coupling of a relaxation, as a part of the range. The rest corrects too small gains. */
const COUPLING_FILL = 0.9;

/** What `createLucidacSolver` gives. */
export interface LucidacSolver extends EquilibriumSolver, RelaxationSolver {
  /**
   * As every `relax`, and tells how good the answer is. Errors: those of `RelaxationSolver.relax`, and of the
   * machine: BUSY, OVERLOAD, TIMEOUT, LINK_LOST, ABORTED.
   */
  relax(request: RelaxRequest): Promise<LucidacRelaxResult>;
}

/**
 * A solver that computes on a LUCIDAC: dense systems of up to five unknowns, and up to eight whose couplings
 * and unknowns are at most 32 together. All uses of one machine take turns, and each leaves the machine
 * without a circuit.
 *
 * `solve` keeps ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, proved by the residual of the host. Each entry of `standardError`
 * is of a mean over four placements: |x̂_i − x_i| is below twice that error in about 86 of 100 cases
 * (Student's distribution with three degrees of freedom). The seed of a request names nothing here, since
 * the machine has no noise source.
 *
 * `relax` measures what the machine makes of a matrix, corrects its coefficients, and repeats runs until
 * noise averages out; `relativeError` says how good the answer is. A matrix is not measured again when the
 * call before had the same one and no solve came between.
 *
 * Errors: BAD_ARGUMENT for what is no connected LUCIDAC. Its methods throw those of `EquilibriumSolver` and
 * `RelaxationSolver`; OVERLOAD, SAMPLES_LOST, RUN_ENDED, BUSY, DEVICE_REFUSED, TIMEOUT, LINK_LOST, ABORTED.
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
      // The next call would be refused, so it is refused now.
      operatingTimeOf(circuit, request.nextTime ?? 0);
      return useOf(lucidac, request.signal, () =>
        relaxations.relax(checked, { circuit, operatingTimeNs }, request),
      );
    },
  };
}

/** One use of the machine in its turn. What was configured is taken back at the end. */
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
