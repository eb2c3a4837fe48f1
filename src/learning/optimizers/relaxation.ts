import type { RelaxationSolver } from '../../algorithms/contract.js';
import { addCost } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { normInf } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';
import { divergedError } from '../diverged.js';
import type { OptimizerState, StepRequest, StepRest, StepResult } from './contract.js';
import { type Blocks, inLayerBlocks } from './layer-blocks.js';
import { type DampingSettings, dampingAt, gradientOf } from './step.js';

/** Each relaxation starts from the last solution, from the gradient, or from zero. */
export type InitialPolicy = 'keep' | 'gradient' | 'zero';

export interface RelaxationSettings extends DampingSettings {
  /** t ≥ 0: relaxation time, in units of 1/eigenvalue of KᵀK + λI. */
  readonly time: number;
  readonly initial: InitialPolicy;
  /**
   * t_d ≥ 0, in the unit of t: how long the board continues to relax after its solution was read and before
   * the next problem is loaded. Only `keep` uses it.
   */
  readonly delay: number;
  /** Whether each layer relaxes separately; default `whole`. */
  readonly blocks?: Blocks;
  /** Whether the next gradient is computed while the board continues to relax for the delay; default no. */
  readonly asynchronous?: boolean;
}

/** The factor of the bound on a solution; see `relax`. */
const GROWTH_MAX = 2 ** 10;

/** The block numbers in the noise addresses of the two board runs of one step. */
const BLOCK = { relaxation: 0, delay: 1 } as const;

export function relaxationInit(parameterCount: number): OptimizerState {
  return {
    arrays: { solution: new Float64Array(parameterCount) },
    numbers: { largestGradient: 0, retried: 0 },
  };
}

/**
 * Computes x(t) of dx/dt = −((KᵀK + λI)x − ∇ℓ) by the solver. With `keep` the first relaxation starts from
 * zero, and each later one from the last unclipped solution. The host loads that solution again; the board
 * need not keep it between steps. With a delay a second relaxation continues from x with the same K and ∇ℓ
 * (arXiv 2405.13817, algorithm 1). It belongs to the same step. With `asynchronous` the result holds it as
 * `rest`. While it runs, the caller computes the next gradient and curvature, and the board receives the next
 * couplings. The results are the same bit for bit as without `asynchronous`.
 *
 * Errors: DIVERGED when |x|∞ exceeds 2¹⁰ · max(1, 1/λ) · (largest |∇ℓ|∞ so far), also after the delay, and
 * when two steps in succession overloaded the board. Each overload increases the scale, and noise and offsets
 * grow with the scale. Such a training diverges.
 */
export async function relax(
  whole: RelaxationSolver,
  settings: RelaxationSettings,
  state: OptimizerState,
  request: StepRequest,
): Promise<{ x: Float64Array } & Omit<StepResult, 'parameters'>> {
  const { factor, step, seed, signal } = request;
  const stateBefore = async () => (request.before === undefined ? state : (await request.before).state);
  const { time, initial, delay } = settings;
  const damping = dampingAt(settings, request);
  assert(factor !== undefined, 'a relaxation was given no curvature');
  const { layers } = request;
  const isCut = settings.blocks === 'layers';
  assert(!isCut || layers !== undefined, 'a relaxation in layers got no layers');
  const solver = isCut && layers !== undefined ? inLayerBlocks(whole, layers.places) : whole;
  const problem = { system: { kind: 'factored', factor, damping } as const, signal };
  let largestGradient = state.numbers['largestGradient'];
  const finiteGradient = async (): Promise<Float64Array> => {
    const gradient = await gradientOf(request);
    largestGradient = Math.max(largestGradient, normInf(gradient));
    if (!Number.isFinite(largestGradient)) throw divergedError(step, 'the gradient is not finite');
    return gradient;
  };
  // A gradient that is still being computed is passed to the solver as a function. The solver first does the
  // work that needs no gradient, and then waits for it.
  const isLate = typeof request.gradient === 'function' && initial !== 'gradient';
  const drive = isLate ? finiteGradient : await finiteGradient();
  const start = {
    keep: async () => (await stateBefore()).arrays['solution'],
    gradient: finiteGradient,
    zero: async () => new Float64Array(request.parameters.length),
  }[initial];
  const address = { seed, step, block: BLOCK.relaxation };
  const isDelayed = delay > 0 && initial === 'keep' && step + 1 < request.totalSteps;
  const relaxation = { ...problem, drive, time, nextTime: isDelayed ? delay : undefined, address };
  const { x, cost } =
    request.before !== undefined && solver.relaxAhead !== undefined
      ? await solver.relaxAhead({ ...relaxation, initial: start })
      : await solver.relax({ ...relaxation, initial: await start() });
  const before = (await stateBefore()).numbers['retried'];
  const retried = cost.overloadRetries > 0 ? 1 : 0;
  refuseRunaway(x, step, damping, largestGradient, before + retried);
  const read = { x, state: { arrays: { solution: x }, numbers: { largestGradient, retried } }, cost };
  if (!isDelayed) return read;
  const gradient = await gradientOf(request);
  const goOn = async (own: Matrix): Promise<StepRest> => {
    const delayed = await solver.relax({
      ...{ ...problem, system: { ...problem.system, factor: own } },
      drive: gradient,
      initial: x,
      time: delay,
      lends: settings.asynchronous,
      address: { seed, step, block: BLOCK.delay },
    });
    const bothCost = addCost(cost, delayed.cost);
    const eitherRetried = bothCost.overloadRetries > 0 ? 1 : 0;
    // The next step starts from this solution, so the same bound applies.
    refuseRunaway(delayed.x, step, damping, largestGradient, before + eitherRetried);
    const numbers = { largestGradient, retried: eitherRetried };
    return { state: { arrays: { solution: delayed.x }, numbers }, cost: bothCost };
  };
  if (settings.asynchronous !== true) return { x, ...(await goOn(factor)) };
  // The factor is copied, because the problem may overwrite it before it is sent to the board.
  const rest = goOn(matrix(factor.rows, factor.columns, Float64Array.from(factor.data)));
  // This handler keeps Node from reporting an unhandled rejection; the next step awaits `rest` and gets the
  // error.
  rest.catch(() => undefined);
  return { ...read, rest };
}

function refuseRunaway(
  x: Float64Array,
  step: number,
  damping: number,
  largestGradient: number,
  retriesInSuccession: number,
): void {
  const largest = normInf(x);
  const bound = GROWTH_MAX * Math.max(1, 1 / damping) * largestGradient;
  // If damping and gradient are both 0, the bound is NaN and refuses nothing.
  if (!(largest > bound) && retriesInSuccession < 2) return;
  const why =
    retriesInSuccession < 2
      ? `the solution reached ${formatNumber(largest)}, more than the bound ${formatNumber(bound)}`
      : 'the board overloaded in two steps in succession';
  throw divergedError(step, why, { largest, bound, retriesInSuccession });
}
