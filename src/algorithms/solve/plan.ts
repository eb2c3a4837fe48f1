import { refuseTooLong } from '../../board/board-range.js';
import type { CheckedSystem, EvenedSystem } from '../../board/checked-system.js';
import { type EquilibriumPlan, planEquilibrium } from '../../board/equilibrium-plan.js';
import type { BoardSession } from '../../board/session.js';
import { ThermolinkError } from '../../errors.js';
import { conditionOf, refuseBeyondFloat64 } from '../acceptance.js';
import { NOISE_SHARE, SYSTEMATIC_SHARE } from './noise-budget.js';

/**
 * The plan to solve a system on a board: the system with an even diagonal, and the weights that lead back to
 * A.
 */
export interface SolvePlan extends EquilibriumPlan {
  readonly evened: EvenedSystem;
  /**
   * σ, in units of the evened system Â. The board has Â + σI; `system` and `spectrum` belong to Â + σI too.
   * With σ = 0 it has Â itself.
   */
  readonly damping: number;
}

/** A solve counts as too long if settling and this number of samples would take more ticks than allowed. */
const SAMPLES_COUNTED = 50;
/**
 * Largest condition numbers of the board's system, one for each attempt (decision 27). Above 3000 a damped
 * system with more passes takes less board time. The smaller numbers are for boards whose matrix has a large
 * error, because the damping must be larger than that error.
 */
const CONDITIONS_MAX = [3000, 300, 30];
/** A damping is not worth a plan if it makes the condition number smaller by less than this factor. */
const GAIN_MIN = 2;

/**
 * The plans to solve one system on a board to a tolerance, for any number of right-hand sides. `current` is
 * the plan in use. If it makes no progress, `advance` turns to the next plan, which has more damping.
 */
export class SolvePlans {
  #current: SolvePlan;
  readonly #make: (damping: number) => SolvePlan;
  readonly #evened: EvenedSystem;
  readonly #isPlain: boolean;
  /** The dampings of the next plans. */
  readonly #dampings: number[];

  /**
   * Sends nothing. `plain` makes the plan of Â itself. Without `tolerance` there is no check of the
   * tolerance. Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for a tolerance beyond float64 or beyond the
   * board's codes; UNSUPPORTED for board runs of more than `ticksMax` ticks.
   */
  constructor(
    session: BoardSession,
    system: CheckedSystem,
    tolerance: number | undefined,
    ticksMax?: number,
    plain: () => EquilibriumPlan = () =>
      planEquilibrium(system.evened.checked, session.identity, session.model),
  ) {
    this.#make = (damping) => planDamped(session, system.evened, damping, plain, ticksMax);
    this.#dampings = dampingsOf(system.evened.checked);
    this.#evened = system.evened;
    this.#isPlain = this.#dampings[0] === 0;
    this.#current = session.charge('mapMs', () => {
      if (tolerance !== undefined) this.refuseBeyondFloat64(tolerance);
      return this.#next();
    });
  }

  /** Throws TOLERANCE_NOT_MET if no residual in float64 can prove the tolerance. */
  refuseBeyondFloat64(tolerance: number): void {
    refuseBeyondFloat64(this.#evened, tolerance, this.#isPlain ? 1 : SYSTEMATIC_SHARE * NOISE_SHARE);
  }

  get current(): SolvePlan {
    return this.#current;
  }

  /** Turns to the next plan; returns false if there is no further plan. */
  advance(): boolean {
    try {
      if (this.#dampings.length === 0) return false;
      this.#current = this.#next();
      return true;
    } catch (error) {
      if (isOfCodes(error)) return false;
      throw error;
    }
  }

  /** The first of the next plans whose codes are positive definite. Errors: those of the last plan. */
  #next(): SolvePlan {
    const damping = this.#dampings.shift()!;
    try {
      return this.#make(damping);
    } catch (error) {
      if (!isOfCodes(error) || this.#dampings.length === 0) throw error;
      return this.#next();
    }
  }
}

/** Whether more damping may help: the codes, or the board's use of them, have too large errors. */
export function isOfCodes(error: unknown): boolean {
  if (!(error instanceof ThermolinkError)) return false;
  if (error.code === 'OVERLOAD') return true;
  return error.code === 'TOLERANCE_NOT_MET' && error.data?.['deadCells'] === undefined;
}

/** σ for each attempt, the smallest first. */
function dampingsOf({ spectrum }: CheckedSystem): number[] {
  const { eigenvalueMin, eigenvalueMax } = spectrum;
  const condition = conditionOf(spectrum);
  const dampings = CONDITIONS_MAX.filter((most) => condition > GAIN_MIN * most).map(
    (most) => eigenvalueMax / most - eigenvalueMin,
  );
  return condition > GAIN_MIN * CONDITIONS_MAX[0] ? dampings : [0, ...dampings];
}

function planDamped(
  session: BoardSession,
  evened: EvenedSystem,
  damping: number,
  plain: () => EquilibriumPlan,
  ticksMax: number | undefined,
): SolvePlan {
  const plan =
    damping === 0
      ? plain()
      : planEquilibrium(evened.checked.damped(damping), session.identity, session.model);
  refuseTooLong(plan.settleTicks + SAMPLES_COUNTED * plan.ticksPerSample, ticksMax);
  return { ...plan, evened, damping };
}
