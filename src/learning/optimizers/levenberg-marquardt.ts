import { addCost, ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { type DominantSubspace, dominantSubspace, withoutSubspace } from '../../linalg/dominant-subspace.js';
import { lanczosExtremes } from '../../linalg/lanczos.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { matVec, matVecTransposed } from '../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import { divergedError } from '../diverged.js';
import type { Optimizer, OptimizerState, StepRequest } from './contract.js';
import { type DampedSolution, dampedSolve, type RoughSolve } from './damped-solve.js';
import { gradientOf } from './step.js';

/** Answers (KᵀK + λI)x = g roughly, on a board or without one. */
export interface CurvatureSolver {
  readonly name: string;
  /** Everything that its answers depend on, as JSON data. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Takes K (m × P), for any number of drives and dampings. `seed` and `step` name the noise. */
  load(factor: Matrix, use: Pick<StepRequest, 'seed' | 'step' | 'signal'>): Promise<RoughSolve>;
}

export interface LevenbergMarquardtSettings {
  /** How many of K's dominant directions the host solves itself; 0 for none. */
  readonly rank: number;
  /** Uses of the rough solver for one attempt, ≥ 1. */
  readonly runs: number;
  /** λ of the first attempt, as a share of KᵀK's largest eigenvalue. */
  readonly firstDamping: number;
  /** Smallest λ, as a share of KᵀK's largest eigenvalue. */
  readonly smallestDamping: number;
  /** The least factor by which λ falls after a good step, above 0 and below 1. */
  readonly dampingFall: number;
}

export const LEVENBERG_MARQUARDT_DEFAULTS: LevenbergMarquardtSettings = {
  rank: 16,
  runs: 2,
  firstDamping: 1e-2,
  smallestDamping: 1e-7,
  dampingFall: 1 / 5,
};

/** A step whose loss falls by less than this share of its prediction is rejected. */
const GAIN_MIN = 1e-4;
/** Attempts of one step; λ then is 2⁴⁵ times what it was. */
const ATTEMPTS_MAX = 10;
/** Sweeps for the subspace of the first step, and of each later one, which starts from the last. */
const SWEEPS = { first: 4, later: 1 } as const;

/**
 * Levenberg and Marquardt's method for a loss ½‖r‖² with K = ∂r/∂θ: θ ← θ − x with x ≈ (KᵀK + λI)⁻¹∇ℓ. The
 * gain is what the loss fell over what the parabola predicted. Above 10⁻⁴ the step is taken and λ ← λ ·
 * max(fall, 1 − (2 gain − 1)³); otherwise λ ← νλ, ν ← 2ν from ν = 2, and the same K is used again. A step in
 * which ten attempts fail leaves θ as it is and ends with the raised λ.
 *
 * Errors: DIVERGED when the gradient or the loss is not finite; what the solver throws.
 * Source: Nielsen, "Damping parameter in Marquardt's method", IMM-REP-1999-05.
 */
export function levenbergMarquardt(
  solver: CurvatureSolver,
  settings: LevenbergMarquardtSettings = LEVENBERG_MARQUARDT_DEFAULTS,
): Optimizer {
  return {
    name: 'levenberg-marquardt',
    settings: { name: 'levenberg-marquardt', solver: solver.settings, ...settings },
    needsCurvature: true,
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      const { factor, trial, step, parameters } = request;
      assert(factor !== undefined, 'the Levenberg–Marquardt method was given no curvature');
      assert(trial !== undefined, 'the Levenberg–Marquardt method was given no loss to try');
      const drive = await gradientOf(request);
      const loss = trial.loss(parameters);
      if (!Number.isFinite(loss) || !drive.every(Number.isFinite))
        throw divergedError(step, 'the loss or its gradient is not finite');
      const subspace = subspaceOf(factor, state, settings.rank, request);
      const largest = subspace?.largest ?? largestEigenvalue(factor, request);
      const rough = await solver.load(
        subspace === undefined ? factor : withoutSubspace(factor, subspace),
        request,
      );
      let damping = state.numbers['damping'] ?? settings.firstDamping * largest;
      let growth = 2;
      let cost = ZERO_COST;
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const found = await dampedSolve({ factor, damping, drive, subspace }, rough, settings.runs);
        cost = addCost(cost, found.cost);
        const tried = parameters.map((value, i) => value - found.x[i]);
        const gain = gainOf(found, loss, trial.loss(tried));
        if (gain > GAIN_MIN) {
          const fallen = damping * Math.max(settings.dampingFall, 1 - (2 * gain - 1) ** 3);
          damping = Math.max(fallen, settings.smallestDamping * largest);
          return { parameters: tried, state: stateOf(damping, subspace), cost };
        }
        damping *= growth;
        growth *= 2;
      }
      return { parameters, state: stateOf(damping, subspace), cost };
    },
  };
}

/** What the loss fell, over what was predicted; −1 where no fall is predicted. */
function gainOf({ predictedFall }: DampedSolution, loss: number, lossThen: number): number {
  return predictedFall > 0 && Number.isFinite(lossThen) ? (loss - lossThen) / predictedFall : -1;
}

function stateOf(damping: number, subspace: DominantSubspace | undefined): OptimizerState {
  return {
    arrays: subspace === undefined ? {} : { subspace: subspace.basis.data },
    numbers: { damping },
  };
}

function subspaceOf(
  factor: Matrix,
  state: OptimizerState,
  rank: number,
  { seed, step }: StepRequest,
): DominantSubspace | undefined {
  if (rank === 0) return undefined;
  const rows = Math.min(rank, factor.columns);
  const last = state.arrays['subspace'];
  if (last !== undefined) return dominantSubspace(factor, matrix(rows, factor.columns, last), SWEEPS.later);
  const random = randomSource({ seed, stream: RANDOM_STREAM.spectrumProbe, step });
  const start = Float64Array.from({ length: rows * factor.columns }, () => random.normal());
  return dominantSubspace(factor, matrix(rows, factor.columns, start), SWEEPS.first);
}

function largestEigenvalue(factor: Matrix, { seed, step }: StepRequest): number {
  const random = randomSource({ seed, stream: RANDOM_STREAM.spectrumProbe, step });
  const start = Float64Array.from({ length: factor.columns }, () => random.normal());
  const apply = (x: Float64Array): Float64Array => matVecTransposed(factor, matVec(factor, x));
  return lanczosExtremes(apply, start, { stepsMax: 12 }).max;
}
