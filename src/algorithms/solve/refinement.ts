import { weighted } from '../../board/diagonal-scaling.js';
import {
  type Average,
  average,
  type Reading,
  roundingErrorBound,
  settle,
} from '../../board/equilibrium-pass.js';
import { boardNoise, noiseLimitedScale } from '../../board/equilibrium-plan.js';
import { equilibriumSolutionScale, powerOfTwoAbove } from '../../board/scaling.js';
import type { BoardSession } from '../../board/session.js';
import type { ThermolinkError } from '../../errors.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';
import { type Certificate, certify, toleranceNotMet } from '../acceptance.js';
import type { SolveRequest, SolveResult } from '../contract.js';
import { compensateRounding, isImperfect, isRoundingSmall, withSystematicError } from './corrections.js';
import { deadCells, deadCellsText, type Pass, reasonOfStall, reasonOfZeros } from './failure.js';
import { noiseResidualBound, quietestStandardError, SYSTEMATIC_SHARE, wantedNoise } from './noise-budget.js';
import type { SolvePlan } from './plan.js';
import { SolveMeter, type SolveState } from './progress.js';

/**
 * Number of averages that may be refused before the tolerance counts as not met. Each has half the noise of
 * the previous one.
 */
const AVERAGES_MAX = 3;
const PASSES_MAX = 24;
/**
 * Passes make no progress if one of them, or `STALL_WINDOW` of them together, leave more than this share of
 * residual and correction.
 */
const STALL = 0.5;
const STALL_WINDOW = 5;

/** A reading that may be averaged, and the noise κ for the average, in units of the problem. */
interface Averageable {
  readonly reading: Reading;
  readonly noise: number;
}

/**
 * Iterative refinement with the board as the solver (decision 3). Pass k settles A d = b − A x̂ and adds its
 * reading to x̂, until the errors of a pass from rounding and from the board are small compared with the
 * noise that the tolerance allows. The last pass is averaged under noise, which gives the standard error. The
 * residual contains the errors of earlier passes exactly, so they do not enter the standard error. The rest
 * of the rounding is compensated by further passes without noise.
 *
 * If the diagonal of A is uneven, the board solves W A W y = W b, and x̂ = W ŷ (`diagonalWeights`). Tolerance
 * and standard error are those of x̂; scales, codes and readings are those of ŷ.
 *
 * An answer is accepted when its residual proves ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, when its relative standard error
 * is at most half the tolerance and not implausibly small, when noise and rounding explain its residual
 * (false-alarm rate below 1e-6), and when the standard error covers the rest of the rounding.
 */
export class Refinement implements SolveState {
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
  /** ŷ so far, the sum of the readings; x̂ = W ŷ. */
  #y: Float64Array<ArrayBuffer>;
  /** W (b − A x̂). */
  #residual: Float64Array<ArrayBuffer>;
  #relativeResidual = 1;
  /** Whether the error of a reading without noise was larger than rounding explains. */
  #isImperfect = false;
  /** ‖residual‖₂ before each pass and ‖reading‖₂ of each pass, since the last average. */
  #residualNorms: number[] = [];
  #correctionNorms: number[] = [];
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
    this.#y = new Float64Array(drive.length);
    this.#residual = Float64Array.from(this.#drive);
  }

  /**
   * The answer. Errors: TOLERANCE_NOT_MET when the passes make no progress or their number is used up;
   * OVERLOAD; those of the device.
   */
  async run(): Promise<Omit<SolveResult, 'cost'>> {
    while (this.averages < AVERAGES_MAX) {
      const averageable = await this.#approach();
      if (averageable === undefined) break;
      const averaged = await this.#average(averageable);
      const answer = this.#judge(averaged);
      if (answer === undefined) continue;
      this.#meter.accepted(this);
      return answer;
    }
    throw this.#notMet(this.#reason);
  }

  /**
   * Settles passes and adds them to x̂ until one may be averaged; undefined when the number of passes is used
   * up.
   */
  async #approach(): Promise<Averageable | undefined> {
    while (this.passes < PASSES_MAX) {
      this.passes++;
      this.#meter.passBegins(this);
      const reading = await this.#settle();
      this.#isImperfect ||= isImperfect(this.#plan, this.#residual, reading);
      const noise = this.#noiseToAverage(reading);
      if (noise !== undefined) return { reading, noise };
      this.#refuseStall(reading);
      this.#advance(reading);
    }
    return undefined;
  }

  async #settle(): Promise<Reading> {
    const { identity, spectrum, systemScale, codes } = this.#plan;
    // A scale that is finer than the noise of the last pass is of no use.
    const floor = (x: Float64Array) =>
      noiseLimitedScale(this.#plan, this.#wantedNoise(this.#norm(sum(this.#y, x))));
    const guess = equilibriumSolutionScale(this.#residual, spectrum.eigenvalueMin, systemScale, identity);
    const firstScale = Math.max(
      guess * this.#scaleFactor,
      powerOfTwoAbove(floor(new Float64Array(codes.cells))),
    );
    const reading = await settle(this.#plan, this.#session, this.#residual, firstScale, floor);
    // There is no guess for a residual of exactly 0.
    if (guess > 0) this.#scaleFactor = reading.solutionScale / guess;
    this.samples++;
    return reading;
  }

  /** ‖W y‖₂: the size of y in the unknowns of A. */
  #norm(y: Float64Array): number {
    return norm2(weighted(y, this.#plan.evened.weights));
  }

  #wantedNoise(norm: number): number {
    return wantedNoise(this.#plan, this.#tolerance, this.averages, norm);
  }

  /** κ for averaging this pass; undefined if further passes must reduce its systematic error first. */
  #noiseToAverage(reading: Reading): number | undefined {
    const plan = this.#plan;
    const norm = this.#norm(sum(this.#y, reading.x));
    // Noise is chosen as a share of ‖x̂‖, so no noise can be chosen while x̂ is 0.
    if (norm === 0) return undefined;
    const noise = this.#wantedNoise(norm);
    const isAboveFloor = boardNoise(plan, reading.solutionScale, noise) >= plan.noiseTemperatureMin;
    if (!isAboveFloor) return undefined;
    const isAtFinestScale = reading.solutionScale / 2 < noiseLimitedScale(plan, noise);
    const standardError = Math.sqrt(
      (noise * plan.correlationTimeMax * plan.spectrum.inverseTrace) / plan.samplesMin,
    );
    const leftOver = norm2(subtract(this.#residual, applySystem(plan.system, reading.x)));
    // The share of the residual that a reading leaves shows the errors of the board beyond its codes.
    const observed = leftOver === 0 ? 0 : (leftOver / norm2(this.#residual)) * norm2(reading.x);
    const systematic = Math.max(roundingErrorBound(plan, reading), observed);
    return isAtFinestScale || systematic <= SYSTEMATIC_SHARE * standardError ? noise : undefined;
  }

  /** Throws TOLERANCE_NOT_MET if the passes make no progress. */
  #refuseStall(reading: Reading): void {
    const pass = { drive: this.#residual, reading };
    this.#lastPass = pass;
    // The next pass would give the same reading again.
    if (norm2(reading.x) === 0) throw this.#notMet(reasonOfZeros(this.#plan, pass, this.passes));
    this.#correctionNorms.push(norm2(reading.x));
    this.#residualNorms.push(norm2(this.#residual));
    const left = Math.max(this.#leftAfter(1), this.#leftAfter(STALL_WINDOW));
    if (left > STALL) throw this.#notMet(reasonOfStall(this.#plan, pass, left));
  }

  /**
   * The share of the error that the last `passes` passes left. It is their smallest residual divided by the
   * smallest earlier residual, or the same ratio of the corrections if that is smaller. It is 0 while there
   * are no earlier passes. Rounding can make passes repeat in a cycle, which a single pass does not show.
   */
  #leftAfter(passes: number): number {
    if (this.#residualNorms.length <= passes) return 0;
    const left = (norms: readonly number[]) =>
      Math.min(...norms.slice(-passes)) /
      (passes === 1 ? norms.at(-2)! : Math.min(...norms.slice(0, -passes)));
    return Math.min(left(this.#residualNorms), left(this.#correctionNorms));
  }

  async #average({ reading, noise }: Averageable): Promise<Average> {
    const norm = this.#norm(sum(this.#y, reading.x));
    this.relativeStandardError = Infinity;
    const averaged = await average(this.#plan, this.#session, this.#residual, reading, noise, {
      isEnough: (standardError) => {
        this.relativeStandardError = this.#norm(standardError) / norm;
        return this.relativeStandardError <= this.#tolerance / 2;
      },
      onReadings: (samples) => this.#meter.averages(this, samples),
    });
    const known = this.#isImperfect
      ? await withSystematicError(this.#plan, this.#session, this.#residual, averaged)
      : averaged;
    const compensated = await compensateRounding(this.#plan, this.#session, known);
    this.samples += compensated.samples;
    this.passes += compensated.compensations;
    return compensated;
  }

  /**
   * The answer if it is good enough. Otherwise the average counts as one more reading, and refinement goes
   * on.
   */
  #judge(averaged: Average): Omit<SolveResult, 'cost'> | undefined {
    const left = subtract(this.#residual, applySystem(this.#plan.system, averaged.x));
    const unexplained = norm2(subtract(left, averaged.rounding));
    this.#advance(averaged);
    const norm = this.#norm(this.#y);
    this.relativeStandardError = this.#norm(averaged.standardError) / norm;
    const reason = this.#reasonToRefuse(averaged, unexplained);
    if (reason !== undefined) {
      this.#reason = reason;
      this.averages++;
      // The next correction is mostly the noise of this pass, so it cannot be compared with earlier ones.
      this.#correctionNorms = [];
      this.#residualNorms = [];
      return undefined;
    }
    const { weights } = this.#plan.evened;
    return {
      x: weighted(this.#y, weights),
      standardError: weighted(averaged.standardError, weights),
      quantizationError: roundingErrorBound(this.#plan, averaged) / norm,
      carryNoiseShare: averaged.carryNoiseShare,
      relativeResidual: this.#relativeResidual,
      passes: this.passes,
      samples: this.samples,
    };
  }

  #reasonToRefuse(averaged: Average, unexplained: number): string | undefined {
    if (this.relativeErrorBound > this.#tolerance)
      return `its residual does not prove a relative error below ${formatNumber(this.relativeErrorBound, 2)}`;
    if (this.relativeStandardError > this.#tolerance / 2)
      return 'the standard error stays above half the tolerance';
    if (norm2(averaged.standardError) < quietestStandardError(this.#plan, averaged))
      return 'the readings fluctuate less than the noise that was asked for';
    if (!isRoundingSmall(this.#plan, averaged))
      return 'the standard error does not cover the errors of the board, and further passes do not remove them';
    return unexplained > noiseResidualBound(this.#plan, averaged)
      ? 'noise and rounding do not explain the residual, so the board does not do what it was told'
      : undefined;
  }

  /** Adds a reading to x̂ and computes the error bound of the sum. */
  #advance(reading: Reading): void {
    this.#lastPass = { drive: this.#residual, reading: reading.asRead ?? reading };
    this.#y = sum(this.#y, reading.x);
    const certificate: Certificate = certify(this.#plan.evened, this.#drive, this.#y);
    this.#residual = certificate.residual;
    this.#relativeResidual = certificate.relativeResidual;
    this.relativeErrorBound = certificate.relativeErrorBound;
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
