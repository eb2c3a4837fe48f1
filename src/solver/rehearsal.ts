import { ThermolinkError } from '../errors.js';
import { type DirectSolver, directSolver, directSolverCost } from '../linalg/direct-solver.js';
import { normInf } from '../linalg/products.js';
import { adcStep } from '../mapping/board-range.js';
import { programmedDrive, quantizeDrive } from '../mapping/quantize.js';
import { conditionOf, IMPROVE, shortNumber } from './acceptance.js';
import { approach, firstState, notMet } from './approach.js';
import type { SolveRequest } from './contract.js';
import { roundingResidual } from './equilibrium-pass.js';
import { type EquilibriumPlan, scalingAt } from './equilibrium-plan.js';
import type { SettleAt } from './settle.js';

/** Products that a rehearsal may cost: every dense system up to 1,024 cells. */
const COST_MAX = 2 ** 28;
/** Above the share at which a solve gives up: what is close to it is left to the board to decide. */
const STALL = 0.8;

type Problem = Pick<SolveRequest, 'drive' | 'tolerance'>;

/**
 * The passes of a solve played through on the host, with the codes that the board would get, the rails and the ADC, but without
 * noise: what a perfect board would do. It tells before the first run whether the passes lead anywhere, and how many there are
 * at least. Nothing of it enters an answer.
 *
 * Rounding can decide a close case either way, on the board too: refused is only what leads nowhere with and without the
 * rounding of the ADC.
 */
export class Rehearsal {
  readonly #plan: EquilibriumPlan;
  /** Two ways to settle, see above; none for a system too large to rehearse. */
  readonly #ways: readonly SettleAt[];

  constructor(plan: EquilibriumPlan) {
    this.#plan = plan;
    const equilibrium =
      directSolverCost(plan.programmed) <= COST_MAX ? directSolver(plan.programmed) : undefined;
    this.#ways =
      equilibrium === undefined
        ? []
        : [true, false].map((isRounded) => settlingByArithmetic(plan, equilibrium, isRounded));
  }

  /**
   * Passes that this solve takes at least; 1 for a system too large to rehearse.
   * Errors: TOLERANCE_NOT_MET with the reason when even a perfect board with these codes would not get there.
   */
  async passesMin(request: Problem): Promise<number> {
    const [first] = this.#ways;
    if (first === undefined) return 1;
    const outcome = await this.#play(first, request);
    if (typeof outcome === 'number') return outcome;
    for (const other of this.#ways.slice(1)) {
      const passes = await this.#play(other, request);
      if (typeof passes === 'number') return passes;
    }
    throw this.#hopeless(request.tolerance, outcome);
  }

  /** The number of passes, or why they lead nowhere. */
  async #play(settleAt: SettleAt, request: Problem): Promise<number | ThermolinkError> {
    const state = firstState(request.drive);
    try {
      const approached = await approach(this.#plan, settleAt, request, state, { stallAt: STALL });
      return approached === undefined ? notMet(request.tolerance, state, state.reason) : state.passes;
    } catch (error) {
      if (error instanceof ThermolinkError) return error;
      throw error;
    }
  }

  #hopeless(tolerance: number, { message, data }: ThermolinkError): ThermolinkError {
    const { identity, spectrum } = this.#plan;
    const condition = conditionOf(spectrum);
    const reason = typeof data['reason'] === 'string' ? data['reason'] : message.replace(/\.$/, '');
    return new ThermolinkError(
      'TOLERANCE_NOT_MET',
      `The board ${identity.model} can't solve this system to a relative error of ${tolerance}, and was not run: ${reason} ` +
        `(condition of the system ${shortNumber(condition)}).`,
      {
        hint: `Try to ${IMPROVE}; or use a board with finer couplings and drive. A larger tolerance alone rarely helps.`,
        data: { ...data, tolerance, reason, condition },
      },
    );
  }
}

/** What a board with these codes settles at, rounded by its ADC or not. */
function settlingByArithmetic(
  plan: EquilibriumPlan,
  equilibrium: DirectSolver,
  isRounded: boolean,
): SettleAt {
  const { identity, rail } = plan;
  return async (drive, solutionScale) => {
    const scaling = scalingAt(plan, solutionScale);
    const driveCodes = quantizeDrive(drive, scaling, identity);
    const exact = equilibrium(programmedDrive(driveCodes, scaling, identity));
    if (normInf(exact) > rail * solutionScale) return undefined;
    const unit = solutionScale * adcStep(identity.adcBits);
    const x = isRounded ? exact.map((value) => unit * Math.round(value / unit)) : exact;
    return { x, rounding: roundingResidual(plan, drive, driveCodes, solutionScale, x) };
  };
}
