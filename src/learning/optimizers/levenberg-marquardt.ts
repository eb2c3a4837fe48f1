import type { LoadedFactor, TruncatedSolver } from '../../algorithms/contract.js';
import { assert } from '../../errors.js';
import { conjugateDirections, type DirectionOf } from '../../linalg/conjugate-directions.js';
import { type DominantSubspace, dominantSubspace, withoutSubspace } from '../../linalg/dominant-subspace.js';
import { applySystem } from '../../linalg/linear-system.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { dot, matVec } from '../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import { divergedError } from '../diverged.js';
import type { Optimizer, OptimizerState, StepRequest } from './contract.js';
import { deflatedDirection } from './deflated-direction.js';
import { gradientOf, rateAt } from './step.js';

export interface LevenbergMarquardtSettings {
  /** Number of dominant directions of K that the host solves itself; 0 for none. */
  readonly rank: number;
  /** Board runs of one attempt, ≥ 1. */
  readonly runs: number;
  /** Largest number of ticks of a board run. The run is shorter if every mode decays to 1/100 earlier. */
  readonly ticks: number;
  /**
   * Number of earlier steps that are used as directions again, 0 to 8. Default 0. The host finds the best
   * length along each by one exact product. A board run that ends before its weak directions have settled is
   * then continued, in effect, over several steps.
   */
  readonly recycle?: number;
  /** λ of the first attempt, as a share of KᵀK's largest eigenvalue. */
  readonly firstDamping: number;
  /** Smallest λ, as a share of KᵀK's largest eigenvalue. Default 10⁻⁷. */
  readonly dampingMin?: number;
  /** The rate η at the first step. Default: 1 in all steps. */
  readonly rate?: number;
  /** η falls linearly over the training towards this share of `rate`. Default 0. */
  readonly finalRate?: number;
}

/** Largest number of earlier steps that are used again. Each needs a product with KᵀK in every attempt. */
export const RECYCLE_MAX = 8;

const DAMPING_MIN = 1e-7;
/** Largest λ, as a share of KᵀK's largest eigenvalue: x is then nearly ∇ℓ/λ. */
const DAMPING_MAX = 1e3;
/** Smallest factor by which λ is multiplied after a good step. */
const DAMPING_FALL = 1 / 5;
/** Smallest gain: a step is rejected if the loss falls by less than this share of the prediction. */
const GAIN_MIN = 1e-4;
/** Largest number of attempts in one step. */
const ATTEMPTS_MAX = 10;
/**
 * Sweeps that compute the subspace: more in the first step; a later step starts from the subspace of the step
 * before.
 */
const SWEEPS = { first: 4, later: 1 } as const;

/** A run ends when the slowest mode has decayed to this share of its initial amplitude. */
const SETTLED = 1e-2;
/** The product of the tick h and the largest eigenvalue when a board uses its largest stable tick. */
const STEP_OF_STIFFEST = 1.9;

/**
 * Levenberg and Marquardt's method for a loss ½‖r‖² with K = ∂r/∂θ: θ ← θ − ηx with x ≈ (KᵀK + λI)⁻¹∇ℓ and
 * η = 1. In variational Monte Carlo KᵀK is a metric and not a Hessian, and η is the rate of a natural
 * gradient step. The gain is the fall of the loss divided by the fall that a parabola of curvature KᵀK/η
 * predicts. If the gain is above 10⁻⁴, the step is taken, and λ becomes λ · max(1/5, 1 − (2 gain − 1)³), but
 * at least `dampingMin` times the largest eigenvalue. Otherwise λ ← νλ and ν ← 2ν, starting from ν = 2, and
 * the same K is used again. After ten failed attempts, or one at the largest λ, θ stays unchanged, and λ
 * keeps its raised value.
 *
 * The host solves the dominant directions of K itself, and loads K without them. It combines the rough
 * answers of the solver by exact products (`conjugateDirections`). The state keeps λ, the dominant
 * directions, the recycled steps and the scale of each run. A resumed training therefore gives the same bits.
 *
 * Errors: DIVERGED when the loss or the gradient is not finite; those of the solver.
 * Source: Nielsen, "Damping parameter in Marquardt's method", IMM-REP-1999-05.
 */
export function levenbergMarquardt(solver: TruncatedSolver, settings: LevenbergMarquardtSettings): Optimizer {
  const { recycle = 0, ...others } = settings;
  const { dampingMin = DAMPING_MIN } = others;
  return {
    name: 'lm',
    // With `recycle` 0 the settings have no such field, like those of older checkpoints, which stay
    // resumable.
    settings: { name: 'lm', solver: solver.name, ...others, ...(recycle === 0 ? {} : { recycle }) },
    needsCurvature: true,
    needsTrial: 'step',
    init: () => ({ arrays: { scales: new Float64Array(settings.runs) }, numbers: {} }),
    update: async (state, request) => {
      const { factor, trial, step, seed, signal, parameters } = request;
      const lossAt = request.lossAt ?? trial?.loss.bind(trial);
      assert(factor !== undefined, 'the Levenberg–Marquardt method was given no curvature');
      assert(lossAt !== undefined, 'the Levenberg–Marquardt method was given no loss to try');
      const drive = await gradientOf(request);
      const loss = lossAt(parameters);
      const rate = settings.rate === undefined ? 1 : rateAt({ ...settings, rate: settings.rate }, request);
      if (!Number.isFinite(loss) || !drive.every(Number.isFinite))
        throw divergedError(step, 'the loss or its gradient is not finite');
      const subspace = subspaceOf(factor, state, settings.rank, request);
      const rest = subspace === undefined ? factor : withoutSubspace(factor, subspace);
      const recycled = rowsOf(state.arrays['recycled'], parameters.length);
      const use = { factor: rest, address: { seed, step, block: 0 }, signal };
      return solver.truncated(use, async (loaded) => {
        const scales = Float64Array.from(state.arrays['scales']);
        const largest = subspace?.largest ?? loaded.eigenvalueMax;
        let damping = state.numbers['damping'] ?? settings.firstDamping * largest;
        let growth = 2;
        let taken = parameters;
        let latest: Float64Array | undefined;
        for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
          const problem = { factor, damping, drive, subspace };
          const x = await solveRoughly(loaded, problem, settings, scales, recycled);
          latest = x;
          const tried = parameters.map((value, i) => value - rate * x[i]);
          const gain = gainOf(loss - lossAt(tried), rate * predictedFall(factor, drive, x));
          if (gain > GAIN_MIN) {
            const fallen = damping * Math.max(DAMPING_FALL, 1 - (2 * gain - 1) ** 3);
            damping = Math.max(fallen, dampingMin * largest);
            taken = tried;
            break;
          }
          if (damping >= DAMPING_MAX * largest) break;
          damping = Math.min(damping * growth, DAMPING_MAX * largest);
          growth *= 2;
        }
        const arrays: Record<string, Float64Array> = { scales };
        if (subspace !== undefined) arrays['subspace'] = subspace.basis.data;
        if (recycle > 0 && latest !== undefined)
          arrays['recycled'] = joined([latest, ...recycled].slice(0, recycle));
        return {
          parameters: taken,
          state: { arrays, numbers: { damping } },
          cost: loaded.cost,
        };
      });
    },
  };
}

/** The system of one attempt: (KᵀK + λI) x = g. The host solves the directions of `subspace`. */
interface Attempted {
  readonly factor: Matrix;
  readonly damping: number;
  readonly drive: Float64Array;
  readonly subspace: DominantSubspace | undefined;
}

/** Cuts an array into rows of this length. An absent array has no rows. */
function rowsOf(array: Float64Array | undefined, length: number): Float64Array[] {
  const count = (array?.length ?? 0) / length;
  return Array.from({ length: count }, (_, i) => array!.subarray(i * length, (i + 1) * length));
}

function joined(rows: readonly Float64Array[]): Float64Array {
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/**
 * Computes x from the recycled steps and from `runs` answers of the solver. Stores the next scale of each run
 * in `scales`.
 */
async function solveRoughly(
  loaded: LoadedFactor,
  { factor, damping, drive, subspace }: Attempted,
  { runs, ticks: ticksMax }: LevenbergMarquardtSettings,
  scales: Float64Array,
  recycled: readonly Float64Array[],
): Promise<Float64Array> {
  const apply = (x: Float64Array): Float64Array => applySystem({ kind: 'factored', factor, damping }, x);
  const slowest = (STEP_OF_STIFFEST * damping) / (loaded.eigenvalueMax + damping);
  const settled = Math.ceil(Math.log(1 / SETTLED) / slowest);
  const ticks = settled < ticksMax ? settled : ticksMax;
  const rough: DirectionOf = async (residual, run) => {
    const answer = await loaded.run({ drive: residual, damping, ticks, scale: scales[run] });
    scales[run] = answer.nextScale;
    return answer.x;
  };
  const direction = subspace === undefined ? rough : deflatedDirection(subspace, damping, apply, rough);
  return conjugateDirections(apply, drive, runs, direction, recycled);
}

/**
 * Measured fall of the loss divided by the predicted fall. If no fall is predicted, it is −1, and the step is
 * rejected.
 */
function gainOf(fall: number, predicted: number): number {
  return predicted > 0 ? fall / predicted : -1;
}

/**
 * gᵀx − ½‖Kx‖². Multiplied by η it is the predicted fall of the loss along ηx, for a parabola of curvature
 * KᵀK/η.
 */
function predictedFall(factor: Matrix, drive: Float64Array, x: Float64Array): number {
  const image = matVec(factor, x);
  return dot(drive, x) - dot(image, image) / 2;
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
