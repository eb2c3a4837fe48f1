import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import type { SolveProgress } from '../contract.js';

/** How far a solve is. */
export interface SolveState {
  /** Passes so far, with the one that is on its way. */
  readonly passes: number;
  /** Averages that were not accepted. */
  readonly averages: number;
  readonly samples: number;
  /** Bound on the relative error of the passes before this one; infinite while nothing is proved. */
  readonly relativeErrorBound: number;
  /** Relative standard error of this pass so far; infinite while there is none. */
  readonly relativeStandardError: number;
}

/** An answer that is not accepted yet is never shown as complete. */
const FRACTION_MAX = 0.99;

/**
 * Tells `onProgress` how far a solve is, as the share of the least board time that it can take: settling for
 * each pass, and the fewest samples that give a standard error. The share waits when more is needed; it never
 * falls.
 */
export class SolveMeter {
  readonly #plan: EquilibriumPlan;
  readonly #onProgress: ((progress: SolveProgress) => void) | undefined;
  #passesMin = 1;
  #averagedTicks = 0;
  #fraction = 0;

  constructor(plan: EquilibriumPlan, onProgress: ((progress: SolveProgress) => void) | undefined) {
    this.#plan = plan;
    this.#onProgress = onProgress;
  }

  passBegins(state: SolveState): void {
    // The passes before were averaged, but not accepted.
    if (state.averages > 0) this.#averagedTicks = state.averages * this.#averageTicks;
    this.#tell(state, state.passes - 1, 0, Infinity);
  }

  /** `samples` samples of the pass have been averaged. */
  averages(state: SolveState, samples: number): void {
    this.#tell(state, state.passes, samples, state.relativeStandardError);
  }

  accepted(state: SolveState): void {
    this.#fraction = 1;
    this.#passesMin = state.passes;
    this.#report(state, state.samples, state.samples, state.relativeStandardError);
  }

  get #averageTicks(): number {
    return this.#plan.samplesMin * this.#plan.ticksPerSample;
  }

  #tell(state: SolveState, settled: number, averaged: number, standardError: number): void {
    const { settleTicks, ticksPerSample, samplesMin } = this.#plan;
    this.#passesMin = Math.max(this.#passesMin, state.passes);
    const done = settled * settleTicks + this.#averagedTicks + averaged * ticksPerSample;
    const least = this.#passesMin * settleTicks + (state.averages + 1) * this.#averageTicks;
    this.#fraction = Math.max(this.#fraction, Math.min(FRACTION_MAX, done / least));
    const samples = state.samples + averaged;
    const left = this.#passesMin - settled + Math.max(0, samplesMin - averaged);
    this.#report(state, samples, samples + left, standardError);
  }

  #report(state: SolveState, samples: number, samplesMin: number, standardError: number): void {
    this.#onProgress?.({
      fraction: this.#fraction,
      pass: state.passes,
      samples,
      samplesMin,
      relativeErrorBound: state.relativeErrorBound,
      relativeStandardError: standardError,
    });
  }
}
