import { refuseBeyondFloat64 } from '../../board/acceptance.js';
import { type BoardModel, nominalModel } from '../../board/board-model.js';
import { BoardRuns } from '../../board/board-runs.js';
import { calibratedModel } from '../../board/calibrated-model.js';
import { inspectSystem, type Spectrum } from '../../board/definiteness.js';
import {
  type EquilibriumPlan,
  planEquilibrium,
  refuseTooLarge,
  refuseTooLong,
} from '../../board/equilibrium-plan.js';
import type { BoardDevice, DeviceIdentity } from '../../driver/device-api.js';
import type { LinearSystem } from '../../linalg/linear-system.js';
import type { AnalogSolverOptions } from '../board-solver.js';
import { checkSolveRequest, type SolveRequest, type SolveResult, zeroSolution } from '../contract.js';
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
  checkSolveRequest(request);
  const board = new BoardRuns(device, request.address, request.signal);
  const equilibrium = new Equilibrium(device.identity, board, request.system, options);
  equilibrium.check(request);
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

  /** Throws what can be told before the first run. `request.system` is the one that this was made with. */
  check(request: SolveRequest): void {
    checkSolveRequest(request);
    const { drive, tolerance } = request;
    refuseBeyondFloat64(this.#system, this.#spectrum, tolerance);
    if (!isZero(drive)) this.#board.charge('mapMs', () => this.#prepare());
  }

  /** A⁻¹b for the drive b of a request that was checked. */
  async solve(request: SolveRequest): Promise<Omit<SolveResult, 'cost'>> {
    const { drive, address } = request;
    if (isZero(drive)) return zeroSolution(drive.length);
    this.#board.readdress(address);
    return refine(this.#prepare(), this.#board, request);
  }

  #prepare(): EquilibriumPlan {
    if (this.#plan === undefined) {
      this.#plan = planEquilibrium(
        this.#system,
        this.#spectrum,
        this.#identity,
        modelOf(this.#identity, this.#options),
      );
      refuseTooLong(this.#plan.settleTicks + 50 * this.#plan.ticksPerSample, this.#options.ticksMax);
    }
    return this.#plan;
  }
}

/** The board as it is known. */
function modelOf(identity: DeviceIdentity, { calibration }: AnalogSolverOptions): BoardModel {
  return calibration === undefined ? nominalModel(identity) : calibratedModel(calibration, identity);
}

function isZero(drive: Float64Array): boolean {
  return drive.every((value) => value === 0);
}
