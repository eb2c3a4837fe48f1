import type { ThermolinkError } from '../errors.js';
import { applySystem } from '../linalg/linear-system.js';
import { norm2, subtract, sum } from '../linalg/products.js';
import { equilibriumSolutionScale, powerOfTwoAbove } from '../mapping/scaling.js';
import { type Certificate, certify, toleranceNotMet } from './acceptance.js';
import type { BoardRuns } from './board-runs.js';
import type { SolveRequest, SolveResult } from './contract.js';
import {
  type Average,
  average,
  boardNoise,
  noiseLimitedScale,
  type Reading,
  roundingErrorBound,
  settle,
} from './equilibrium-pass.js';
import type { EquilibriumPlan } from './equilibrium-plan.js';
import { noiseResidualBound, quietestStandardError, wantedNoise } from './noise-budget.js';
import { compensateRounding } from './rounding-compensation.js';

const PASSES_MAX = 24;
/** Averages that may miss the certificate before the tolerance counts as not met; each halves the noise. */
const AVERAGES_MAX = 3;
/** The systematic error of an averaged pass stays below this part of its standard error. */
const SYSTEMATIC_SHARE = 1 / 4;

/** State of a solve between two passes. */
interface Progress {
  /** x̂ so far, the sum of the readings. */
  x: Float64Array<ArrayBuffer>;
  residual: Float64Array<ArrayBuffer>;
  passes: number;
  averages: number;
  samples: number;
  /** Of the reading before; infinite when there is none to compare with. */
  lastResidual: number;
  lastCorrection: number;
  /** s_x found before, over the first guess for that drive. */
  scaleFactor: number;
  certificate: Certificate | undefined;
  relativeStandardError: number;
  /** Why the last average was not accepted. */
  reason: string;
}

/**
 * Iterative refinement with the board as the solver: pass k settles A d = b − A x̂ and adds its reading to x̂, until
 * what rounding and the board's own errors leave of a pass is small against the noise that the tolerance allows. That
 * last pass is averaged under noise, which gives the standard error; what earlier passes got wrong is in the residual
 * exactly and does not enter it, and what rounding still adds is compensated by a further pass without noise.
 *
 * Accepted is an answer whose residual proves ‖x̂ − x‖₂ ≤ tolerance·‖x‖₂, whose relative standard error is at most
 * half the tolerance and not implausibly small, and whose residual noise and rounding explain (false-alarm rate below
 * 1e-6).
 *
 * Errors: TOLERANCE_NOT_MET when passes stop shrinking both residual and correction by two, or run out.
 */
export async function refine(
  plan: EquilibriumPlan,
  board: BoardRuns,
  request: SolveRequest,
): Promise<Omit<SolveResult, 'cost'>> {
  const progress = firstProgress(request.drive);
  while (progress.passes < PASSES_MAX && progress.averages < AVERAGES_MAX) {
    progress.passes++;
    const reading = await settlePass(plan, board, request, progress);
    const noise = noiseToAverage(plan, request, progress, reading);
    if (noise === undefined) {
      acceptReading(plan, request, progress, reading);
      continue;
    }
    const averaged = await averagePass(plan, board, request, progress, reading, noise);
    const answer = judge(plan, request, progress, averaged);
    if (answer !== undefined) return answer;
  }
  throw notMet(request, progress, progress.reason);
}

function firstProgress(drive: Float64Array): Progress {
  return {
    x: new Float64Array(drive.length),
    residual: Float64Array.from(drive),
    passes: 0,
    averages: 0,
    samples: 0,
    lastResidual: Infinity,
    lastCorrection: Infinity,
    scaleFactor: 1,
    certificate: undefined,
    relativeStandardError: Infinity,
    reason: 'the passes ran out',
  };
}

async function settlePass(
  plan: EquilibriumPlan,
  board: BoardRuns,
  request: SolveRequest,
  progress: Progress,
): Promise<Reading> {
  const { identity, spectrum, systemScale } = plan;
  // Finer than the noise that the last pass needs is of no use.
  const floor = (x: Float64Array) =>
    noiseLimitedScale(
      plan,
      wantedNoise(plan, request.tolerance, progress.averages, norm2(sum(progress.x, x))),
    );
  const guess = equilibriumSolutionScale(progress.residual, spectrum.eigenvalueMin, systemScale, identity);
  const firstScale = Math.max(
    guess * progress.scaleFactor,
    powerOfTwoAbove(floor(new Float64Array(plan.codes.cells))),
  );
  const reading = await settle(plan, board, progress.residual, firstScale, floor);
  // A residual of exactly 0 has no guess.
  if (guess > 0) progress.scaleFactor = reading.solutionScale / guess;
  progress.samples++;
  request.onProgress?.({ pass: progress.passes, relativeStandardError: Infinity, samples: progress.samples });
  return reading;
}

/** κ for averaging this pass, or undefined when its systematic error must be refined away first. */
function noiseToAverage(
  plan: EquilibriumPlan,
  request: SolveRequest,
  progress: Progress,
  reading: Reading,
): number | undefined {
  const { spectrum } = plan;
  const norm = norm2(sum(progress.x, reading.x));
  if (norm === 0) throw notMet(request, progress, reasonOfZeros(progress, reading));
  const noise = wantedNoise(plan, request.tolerance, progress.averages, norm);
  const isAboveFloor = boardNoise(plan, reading.solutionScale, noise) >= plan.noiseTemperatureMin;
  if (!isAboveFloor) return undefined;
  const isAtFinestScale = reading.solutionScale / 2 < noiseLimitedScale(plan, noise);
  const standardError = Math.sqrt(
    (noise * plan.correlationTimeMax * spectrum.inverseTrace) / plan.samplesMin,
  );
  const leftOver = norm2(subtract(progress.residual, applySystem(plan.system, reading.x)));
  // What the board gets wrong beyond its codes shows as the share of the residual that a reading leaves.
  const observed = leftOver === 0 ? 0 : (leftOver / norm2(progress.residual)) * norm2(reading.x);
  const systematic = Math.max(roundingErrorBound(plan, reading), observed);
  return isAtFinestScale || systematic <= SYSTEMATIC_SHARE * standardError ? noise : undefined;
}

function reasonOfZeros(progress: Progress, reading: Reading): string {
  const isLostInRounding = norm2(reading.rounding) > norm2(progress.residual) / 2;
  return isLostInRounding
    ? 'the drive is finer than its codes at every scale that stays within the rails'
    : 'the board returned zeros';
}

/** Adds a reading to x̂, and gives up when the passes do not lead anywhere. */
function acceptReading(
  plan: EquilibriumPlan,
  request: SolveRequest,
  progress: Progress,
  reading: Reading,
): void {
  const correction = norm2(reading.x);
  const residual = norm2(progress.residual);
  if (correction > progress.lastCorrection / 2 && residual > progress.lastResidual / 2)
    throw notMet(request, progress, 'refinement does not converge');
  progress.lastCorrection = correction;
  progress.lastResidual = residual;
  advance(plan, request, progress, reading);
}

async function averagePass(
  plan: EquilibriumPlan,
  board: BoardRuns,
  request: SolveRequest,
  progress: Progress,
  reading: Reading,
  noise: number,
): Promise<Average> {
  const norm = norm2(sum(progress.x, reading.x));
  const averaged = await average(plan, board, progress.residual, reading, noise, (standardError, samples) => {
    progress.relativeStandardError = norm2(standardError) / norm;
    request.onProgress?.({
      pass: progress.passes,
      relativeStandardError: progress.relativeStandardError,
      samples: progress.samples + samples,
    });
    return progress.relativeStandardError <= request.tolerance / 2;
  });
  const compensated = await compensateRounding(plan, board, averaged);
  progress.samples += compensated.samples;
  progress.passes += compensated.compensations;
  return compensated;
}

/** The answer if it may be given; else the average becomes one more reading and refinement goes on. */
function judge(
  plan: EquilibriumPlan,
  request: SolveRequest,
  progress: Progress,
  averaged: Average,
): Omit<SolveResult, 'cost'> | undefined {
  const unexplained = norm2(
    subtract(subtract(progress.residual, applySystem(plan.system, averaged.x)), averaged.rounding),
  );
  const certificate = advance(plan, request, progress, averaged);
  const norm = norm2(progress.x);
  progress.relativeStandardError = norm2(averaged.standardError) / norm;
  const reason = reasonToRefuse(plan, request, progress, averaged, unexplained);
  if (reason !== undefined) {
    progress.reason = reason;
    progress.averages++;
    // The next correction is mostly this pass's noise: nothing to compare it with.
    progress.lastCorrection = Infinity;
    progress.lastResidual = Infinity;
    return undefined;
  }
  return {
    x: progress.x,
    standardError: averaged.standardError,
    quantizationError: roundingErrorBound(plan, averaged) / norm,
    carryNoiseShare: averaged.carryNoiseShare,
    relativeResidual: certificate.relativeResidual,
    passes: progress.passes,
    samples: progress.samples,
  };
}

function reasonToRefuse(
  plan: EquilibriumPlan,
  { tolerance }: SolveRequest,
  { certificate, relativeStandardError }: Progress,
  averaged: Average,
  unexplained: number,
): string | undefined {
  if (certificate!.relativeErrorBound > tolerance) return 'the residual does not prove the tolerance';
  if (relativeStandardError > tolerance / 2) return 'the standard error stays above half the tolerance';
  if (norm2(averaged.standardError) < quietestStandardError(plan, averaged))
    return 'the readings fluctuate less than the noise that was asked for';
  return unexplained > noiseResidualBound(plan, averaged)
    ? 'noise and rounding do not explain the residual'
    : undefined;
}

function advance(
  plan: EquilibriumPlan,
  request: SolveRequest,
  progress: Progress,
  reading: Reading,
): Certificate {
  progress.x = sum(progress.x, reading.x);
  const certificate = certify(plan.system, plan.spectrum, request.drive, progress.x);
  progress.certificate = certificate;
  progress.residual = certificate.residual;
  return certificate;
}

function notMet({ tolerance }: SolveRequest, progress: Progress, reason: string): ThermolinkError {
  const { passes, samples, certificate, relativeStandardError } = progress;
  return toleranceNotMet('The board', reason, {
    tolerance,
    passes,
    samples,
    relativeResidual: certificate?.relativeResidual ?? 1,
    relativeErrorBound: certificate?.relativeErrorBound ?? Infinity,
    relativeStandardError,
  });
}
