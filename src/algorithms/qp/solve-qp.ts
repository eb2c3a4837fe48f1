import { checkDevice } from '../../argument-checks.js';
import { refuseForeign } from '../../board/calibration.js';
import type { BoardDevice } from '../../driver/device-api.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { polish } from './active-set.js';
import { Admm, type Certified } from './admm.js';
import { BoardWork, isOfSystem } from './board-work.js';
import { BoxWork, boxForm, requiredBox } from './box.js';
import { checkQp } from './check.js';
import type { QpRequest, QpResult } from './contract.js';
import { finish } from './dual-active-set.js';
import { InteriorPoint } from './interior-point.js';
import { Judge } from './judge.js';
import { kktResiduals, objectiveOf, type PrimalDual, withoutUnbounded } from './kkt.js';

/** Residuals at which a method hands over to the polish, in this order. */
const STAGES = [1e-3, 1e-4, 1e-6, 1e-8];
const ADMM_ITERATIONS_MAX = 4000;
const IPM_ITERATIONS_MAX = 60;
/**
 * After this number of iterations the result of ADMM is polished, whatever its residuals are. The number
 * doubles each time, because a polish that fails costs the host more than iterations.
 */
const POLISH_FIRST = 100;
/** Largest number of steps of the dual active set method for each unknown. */
const FINISH_STEPS = 4;
/** With 'auto', ADMM solves a box with a larger condition number than this. */
const BOX_CONDITION_MAX = 1e4;

/** The result of a method. */
interface Ended {
  readonly method: QpResult['method'];
  readonly iterations: number;
  readonly polishSteps: number;
  readonly certified?: Certified;
}

/** A program, its board, and its judge. */
interface Task {
  readonly device: BoardDevice;
  readonly program: QuadraticProgram;
  readonly request: QpRequest;
  readonly work: BoardWork;
  readonly judge: Judge;
  readonly start: PrimalDual;
}

/**
 * Solves min ½xᵀPx + qᵀx + c, l ≤ Ax ≤ u, with P positive semidefinite, on the n cells of a board. The method
 * comes near the solution, the active set method polishes it, and the result is judged in float64:
 *
 * - 'box': the rails of the board are the bounds. P has to be positive definite, each unknown needs two
 * bounds.
 * - 'admm': operator splitting; any rows.
 * - 'ipm': interior points. Each iteration has a matrix of its own, whose condition grows without bound, so a
 *   board serves it worse than 'admm'. It starts inside the bounds and ignores `warmStart`.
 * - 'auto': 'box' if 'box' can serve the problem, otherwise 'admm'. 'admm' also continues if 'box' does not
 *   reach the tolerance.
 *
 * An answer is `solved` only if its residuals are at most the tolerance. A program without a solution gets a
 * certificate. Every other answer is `inaccurate` and has the best point that was found.
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
  const work = new BoardWork(device, request);
  const start = startOf(program, request);
  const judge = new Judge(program, request, start);
  const task: Task = { device, program, request, work, judge, start };
  const { certified, ...ended } = await byMethod(task);
  const { best } = judge;
  return {
    status: certified?.status ?? (judge.isSolved ? 'solved' : 'inaccurate'),
    ...ended,
    ...best,
    objective: objectiveOf(program, best.x),
    ...kktResiduals(program, best),
    ...(certified === undefined ? {} : { certificate: certified.certificate }),
    solves: work.solves,
    passes: work.passes,
    uploads: work.uploads,
    history: judge.history,
    cost: work.cost,
  };
}

async function byMethod(task: Task): Promise<Ended> {
  const { device, program, request } = task;
  const { method = 'auto' } = request;
  if (method === 'box') return byBox(task, new BoxWork(device, program, requiredBox(program), request));
  if (method === 'ipm') return byInteriorPoint(task);
  const box = method === 'auto' ? usableBox(task) : undefined;
  if (box === undefined) return bySplitting(task, task.start);
  const ended = await byBox(task, box);
  if (task.judge.isSolved) return ended;
  const further = await bySplitting(task, task.judge.best);
  return { ...further, polishSteps: ended.polishSteps + further.polishSteps };
}

function usableBox({ device, program, request }: Task): BoxWork | undefined {
  const form = boxForm(program);
  if (typeof form === 'string') return undefined;
  try {
    const box = new BoxWork(device, program, form, request);
    return box.condition <= BOX_CONDITION_MAX ? box : undefined;
  } catch (error) {
    if (isOfSystem(error)) return undefined;
    throw error;
  }
}

async function byBox({ request, work, judge, start }: Task, box: BoxWork): Promise<Ended> {
  await box.run(judge, work, request, start.x);
  const polishSteps = judge.isSolved ? 0 : await polish(judge, judge.best, work);
  return { method: 'box', iterations: box.levels, polishSteps };
}

async function bySplitting({ program, request, work, judge }: Task, start: PrimalDual): Promise<Ended> {
  const { iterationsMax = ADMM_ITERATIONS_MAX } = request;
  const admm = new Admm(program, work, start);
  let polishSteps = 0;
  const stages = stagesOf(judge.tolerance);
  let next = POLISH_FIRST;
  while (stages.length > 0 && admm.iterations < iterationsMax) {
    const outcome = await admm.run(judge, stages[0], Math.min(iterationsMax, next));
    if (typeof outcome === 'object')
      return { method: 'admm', iterations: admm.iterations, polishSteps, certified: outcome };
    polishSteps += await polish(judge, admm.point, work);
    if (outcome === 'reached') stages.shift();
    else {
      next *= 2;
      if (!judge.isSolved)
        polishSteps += await finish(judge, admm.point, work, FINISH_STEPS * program.linear.length);
    }
    if (judge.isSolved) break;
  }
  return { method: 'admm', iterations: admm.iterations, polishSteps };
}

async function byInteriorPoint({ request, work, judge }: Task): Promise<Ended> {
  const { iterationsMax = IPM_ITERATIONS_MAX } = request;
  const method = 'ipm';
  const inner = new InteriorPoint(judge, work);
  let polishSteps = 0;
  for (const stage of stagesOf(judge.tolerance)) {
    const outcome = await inner.run(stage, iterationsMax);
    if (typeof outcome === 'object')
      return { method, iterations: inner.iterations, polishSteps, certified: outcome };
    if (!judge.isSolved) polishSteps += await polish(judge, judge.best, work);
    if (judge.isSolved || outcome === 'stuck') break;
  }
  return { method, iterations: inner.iterations, polishSteps };
}

function stagesOf(tolerance: number): number[] {
  return [...STAGES.filter((stage) => stage > tolerance), tolerance / 10];
}

function startOf(program: QuadraticProgram, { warmStart }: QpRequest): PrimalDual {
  const { linear, lower } = program;
  return {
    x: warmStart === undefined ? new Float64Array(linear.length) : Float64Array.from(warmStart.x),
    y: warmStart === undefined ? new Float64Array(lower.length) : withoutUnbounded(program, warmStart.y),
  };
}
