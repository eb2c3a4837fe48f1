import { weighted } from '../../board/diagonal-scaling.js';
import { type Average, average, type Reading, settle } from '../../board/equilibrium-pass.js';
import { noiseLimitedScale } from '../../board/equilibrium-plan.js';
import { equilibriumSolutionScale, powerOfTwoAbove } from '../../board/scaling.js';
import type { BoardSession } from '../../board/session.js';
import type { ThermolinkError } from '../../errors.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';
import { certify, toleranceNotMet } from '../acceptance.js';
import type { SolveRequest, SolveResult } from '../contract.js';
import { ConjugateDirections, isStalled, type Step } from './conjugate-directions.js';
import { settledMean } from './corrections.js';
import { deadCells, deadCellsText, type Pass, reasonOfStall, reasonOfZeros } from './failure.js';
import {
  NOISE_SHARE,
  noiseOfStandardError,
  quietestStandardError,
  SYSTEMATIC_SHARE,
} from './noise-budget.js';
import type { SolvePlan } from './plan.js';
import { SolveMeter, type SolveState } from './progress.js';

/** As in `Refinement`: each average has half the noise of the previous one. */
const AVERAGES_MAX = 3;
const PASSES_MAX = 256;
/**
 * Largest distance, in standard errors, between an average and the same program without noise. A larger
 * distance is not noise: one mode reaches it less than once in 10⁶ solves (Student's distribution, 15
 * degrees).
 */
const DEVIATIONS_MAX = 8;

/** An average under noise, and its distance from the same program without noise. */
interface Noisy {
  readonly averaged: Average;
  readonly noise: Float64Array<ArrayBuffer>;
}

/**
 * Refinement with a board that has Â + σI in place of Â (decision 27). Each pass settles (Â + σI) d = r for
 * the residual r. The host makes the reading d A-orthogonal to the earlier readings and takes the step that
 * makes the error smallest in the A-norm. So the board is a preconditioner of conjugate gradients: even a
 * wrong reading does not make the error larger, and the rounded matrix may differ from Â in its slowest
 * modes.
 *
 * The sum ŷ of the steps carries no noise and is refined until ‖r‖₂/λ₋ proves it to a sixteenth of the
 * tolerance. Then one program is averaged under noise and read without noise. The average minus this reading
 * is pure noise, ν. The answer is ŷ + ν, with the standard error of the average. So its error is ν, up to a
 * quarter of the standard error, and
 *
 *     ‖x̂ − x‖₂ ≤ ‖r‖₂/λ₋ + ‖W ν‖₂
 *
 * proves the tolerance without statistics and without dividing noise by λ₋.
 */
export class CombinedRefinement implements SolveState {
  passes = 0;
  averages = 0;
  samples = 0;
  relativeErrorBound = Infinity;
  relativeStandardError = Infinity;
  readonly #plan: SolvePlan;
  readonly #session: BoardSession;
  /** W b. */
  readonly #drive: Float64Array;
  readonly #tolerance: number;
  readonly #meter: SolveMeter;
  readonly #directions: ConjugateDirections;
  #products = 0;
  /** ŷ; x̂ = W ŷ. */
  #y: Float64Array<ArrayBuffer>;
  /** W (b − A x̂). */
  #residual: Float64Array<ArrayBuffer>;
  #relativeResidual = 1;
  /** The decrease of ‖e‖_A² in each pass. */
  readonly #energies: number[] = [];
  /** The last s_x, divided by the first guess for its drive. */
  #scaleFactor = 1;
  #lastPass: Pass | undefined;
  /** Why the last average was refused. */
  #reason = 'the error shrinks too slowly';

  /** `drive` has as many entries as the plan's system has unknowns; it is not 0. */
  constructor(
    plan: SolvePlan,
    session: BoardSession,
    { drive, tolerance, onProgress }: Pick<SolveRequest, 'drive' | 'tolerance' | 'onProgress'>,
  ) {
    this.#plan = plan;
    this.#session = session;
    this.#drive = weighted(drive, plan.evened.weights);
    this.#tolerance = tolerance;
    this.#meter = new SolveMeter(plan, onProgress);
    this.#directions = new ConjugateDirections((x) => this.#product(x));
    this.#y = new Float64Array(drive.length);
    this.#residual = Float64Array.from(this.#drive);
  }

  /**
   * The answer. Errors: TOLERANCE_NOT_MET when the passes make no progress or their number is used up;
   * OVERLOAD; those of the device.
   */
  async run(): Promise<Omit<SolveResult, 'cost'>> {
    for (; this.averages < AVERAGES_MAX; this.averages++) {
      await this.#refine(SYSTEMATIC_SHARE * NOISE_SHARE * 2 ** -this.averages * this.#tolerance);
      const noisy = await this.#average();
      // The reading without noise may contain an offset of the board.
      await this.#refine(SYSTEMATIC_SHARE * this.relativeStandardError);
      const answer = this.#judge(noisy);
      if (answer === undefined) continue;
      this.#meter.accepted(this);
      return answer;
    }
    throw this.#notMet(this.#reason);
  }

  #product(x: Float64Array): Float64Array<ArrayBuffer> {
    this.#products++;
    return applySystem(this.#plan.evened.checked.system, x);
  }

  /** ‖W y‖₂: the size of y in the unknowns of A. */
  #norm(y: Float64Array): number {
    return norm2(weighted(y, this.#plan.evened.weights));
  }

  /** ‖r‖₂/λ₋, the bound on the error of ŷ. */
  get #systematic(): number {
    return norm2(this.#residual) / this.#plan.evened.checked.spectrum.eigenvalueMin;
  }

  /**
   * Makes passes until the bound on the error of ŷ is at most `limit`·‖x̂‖₂. The residual is formed anew for
   * this bound.
   */
  async #refine(limit: number): Promise<void> {
    const isEnough = () => this.#systematic <= limit * this.#norm(this.#y);
    for (;;) {
      if (isEnough()) {
        this.#certify();
        if (isEnough()) return;
      }
      if (this.passes === PASSES_MAX) throw this.#notMet(this.#reason);
      this.passes++;
      this.#meter.passBegins(this);
      await this.#pass();
    }
  }

  async #pass(): Promise<void> {
    const reading = await this.#settle(0);
    const pass = { drive: this.#residual, reading };
    this.#lastPass = pass;
    const step = this.#directions.step(reading.x, this.#residual);
    if (step === undefined) throw this.#notMet(reasonOfZeros(this.#plan, pass, this.passes));
    this.#advance(step);
    this.#showBound();
    this.#energies.push(step.energy);
    if (isStalled(this.#energies, this.#residual, this.#plan.evened.checked.spectrum.eigenvalueMax))
      throw this.#notMet(reasonOfStall(this.#plan, pass, 1));
  }

  #advance({ step, image }: Pick<Step, 'step' | 'image'>): void {
    this.#y = sum(this.#y, step);
    this.#residual = subtract(this.#residual, image);
  }

  /** The bound on the error of ŷ without the rounding of float64, for progress reports. */
  #showBound(): void {
    const norm = this.#norm(this.#y);
    const error = this.#systematic;
    this.relativeErrorBound = error < norm ? error / (norm - error) : Infinity;
  }

  /** Forms the residual of ŷ anew, so the rounding errors of many steps are gone. */
  #certify(): void {
    this.#products++;
    const certificate = certify(this.#plan.evened, this.#drive, this.#y);
    this.#residual = certificate.residual;
    this.#relativeResidual = certificate.relativeResidual;
    this.relativeErrorBound = certificate.relativeErrorBound;
  }

  /** Settles the residual, at a scale that is not finer than `scaleFloor`. */
  async #settle(scaleFloor: number): Promise<Reading> {
    const { identity, spectrum, systemScale } = this.#plan;
    const guess = equilibriumSolutionScale(this.#residual, spectrum.eigenvalueMin, systemScale, identity);
    const firstScale = Math.max(guess * this.#scaleFactor, powerOfTwoAbove(scaleFloor));
    const reading = await settle(this.#plan, this.#session, this.#residual, firstScale, () => scaleFloor);
    if (guess > 0 && scaleFloor === 0) this.#scaleFactor = reading.solutionScale / guess;
    this.samples++;
    return reading;
  }

  /** Averages the program of the residual under noise. Its reading without noise is added to ŷ. */
  async #average(): Promise<Noisy> {
    const plan = this.#plan;
    const norm = this.#norm(this.#y);
    const wanted = noiseOfStandardError(plan, this.#tolerance, this.averages, norm);
    const start = await this.#settle(noiseLimitedScale(plan, wanted));
    this.relativeStandardError = Infinity;
    const averaged = await average(plan, this.#session, this.#residual, start, wanted, {
      isEnough: (standardError) => {
        this.relativeStandardError = this.#norm(standardError) / norm;
        return this.relativeStandardError <= this.#tolerance / 2;
      },
      onReadings: (samples) => this.#meter.averages(this, samples),
    });
    const settled = await settledMean(plan, this.#session, this.#residual, averaged);
    if (settled === undefined)
      throw this.#notMet('the board overloads without noise, although it did not overload with noise');
    const { mean, wandering, runs } = settled;
    this.samples += averaged.samples + runs;
    this.#advance({ step: mean, image: this.#product(mean) });
    this.#advance(this.#directions.again(this.#residual));
    const standardError = averaged.standardError.map((error) => Math.sqrt(error * error + wandering));
    this.relativeStandardError = this.#norm(standardError) / norm;
    return { averaged: { ...averaged, standardError }, noise: subtract(averaged.x, mean) };
  }

  /** ŷ + ν if it is good enough. Otherwise ŷ stays, and another average follows. */
  #judge({ averaged, noise }: Noisy): Omit<SolveResult, 'cost'> | undefined {
    const { evened, spectrum, damping } = this.#plan;
    const answer = sum(this.#y, noise);
    const norm = this.#norm(answer);
    const certificate = certify(evened, this.#drive, answer);
    this.#products++;
    const refinedResidual = this.#relativeResidual;
    this.#relativeResidual = certificate.relativeResidual;
    // Turns the bound e/(‖x̂‖ − e) of ŷ back into e.
    const refined = this.relativeErrorBound / (1 + this.relativeErrorBound);
    const error = refined * this.#norm(this.#y) + this.#norm(noise);
    this.relativeErrorBound = error < norm ? error / (norm - error) : Infinity;
    this.relativeStandardError = this.#norm(averaged.standardError) / norm;
    const reason = this.#reasonToRefuse({ averaged, noise });
    if (reason !== undefined) {
      this.#reason = reason;
      return undefined;
    }
    return {
      x: weighted(answer, evened.weights),
      standardError: weighted(averaged.standardError, evened.weights),
      quantizationError: this.#systematic / norm,
      carryNoiseShare: averaged.carryNoiseShare,
      relativeResidual: this.#relativeResidual,
      passes: this.passes,
      samples: this.samples,
      combined: {
        relativeDamping: damping / (spectrum.eigenvalueMax - damping),
        products: this.#products,
        refinedResidual,
      },
    };
  }

  #reasonToRefuse({ averaged, noise }: Noisy): string | undefined {
    if (this.relativeErrorBound > this.#tolerance)
      return `its residual and its noise do not prove a relative error below ${formatNumber(this.relativeErrorBound, 2)}`;
    if (this.relativeStandardError > this.#tolerance / 2)
      return 'the standard error stays above half the tolerance';
    if (norm2(averaged.standardError) < quietestStandardError(this.#plan, averaged))
      return 'the readings fluctuate less than the noise that was asked for';
    return norm2(noise) > DEVIATIONS_MAX * norm2(averaged.standardError)
      ? 'the average differs from the readings without noise by more than their fluctuations explain'
      : undefined;
  }

  #notMet(reason: string): ThermolinkError {
    const dead = this.#lastPass === undefined ? [] : deadCells(this.#plan, this.#lastPass);
    return toleranceNotMet('The board', reason + deadCellsText(dead), {
      ...(dead.length === 0 ? {} : { deadCells: dead.map(({ cell }) => cell) }),
      tolerance: this.#tolerance,
      passes: this.passes,
      samples: this.samples,
      relativeResidual: this.#relativeResidual,
      relativeErrorBound: this.relativeErrorBound,
      relativeStandardError: this.relativeStandardError,
    });
  }
}
