import { checkDevice } from '../../argument-checks.js';
import { refuseForeign } from '../../board/calibration.js';
import type { BoardDevice } from '../../driver/device-api.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { polish } from './active-set.js';
import { Admm, type Certified } from './admm.js';
import { BoardWork } from './board-work.js';
import { checkQp } from './check.js';
import type { QpProgress, QpRequest, QpResult } from './contract.js';
import { kktResiduals, objectiveOf, type PrimalDual, worstOf } from './kkt.js';

/** Residuals at which ADMM hands over to the polish, one after another. */
const STAGES = [1e-4, 1e-6, 1e-8];
const ITERATIONS_MAX = 4000;

/**
 * Solves min ½xᵀPx + qᵀx + c, l ≤ Ax ≤ u, with P positive semidefinite. The linear systems are solved on the
 * board: n cells. ADMM comes near the solution, the active set method polishes it, and float64 judges it.
 *
 * An answer is `solved` only when its residuals say so. A program without a solution gets a certificate. All
 * else is `inaccurate`, with the best point that was found.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION before any
 * byte is sent; TOLERANCE_NOT_MET or OVERLOAD when the board cannot solve the systems of ADMM at all;
 * ABORTED; those of the device.
 *
 * Source: Stellato et al., Math. Prog. Comp. 12 (2020).
 */
export async function solveQp(
  device: BoardDevice,
  program: QuadraticProgram,
  request: QpRequest,
): Promise<QpResult> {
  checkDevice(device);
  checkQp(program, request, device.identity);
  if (request.calibration !== undefined) refuseForeign(request.calibration.board, device.identity);
  const { tolerance = 1e-8, iterationsMax = ITERATIONS_MAX } = request;
  const work = new BoardWork(device, request);
  const history: QpProgress[] = [];
  const onProgress = (progress: QpProgress): void => {
    history.push(progress);
    request.onProgress?.(progress);
  };
  const admm = new Admm(program, work, startOf(program, request));
  let best = admm.point;
  let polishSteps = 0;
  let certified: Certified | undefined;
  const worst = (point: PrimalDual): number => worstOf(kktResiduals(program, point));
  for (const stage of stagesOf(tolerance)) {
    certified = await admm.run(stage, iterationsMax, onProgress);
    if (certified !== undefined) break;
    const { point, steps } = await polish(program, admm.point, work, tolerance, onProgress);
    polishSteps += steps;
    if (worst(point) < worst(best)) best = point;
    if (worst(best) <= tolerance || admm.iterations >= iterationsMax) break;
  }
  if (certified !== undefined) best = admm.point;
  const residuals = kktResiduals(program, best);
  return {
    status: certified?.status ?? (worstOf(residuals) <= tolerance ? 'solved' : 'inaccurate'),
    ...best,
    objective: objectiveOf(program, best.x),
    ...residuals,
    ...(certified === undefined ? {} : { certificate: certified.certificate }),
    iterations: admm.iterations,
    polishSteps,
    solves: work.solves,
    passes: work.passes,
    uploads: work.uploads,
    history,
    cost: work.cost,
  };
}

function stagesOf(tolerance: number): number[] {
  return [...STAGES.filter((stage) => stage > tolerance), tolerance / 10];
}

function startOf({ linear, lower }: QuadraticProgram, { warmStart }: QpRequest): PrimalDual {
  return {
    x: warmStart === undefined ? new Float64Array(linear.length) : Float64Array.from(warmStart.x),
    y: warmStart === undefined ? new Float64Array(lower.length) : Float64Array.from(warmStart.y),
  };
}
