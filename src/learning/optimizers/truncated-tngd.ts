import type { HeldFactor, TruncatedSolver } from '../../algorithms/contract.js';
import { assert } from '../../errors.js';
import { conjugateDirections } from '../../linalg/conjugate-directions.js';
import { applySystem } from '../../linalg/linear-system.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { divergedError } from '../diverged.js';
import type { Optimizer, OptimizerState, StepRequest } from './contract.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface TruncatedTngdSettings extends RateSettings, DampingSettings {
  /** Ticks of each board run, ≥ 1. */
  readonly ticks: number;
  /** Board runs of a step, ≥ 1, on one load of the curvature. */
  readonly runs: number;
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
  /** R ≥ 1: one curvature serves R steps, and only drives are sent in between. Default 1. */
  readonly reload?: number;
}

/**
 * Natural gradient descent with rough answers from a board: θ ← θ − η x, where x approximates (G + λI)⁻¹∇ℓ.
 * Each board run takes a fixed number of ticks at the largest stable step and is far from its equilibrium in
 * the weak directions; that acts as a larger damping. The host makes the answers A-orthogonal and goes along
 * each as far as it helps, by exact products with G (`conjugateDirections`), so no answer of a board can make
 * x worse. Costs 2 products with K for each run, and those of the eigenvalue bound.
 *
 * With `reload` R the curvature of each R-th step serves R steps. The state keeps it, and the scale of each
 * run, so that a training that is resumed gives the same bits.
 */
export function truncatedTngd(solver: TruncatedSolver, settings: TruncatedTngdSettings): Optimizer {
  const { ticks, runs, clip, reload = 1 } = settings;
  /** The factor behind an array of the state, and its name on the board. */
  const loaded = new WeakMap<Float64Array, Loaded>();
  const isLoad = (step: number): boolean => step % reload === 0;
  return {
    name: 'tngd',
    settings: { name: 'tngd', solver: solver.name, ...settings },
    needsCurvature: true,
    ...(reload === 1 ? {} : { usesCurvatureAt: isLoad }),
    init: () => ({ arrays: { scales: new Float64Array(runs) }, numbers: {} }),
    update: async (state, request) => {
      const { step, seed, signal } = request;
      const damping = dampingAt(settings, request);
      const { factor, held, array } = factorOf(request, state, reload === 1, loaded);
      const gradient = await gradientOf(request);
      if (!gradient.every(Number.isFinite)) throw divergedError(step, 'the gradient is not finite');
      const scales = Float64Array.from(state.arrays['scales']);
      const address = { seed, step, block: 0 };
      const solved = await solver.truncated({ factor, held, address, signal }, async (board) => {
        const apply = (x: Float64Array) => applySystem({ kind: 'factored', factor, damping }, x);
        const x = await conjugateDirections(apply, gradient, runs, async (residual, run) => {
          const answer = await board.run({ drive: residual, damping, ticks, scale: scales[run] });
          scales[run] = answer.nextScale;
          return answer.x;
        });
        return { x, cost: board.cost };
      });
      return {
        parameters: applyStep(request, solved.x, rateAt(settings, request), clip),
        state: keptState(scales, array, factor.rows),
        cost: solved.cost,
      };
    },
  };
}

interface Loaded {
  readonly factor: Matrix;
  /** Left out where a factor serves one step. */
  readonly held?: HeldFactor;
  /** What the state keeps of it. */
  readonly array?: Float64Array;
}

/**
 * The factor of this step: its own, or the one that the state keeps. A copy is kept, since the next step may
 * write over the problem's.
 */
function factorOf(
  { factor, parameters }: StepRequest,
  { arrays, numbers }: OptimizerState,
  isUsedOnce: boolean,
  loaded: WeakMap<Float64Array, Loaded>,
): Loaded {
  if (isUsedOnce) {
    assert(factor !== undefined, 'natural gradient descent was given no curvature');
    return { factor };
  }
  const array = factor === undefined ? arrays['factor'] : Float64Array.from(factor.data);
  assert(array !== undefined, 'natural gradient descent has no curvature from an earlier step');
  const known = loaded.get(array);
  if (known !== undefined) return known;
  const held: HeldFactor = { isCounted: factor === undefined };
  const rows = factor?.rows ?? numbers['rows'];
  const made: Loaded = { factor: matrix(rows, parameters.length, array), held, array };
  loaded.set(array, made);
  return made;
}

/** What is kept: the scales, and the factor where it serves further steps. */
function keptState(scales: Float64Array, array: Float64Array | undefined, rows: number): OptimizerState {
  return array === undefined
    ? { arrays: { scales }, numbers: {} }
    : { arrays: { scales, factor: array }, numbers: { rows } };
}
