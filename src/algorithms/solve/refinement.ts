import { shortNumber } from '../../board/acceptance.js';
import type { BoardRuns } from '../../board/board-runs.js';
import { type Average, average, roundingErrorBound, settlingOnBoard } from '../../board/equilibrium-pass.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { noiseResidualBound, quietestStandardError } from '../../board/noise-budget.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import type { SolveRequest, SolveResult } from '../contract.js';
import { compensateRounding, withSystematicError } from './corrections.js';
import { type Approached, advance, approach, firstState, notMet, type RefinementState } from './passes.js';
import { SolveMeter } from './progress.js';

/** Averages that may miss the certificate before the tolerance counts as not met; each halves the noise. */
const AVERAGES_MAX = 3;

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
 * Errors: TOLERANCE_NOT_MET when passes stop shrinking
 * residual and correction, or run out.
 */
export async function refine(
  plan: EquilibriumPlan,
  board: BoardRuns,
  request: SolveRequest,
): Promise<Omit<SolveResult, 'cost'>> {
  const state = firstState(request.drive);
  const meter = new SolveMeter(plan, request.onProgress);
  const settleAt = settlingOnBoard(plan, board);
  while (state.averages < AVERAGES_MAX) {
    const approached = await approach(plan, settleAt, request, state, () => meter.passBegins(state));
    if (approached === undefined) break;
    const averaged = await averagePass(plan, board, request, state, approached, meter);
    const answer = judge(plan, request, state, averaged);
    if (answer === undefined) continue;
    meter.accepted(state);
    return answer;
  }
  throw notMet(plan, request.tolerance, state, state.reason);
}

async function averagePass(
  plan: EquilibriumPlan,
  board: BoardRuns,
  request: SolveRequest,
  state: RefinementState,
  { reading, noise }: Approached,
  meter: SolveMeter,
): Promise<Average> {
  const norm = norm2(sum(state.x, reading.x));
  state.relativeStandardError = Infinity;
  const averaged = await average(plan, board, state.residual, reading, noise, {
    isEnough: (standardError) => {
      state.relativeStandardError = norm2(standardError) / norm;
      return state.relativeStandardError <= request.tolerance / 2;
    },
    onReadings: (samples) => meter.averages(state, samples),
  });
  const known = state.imperfect ? await withSystematicError(plan, board, state.residual, averaged) : averaged;
  const compensated = await compensateRounding(plan, settlingOnBoard(plan, board), known);
  state.samples += compensated.samples;
  state.passes += compensated.compensations;
  return compensated;
}

/** The answer if it may be given; else the average becomes one more reading and refinement goes on. */
function judge(
  plan: EquilibriumPlan,
  request: SolveRequest,
  state: RefinementState,
  averaged: Average,
): Omit<SolveResult, 'cost'> | undefined {
  const unexplained = norm2(
    subtract(subtract(state.residual, applySystem(plan.system, averaged.x)), averaged.rounding),
  );
  const certificate = advance(plan, request.drive, state, averaged);
  const norm = norm2(state.x);
  state.relativeStandardError = norm2(averaged.standardError) / norm;
  const reason = reasonToRefuse(plan, request, state, averaged, unexplained);
  if (reason !== undefined) {
    state.reason = reason;
    state.averages++;
    // The next correction is mostly this pass's noise: nothing to compare it with.
    state.corrections.length = 0;
    state.residuals.length = 0;
    return undefined;
  }
  return {
    x: state.x,
    standardError: averaged.standardError,
    quantizationError: roundingErrorBound(plan, averaged) / norm,
    carryNoiseShare: averaged.carryNoiseShare,
    relativeResidual: certificate.relativeResidual,
    passes: state.passes,
    samples: state.samples,
  };
}

function reasonToRefuse(
  plan: EquilibriumPlan,
  { tolerance }: SolveRequest,
  { certificate, relativeStandardError }: RefinementState,
  averaged: Average,
  unexplained: number,
): string | undefined {
  if (certificate!.relativeErrorBound > tolerance)
    return `its residual proves no relative error below ${shortNumber(certificate!.relativeErrorBound)}`;
  if (relativeStandardError > tolerance / 2) return 'the standard error stays above half the tolerance';
  if (norm2(averaged.standardError) < quietestStandardError(plan, averaged))
    return 'the readings fluctuate less than the noise that was asked for';
  return unexplained > noiseResidualBound(plan, averaged)
    ? 'noise and rounding do not explain the residual, so the board does something else than it was told'
    : undefined;
}
