import type { BoardDevice, DeviceIdentity } from '../driver/device-api.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { inspectSystem, type Spectrum } from '../mapping/definiteness.js';
import { checkTolerance, checkVector } from '../mapping/validation.js';
import { refuseBeyondFloat64 } from './acceptance.js';
import type { AnalogSolverOptions } from './analog-solver.js';
import { refuseTooLarge, refuseTooLong } from './board-limits.js';
import { BoardRuns } from './board-runs.js';
import { type SolveRequest, type SolveResult, zeroSolution } from './contract.js';
import { type EquilibriumPlan, planEquilibrium } from './equilibrium-plan.js';
import { refine } from './refinement.js';

/**
 * A⁻¹b by the equilibrium of a board, to ‖x̂ − x‖₂ ≤ tolerance · ‖x‖₂. The answer is a sum of board readings; the host
 * contributes products with A, scales and the decision when to stop.
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE, BAD_ARGUMENT, TOO_LARGE, UNSUPPORTED before any byte is sent; OVERLOAD;
 * TOLERANCE_NOT_MET.
 */
export async function solveOnBoard(
  device: BoardDevice,
  options: AnalogSolverOptions,
  request: SolveRequest,
): Promise<SolveResult> {
  const board = new BoardRuns(device, request.address, request.signal);
  const equilibrium = new Equilibrium(device.identity, board, request.system, options);
  return { ...(await equilibrium.solve(request)), cost: board.cost };
}

/**
 * One system on one board, for any number of right-hand sides: it is checked and coded once, and its couplings are sent
 * with the first. The caller has the board to itself as long as it lives. Errors: those of `solveOnBoard`, of the system
 * from the constructor.
 */
export class Equilibrium {
  readonly #identity: DeviceIdentity;
  readonly #board: BoardRuns;
  readonly #system: LinearSystem;
  readonly #options: AnalogSolverOptions;
  readonly #spectrum: Spectrum;
  #plan: EquilibriumPlan | undefined;

  constructor(
    identity: DeviceIdentity,
    board: BoardRuns,
    system: LinearSystem,
    options: AnalogSolverOptions = {},
  ) {
    this.#identity = identity;
    this.#board = board;
    this.#system = system;
    this.#options = options;
    this.#spectrum = board.charge('mapMs', () => inspectSystem(system));
    refuseTooLarge(system, identity);
  }

  /** A⁻¹b for the drive b; `request.system` is the one that this was made with. */
  async solve(request: SolveRequest): Promise<Omit<SolveResult, 'cost'>> {
    const { drive, tolerance, address } = request;
    checkTolerance(tolerance);
    checkVector(drive, this.#system, 'right-hand side');
    refuseBeyondFloat64(this.#system, this.#spectrum, tolerance);
    if (drive.every((value) => value === 0)) return zeroSolution(drive.length);
    this.#plan ??= this.#board.charge('mapMs', () => this.#planned());
    this.#board.readdress(address);
    return refine(this.#plan, this.#board, request);
  }

  #planned(): EquilibriumPlan {
    const plan = planEquilibrium(this.#system, this.#spectrum, this.#identity);
    refuseTooLong(plan.settleTicks + 50 * plan.ticksPerSample, this.#options.ticksMax);
    return plan;
  }
}
