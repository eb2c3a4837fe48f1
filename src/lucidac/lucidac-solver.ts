import type {
  EquilibriumSolver,
  RelaxationSolver,
  RelaxRequest,
  RelaxResult,
} from '../algorithms/contract.js';
import { checkRelaxRequest, checkSolveRequest, lateVector } from '../algorithms/request-checks.js';
import type { CheckedSystem } from '../board/checked-system.js';
import { takeTurn } from '../board/turns.js';
import { throwIfAborted } from '../errors.js';
import { isZero, normInf } from '../linalg/products.js';
import { type Circuit, circuitOf, placementOf } from './circuit.js';
import { Lucidac } from './lucidac.js';
import { MachineUse, operatingTimeOf } from './machine-use.js';
import { notALucidac, planSolve, solveOn } from './solve.js';

/** x₀ fills so much of the range, in machine units. */
const INITIAL_FILL = 0.8;

/**
 * A solver that computes on a LUCIDAC: dense systems of up to five unknowns, and up to eight whose couplings
 * and unknowns are at most 32 together. All uses of one machine take turns, and each leaves the machine
 * without a circuit.
 *
 * `solve` keeps ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, proved by the residual of the host. Each entry of `standardError`
 * is of a mean over four placements: |x̂_i − x_i| is below twice of it in about 86 of 100 cases (Student's
 * distribution with three degrees of freedom). `relax` gives one reading, without an error bar. The seed of a
 * request names nothing here, since the machine has no noise source.
 *
 * Errors: BAD_ARGUMENT for what is no connected LUCIDAC. Its methods throw those of `EquilibriumSolver` and
 * `RelaxationSolver`; OVERLOAD, SAMPLES_LOST, RUN_ENDED, BUSY, DEVICE_REFUSED, TIMEOUT, LINK_LOST, ABORTED.
 */
export function createLucidacSolver(lucidac: Lucidac): EquilibriumSolver & RelaxationSolver {
  if (!(lucidac instanceof Lucidac)) throw notALucidac();
  return {
    name: 'LUCIDAC',
    solve: async (request) => {
      const { evened } = checkSolveRequest(request);
      const plan = planSolve(evened, request.tolerance);
      return useOf(lucidac, request.signal, () => solveOn(lucidac, plan, request));
    },
    relax: async (request) => {
      const checked = checkRelaxRequest(request);
      const circuit = circuitOf(checked.system);
      const operatingTimeNs = operatingTimeOf(circuit, request.time);
      // The next call would be refused, so it is refused now.
      operatingTimeOf(circuit, request.nextTime ?? 0);
      return useOf(lucidac, request.signal, () =>
        relaxOn(lucidac, checked, { circuit, operatingTimeNs }, request),
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

/** x(t) = the voltages at the end of a run of t/(k₀α) from v(0) = s·x₀ with e' = sα·b. */
async function relaxOn(
  lucidac: Lucidac,
  checked: CheckedSystem,
  { circuit, operatingTimeNs }: { readonly circuit: Circuit; readonly operatingTimeNs: number },
  { drive: given, initial, time, signal }: RelaxRequest,
): Promise<RelaxResult> {
  const use = new MachineUse(lucidac, signal);
  const drive = typeof given === 'function' ? await lateVector(given, 'drive', checked, signal) : given;
  if (time === 0 || (isZero(drive) && isZero(initial)))
    return { x: Float64Array.from(initial), cost: use.cost };
  const firstScale = Math.min(INITIAL_FILL / normInf(initial), 1 / (circuit.scale * normInf(drive)));
  const readings = await use.ranged(
    circuit,
    placementOf(circuit, 0),
    operatingTimeNs,
    firstScale,
    (scale) => ({
      drive: drive.map((entry) => scale * circuit.scale * entry),
      initial: initial.map((entry) => scale * entry),
    }),
  );
  return { x: Float64Array.from(readings.end, (voltage) => voltage / readings.scale), cost: use.cost };
}
