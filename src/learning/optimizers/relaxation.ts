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

/** Where each relaxation starts: from the last solution, from the gradient, or from zero. */
export type InitialPolicy = 'keep' | 'gradient' | 'zero';

export interface RelaxationSettings extends DampingSettings {
  /** t ≥ 0, in units of 1/eigenvalue of G + λI. */
  readonly time: number;
  readonly initial: InitialPolicy;
  /**
   * t_d ≥ 0, in the unit of t: how long the board goes on relaxing after its solution was read, before the
   * next problem is loaded. Only `keep` uses it.
   */
  readonly delay: number;
  /** Whether layers relax by themselves; default `whole`. */
  readonly blocks?: Blocks;
  /** Whether the next gradient is computed while the board goes on for the delay; default no. */
  readonly asynchronous?: boolean;
}

/** The factor of the bound on a solution; see `relax`. */
const GROWTH_MAX = 2 ** 10;

/** Names the two board runs of one step in their addresses. */
const BLOCK = { relaxation: 0, delay: 1 } as const;

export function relaxationInit(parameterCount: number): OptimizerState {
  return {
    arrays: { solution: new Float64Array(parameterCount) },
    numbers: { largestGradient: 0, retried: 0 },
  };
}

/**
 * x(t) of dx/dt = −((KᵀK + λI)x − ∇ℓ) by the solver. With `keep` the first relaxation starts from zero, and
 * each later one from the last solution, not clipped. The host loads it again, so that nothing has to stay on
 * the board between steps. With a delay the solution relaxes on under its own problem before the next one is
 * loaded (arXiv 2405.13817, algorithm 1). This second relaxation belongs to the same step. With
 * `asynchronous` it is a `rest` that goes on while the caller computes the next gradient and curvature, and a
 * board gets the next couplings meanwhile; every bit is that of the other order.
 *
 * Errors: DIVERGED when |x|∞ exceeds 2¹⁰ · max(1, 1/λ) · (largest |∇ℓ|∞ so far), also after the delay, and
 * when two steps in succession overloaded the board. Each overload enlarges the scale, and noise and offsets
 * grow with it: such a training diverges.
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
  assert(!isCut || layers !== undefined, 'a relaxation in layers was given none');
  const solver = isCut && layers !== undefined ? inLayerBlocks(whole, layers.places) : whole;
  const problem = { system: { kind: 'factored', factor, damping } as const, signal };
  let largestGradient = state.numbers['largestGradient'];
  const finiteGradient = async (): Promise<Float64Array> => {
    const gradient = await gradientOf(request);
    largestGradient = Math.max(largestGradient, normInf(gradient));
    if (!Number.isFinite(largestGradient)) throw divergedError(step, 'the gradient is not finite');
    return gradient;
  };
  // A gradient that is still being computed is waited for by the solver, which has work to do before.
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
    // The next step starts from what is kept, so the same bound holds for it.
    refuseRunaway(delayed.x, step, damping, largestGradient, before + eitherRetried);
    const numbers = { largestGradient, retried: eitherRetried };
    return { state: { arrays: { solution: delayed.x }, numbers }, cost: bothCost };
  };
  if (settings.asynchronous !== true) return { x, ...(await goOn(factor)) };
  // The problem may write over its factor before the board has got it.
  const rest = goOn(matrix(factor.rows, factor.columns, Float64Array.from(factor.data)));
  // Whoever asks for it gets its error.
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
  // With no damping and no gradient the bound is not a number, and nothing is refused.
  if (!(largest > bound) && retriesInSuccession < 2) return;
  const why =
    retriesInSuccession < 2
      ? `the solution reached ${formatNumber(largest)}, beyond any sensible scale (${formatNumber(bound)})`
      : 'the board overloaded in two steps in succession';
  throw divergedError(step, why, { largest, bound, retriesInSuccession });
}
