import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import type { SolveProgress } from '../contract.js';

/** The progress of a solve. */
export interface SolveState {
  /** Number of passes so far, including the current one. */
  readonly passes: number;
  /** Number of averages that were refused. */
  readonly averages: number;
  readonly samples: number;
  /** Bound on the relative error after the previous passes; infinite while nothing is proved. */
  readonly relativeErrorBound: number;
  /** Relative standard error of this pass so far; infinite while there is no estimate. */
  readonly relativeStandardError: number;
}

/** Before an answer is accepted, the share stays below 1. */
const FRACTION_MAX = 0.99;

/**
 * Reports the progress of a solve to `onProgress`, as a share of the least board time that the solve can
 * take. That time is the settling of each pass and the fewest samples that give a standard error. If the
 * solve needs more time, the share stays as it is; it never falls.
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
    // Records that the earlier passes were averaged, but refused.
    if (state.averages > 0) this.#averagedTicks = state.averages * this.#averageTicks;
    this.#tell(state, state.passes - 1, 0, Infinity);
  }

  /** Records that `samples` samples of the pass have been averaged. */
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
