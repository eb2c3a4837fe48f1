import type { InverseSolver } from '../../algorithms/contract.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { matrix } from '../../linalg/matrix.js';
import { dot, matMul } from '../../linalg/products.js';
import { divergedError } from '../diverged.js';
import type { LayerPlace } from '../problem/contract.js';
import type { Optimizer, OptimizerState, StepRequest } from './contract.js';
import { keptShare, meanOfProducts } from './mean-curvature.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface KfacSettings extends RateSettings, DampingSettings {
  /** γ > 0, in units of the curvature: it is added to A ⊗ B of each layer, split between both factors. */
  readonly damping: number;
  /** μ, 0 ≤ μ < 1. */
  readonly momentum: number;
  /** Share of the running means of A and B that is kept when a new batch is added, at least 0 and below 1. */
  readonly average: number;
  /** R ≥ 1: the factors are inverted in steps 0 and R/10, and in every R-th step. */
  readonly reload: number;
  /**
   * Largest η² ∇ℓᵀx of one step, in nat: about twice the KL divergence between the predicted distributions
   * of labels before and after the step.
   */
  readonly klClip: number;
  /** Relative residual that a column of an inverse may have, above 0 and below 1. */
  readonly tolerance: number;
}

/**
 * Natural gradient descent by Kronecker factors (K-FAC), for networks that are larger than any board. For a
 * layer with weights W (outputs × (inputs + 1), the bias last) the curvature is approximated by A ⊗ B. One
 * step is
 *
 *     x = (B + √γ/π I)⁻¹ ∇W (A + π√γ I)⁻¹,   π² = (tr A/(inputs + 1)) / (tr B/outputs),
 *     v ← μ v + ν x,   W ← W − η v,   ν = min(1, √(klClip/(η² Σ ∇Wᵀx))).
 *
 * A and B are running means over the first 20 batches and every fourth batch after them. The solver inverts
 * both, and the inverses are used until the next reload. A board with max(inputs + 1, outputs) cells is
 * enough, and couplings are sent only every R steps. The host does the products, O(outputs · inputs²) per
 * step.
 *
 * Errors: DIVERGED when an update is not finite; those of the solver.
 * Source: Martens, Grosse, arXiv 1503.05671, section 6.3 for π; the clip is that of Ba, Grosse, Martens,
 * "Distributed second-order optimization using Kronecker-factored approximations", 2017.
 */
export function kfac(solver: InverseSolver, settings: KfacSettings): Optimizer {
  const { momentum, average, reload, klClip } = settings;
  return {
    name: 'kfac',
    settings: { name: 'kfac', solver: solver.name, ...settings },
    needsCurvature: false,
    needsLayerCurvatures: true,
    init: (parameterCount) => ({
      arrays: { velocity: new Float64Array(parameterCount) },
      numbers: { updates: 0 },
    }),
    update: async (state, request) => {
      const { layers, step } = request;
      assert(layers !== undefined, 'K-FAC was given no curvature of layers');
      const arrays: Record<string, Float64Array> = { ...state.arrays };
      const isFirst = state.numbers['updates'] === 0;
      const isUpdated = isFirst || step < UPDATES_AT_FIRST || step % UPDATE_EVERY === 0;
      const updates = state.numbers['updates'] + (isUpdated ? 1 : 0);
      if (isUpdated) {
        const kept = keptShare(average, updates);
        for (const [l, { inputs, outputs }] of layers.curvatures().entries()) {
          arrays[`inputs${l}`] = meanOfProducts(state.arrays[`inputs${l}`], kept, inputs);
          arrays[`outputs${l}`] = meanOfProducts(state.arrays[`outputs${l}`], kept, outputs);
        }
      }
      let cost: SolverCost = ZERO_COST;
      if (isFirst || isReload(step, reload))
        cost = await invertAll(solver, settings, layers.places, arrays, request);
      const gradient = await gradientOf(request);
      const x = new Float64Array(gradient.length);
      for (const [l, place] of layers.places.entries()) precondition(place, l, arrays, gradient, x);
      const rate = rateAt(settings, request);
      const predicted = rate * rate * dot(gradient, x);
      if (!Number.isFinite(predicted)) throw divergedError(step, 'the update is not finite');
      const scale = predicted > klClip ? Math.sqrt(klClip / predicted) : 1;
      const velocity = x.map((value, i) => momentum * state.arrays['velocity'][i] + scale * value);
      return {
        parameters: applyStep(request, velocity, rate, Infinity),
        state: { arrays: { ...arrays, velocity }, numbers: { updates } },
        cost,
      };
    },
  };
}

const INVERSE = 'Inverse';
/** Number of first batches that all enter the means of A and B; after them every fourth batch enters. */
const UPDATES_AT_FIRST = 20;
const UPDATE_EVERY = 4;

/**
 * Whether the factors are inverted in this step. The first batches give a poor estimate. Hence there is an
 * additional reload after R/10 steps.
 */
function isReload(step: number, reload: number): boolean {
  return step % reload === 0 || step === Math.floor(reload / 10);
}

/** Adds the inverses of both damped factors of each layer to `arrays`. */
async function invertAll(
  solver: InverseSolver,
  settings: KfacSettings,
  places: readonly LayerPlace[],
  arrays: Record<string, Float64Array>,
  request: StepRequest,
): Promise<SolverCost> {
  const { seed, step, signal } = request;
  const { tolerance } = settings;
  let cost: SolverCost = ZERO_COST;
  let block = 0;
  const root = Math.sqrt(dampingAt(settings, request));
  for (const [l, { inputs, outputs }] of places.entries()) {
    const parts = [
      { name: `inputs${l}`, size: inputs + 1 },
      { name: `outputs${l}`, size: outputs },
    ];
    const [a, b] = parts.map(({ name, size }) => Math.max(meanDiagonal(arrays[name], size), TRACE_MIN));
    const pi = Math.sqrt(a / b);
    for (const [part, added] of [
      [parts[0], pi * root],
      [parts[1], root / pi],
    ] as const) {
      const { name, size } = part;
      const damped = Float64Array.from(arrays[name]);
      for (let i = 0; i < size; i++) damped[i * size + i] += added;
      if (!damped.every(Number.isFinite)) throw divergedError(step, 'the curvature is not finite');
      const address = { seed, step, block };
      const asked = { matrix: matrix(size, size, damped), tolerance, address, signal };
      const answer = await solver.invert(asked);
      arrays[name + INVERSE] = answer.inverse.data;
      cost = addCost(cost, answer.cost);
      block += size;
    }
  }
  return cost;
}

/** Keeps π finite if all entries of a factor are zero. */
const TRACE_MIN = 1e-12;

function meanDiagonal(data: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += data[i * size + i];
  return sum / size;
}

/** Writes B⁻¹ ∇W A⁻¹ of one layer to its places in `x`. */
function precondition(
  layer: LayerPlace,
  l: number,
  arrays: OptimizerState['arrays'],
  gradient: Float64Array,
  x: Float64Array,
): void {
  const { outputs, inputs, weightOffset, biasOffset } = layer;
  const width = inputs + 1;
  const whole = matrix(outputs, width);
  for (let o = 0; o < outputs; o++) {
    const start = weightOffset + o * inputs;
    whole.data.set(gradient.subarray(start, start + inputs), o * width);
    whole.data[o * width + inputs] = gradient[biasOffset + o];
  }
  const left = matMul(matrix(outputs, outputs, arrays[`outputs${l}${INVERSE}`]), whole);
  const { data } = matMul(left, matrix(width, width, arrays[`inputs${l}${INVERSE}`]));
  for (let o = 0; o < outputs; o++) {
    x.set(data.subarray(o * width, o * width + inputs), weightOffset + o * inputs);
    x[biasOffset + o] = data[o * width + inputs];
  }
}
