import type { HeldFactor, LoadedCurvature, TruncatedSolver } from '../../algorithms/contract.js';
import { assert } from '../../errors.js';
import { addScaled, conjugateDirections } from '../../linalg/conjugate-directions.js';
import { applySystem } from '../../linalg/linear-system.js';
import { matrix } from '../../linalg/matrix.js';
import { matVec } from '../../linalg/products.js';
import { divergedError } from '../diverged.js';
import type { Optimizer, OptimizerState, StepRequest } from './contract.js';
import { curvatureMatrix, entersAt, type MeanCurvatureSettings, meanCurvature } from './mean-curvature.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface TruncatedTngdSettings extends RateSettings, DampingSettings, MeanCurvatureSettings {
  /** Ticks of each board run, ≥ 1. */
  readonly ticks: number;
  /** Number of board runs in a step, ≥ 1. The curvature is loaded once for all of them. */
  readonly runs: number;
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
  /** R ≥ 1: R steps use the same curvature, and only drives are sent between its loads. Default 1. */
  readonly reload?: number;
  /**
   * Share of the running mean that is kept when a new batch is added. With this option the curvature is a
   * running mean over batches, and the board holds it as a dense matrix. Default: K of one batch, in factored
   * form.
   */
  readonly average?: number;
}

/**
 * Natural gradient descent with rough answers from a board: θ ← θ − η x, where x approximates (G + λI)⁻¹∇ℓ.
 * Each board run takes a fixed number of ticks at the largest stable tick length. In directions of small
 * curvature it ends far from the equilibrium, which acts as a larger damping. The host makes the answers
 * orthogonal with respect to G + λI, and finds the best step along each answer by exact products with G
 * (`conjugateDirections`). A bad answer of the board can therefore not make x worse. Cost: for each run two
 * products with K, or one with G, and the products of the eigenvalue bound.
 *
 * With `reload` R the curvature of each R-th step is used for R steps. With `average` G is the mean over
 * batches (`meanCurvature`), and the board needs P cells with dense couplings. The state keeps the curvature
 * that later steps use, and the scale of each run. A resumed training therefore gives the same bits.
 */
export function truncatedTngd(solver: TruncatedSolver, settings: TruncatedTngdSettings): Optimizer {
  const { ticks, runs, clip, reload = 1 } = settings;
  /**
   * For each curvature array of the state: the curvature, and the object that tells the solver that the board
   * may still hold it.
   */
  const loaded = new WeakMap<Float64Array, Loaded>();
  return {
    name: 'tngd',
    settings: { name: 'tngd', solver: solver.name, ...settings },
    needsCurvature: true,
    ...(reload === 1 ? {} : { usesCurvatureAt: (step: number) => entersAt(settings, step) }),
    init: () => ({ arrays: { scales: new Float64Array(runs) }, numbers: {} }),
    update: async (state, request) => {
      const { step, seed, signal } = request;
      const damping = dampingAt(settings, request);
      const { curvature, held, kept } = loadedOf(settings, request, state, loaded);
      const gradient = await gradientOf(request);
      if (!gradient.every(Number.isFinite)) throw divergedError(step, 'the gradient is not finite');
      const scales = Float64Array.from(state.arrays['scales']);
      const address = { seed, step, block: 0 };
      const apply = productOf(curvature, damping);
      const solved = await solver.truncated({ ...curvature, held, address, signal }, async (board) => {
        const x = await conjugateDirections(apply, gradient, runs, async (residual, run) => {
          const answer = await board.run({ drive: residual, damping, ticks, scale: scales[run] });
          scales[run] = answer.nextScale;
          return answer.x;
        });
        return { x, cost: board.cost };
      });
      return {
        parameters: applyStep(request, solved.x, rateAt(settings, request), clip),
        state: { arrays: { scales, ...kept.arrays }, numbers: kept.numbers },
        cost: solved.cost,
      };
    },
  };
}

interface Loaded {
  readonly curvature: LoadedCurvature;
  /** Absent if the curvature is used in one step only. */
  readonly held?: HeldFactor;
  /** The part of the state that keeps the curvature. */
  readonly kept: OptimizerState;
}

/**
 * The curvature of this step: a new one, or the one that the state keeps. A factor is copied, because the
 * next step may overwrite the matrix of the problem.
 */
function loadedOf(
  settings: TruncatedTngdSettings,
  request: StepRequest,
  state: OptimizerState,
  loaded: WeakMap<Float64Array, Loaded>,
): Loaded {
  const { factor, parameters } = request;
  if (settings.average === undefined && (settings.reload ?? 1) === 1) {
    assert(factor !== undefined, 'natural gradient descent was given no curvature');
    return { curvature: { factor }, kept: NOTHING_KEPT };
  }
  const array =
    settings.average === undefined ? factorOf(request, state) : meanCurvature(settings, state, request);
  const known = loaded.get(array);
  if (known !== undefined) return known;
  const held: HeldFactor = { isCounted: factor === undefined };
  const rows = factor?.rows ?? state.numbers['rows'];
  const made: Loaded =
    settings.average === undefined
      ? {
          curvature: { factor: matrix(rows, parameters.length, array) },
          ...{ held, kept: { arrays: { factor: array }, numbers: { rows } } },
        }
      : {
          curvature: { matrix: curvatureMatrix(array) },
          ...{ held, kept: { arrays: { curvature: array }, numbers: {} } },
        };
  loaded.set(array, made);
  return made;
}

const NOTHING_KEPT: OptimizerState = { arrays: {}, numbers: {} };

function factorOf({ factor }: StepRequest, { arrays }: OptimizerState): Float64Array {
  const array = factor === undefined ? arrays['factor'] : Float64Array.from(factor.data);
  assert(array !== undefined, 'natural gradient descent has no curvature from an earlier step');
  return array;
}

/** x ↦ (G + λI) x. */
function productOf(curvature: LoadedCurvature, damping: number): (x: Float64Array) => Float64Array {
  const { factor, matrix: whole } = curvature;
  if (factor !== undefined) return (x) => applySystem({ kind: 'factored', factor, damping }, x);
  return (x) => {
    const product = matVec(whole, x);
    addScaled(product, damping, x);
    return product;
  };
}
