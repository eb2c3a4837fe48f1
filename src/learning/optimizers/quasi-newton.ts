import { ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { matrix } from '../../linalg/matrix.js';
import { dot, matVec, norm2, subtract } from '../../linalg/products.js';
import { divergedError } from '../diverged.js';
import type { Optimizer, OptimizerState, StepRequest, StepResult } from './contract.js';
import { lineSearch } from './line-search.js';
import { gradientOf } from './step.js';

/**
 * How the inverse Hessian is stored: as a P × P matrix (`bfgs`), or as the last pairs of steps and gradient
 * changes (`lbfgs`).
 */
export type QuasiNewtonName = 'lbfgs' | 'bfgs';

export interface QuasiNewtonSettings {
  /** Pairs of steps and gradient changes that `lbfgs` keeps, ≥ 1. */
  readonly memory: number;
}

/**
 * Quasi-Newton descent for a loss without noise: θ ← θ + α p, p = −H∇ℓ, where H approximates the inverse
 * Hessian from the changes of the gradient, and α meets the strong Wolfe conditions. Each step is one line
 * search. If the search finds no lower loss, H is discarded and θ stays. Cost per step: O(memory · P) or
 * O(P²), and one or more gradients.
 *
 * Errors: DIVERGED when the loss or the gradient is not finite.
 * Source: Nocedal, Wright, "Numerical Optimization", 2006, algorithms 6.1 and 7.4.
 */
export function quasiNewton(name: QuasiNewtonName, { memory }: QuasiNewtonSettings): Optimizer {
  const { directionOf, updated } = name === 'lbfgs' ? limited(memory) : dense;
  return {
    name,
    settings: name === 'lbfgs' ? { name, memory } : { name },
    needsCurvature: false,
    needsTrial: 'same',
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      const { parameters, trial, step } = request;
      assert(trial !== undefined, `${name} was given no loss to try`);
      const gradient = await gradientOf(request);
      const loss = trial.loss(parameters);
      if (!Number.isFinite(loss) || !gradient.every(Number.isFinite))
        throw divergedError(step, 'the loss or its gradient is not finite');
      const start = { parameters, loss, gradient };
      const isFirst = Object.keys(state.arrays).length === 0;
      // The first step has no estimate of the curvature. Its first trial therefore has a norm of at most 1.
      const length = isFirst ? Math.min(1, 1 / norm2(gradient)) : 1;
      const end = lineSearch(trial, start, directionOf(state, gradient), length);
      if (end === undefined) return stayed(request);
      const move = subtract(end.parameters, parameters);
      const change = subtract(end.gradient, gradient);
      return {
        parameters: end.parameters,
        // The Wolfe conditions make this product positive; only rounding can prevent it.
        state: dot(move, change) > 0 ? { arrays: updated(state, move, change), numbers: {} } : state,
        cost: ZERO_COST,
      };
    },
  };
}

function stayed({ parameters }: StepRequest): StepResult {
  return { parameters, state: { arrays: {}, numbers: {} }, cost: ZERO_COST };
}

/** How a method stores H. */
interface InverseHessian {
  /** p = −H g. */
  directionOf(state: OptimizerState, gradient: Float64Array): Float64Array;
  /** The arrays after a step s with the gradient change y, sᵀy > 0. */
  updated(state: OptimizerState, s: Float64Array, y: Float64Array): OptimizerState['arrays'];
}

/** The pairs are stored one after another, the oldest first: [pair][P]. */
function limited(memory: number): InverseHessian {
  return {
    directionOf({ arrays }, gradient) {
      const p = gradient.map((value) => -value);
      const { moves, changes } = arrays;
      if (moves === undefined) return p;
      const size = gradient.length;
      const pairs = moves.length / size;
      const pair = (all: Float64Array, i: number): Float64Array => all.subarray(i * size, (i + 1) * size);
      const shares = new Float64Array(pairs);
      for (let i = pairs - 1; i >= 0; i--) {
        const s = pair(moves, i);
        const y = pair(changes, i);
        shares[i] = dot(s, p) / dot(s, y);
        for (let k = 0; k < size; k++) p[k] -= shares[i] * y[k];
      }
      const s = pair(moves, pairs - 1);
      const y = pair(changes, pairs - 1);
      const scale = dot(s, y) / dot(y, y);
      for (let k = 0; k < size; k++) p[k] *= scale;
      for (let i = 0; i < pairs; i++) {
        const share = shares[i] - dot(pair(changes, i), p) / dot(pair(moves, i), pair(changes, i));
        for (let k = 0; k < size; k++) p[k] += share * pair(moves, i)[k];
      }
      return p;
    },
    updated: ({ arrays }, s, y) => ({
      moves: appended(arrays['moves'], s, memory),
      changes: appended(arrays['changes'], y, memory),
    }),
  };
}

/** Appends `row` to `rows`. If `rows` already holds `rowsMax` rows, the first one is dropped. */
function appended(rows: Float64Array | undefined, row: Float64Array, rowsMax: number): Float64Array {
  if (rows === undefined) return Float64Array.from(row);
  const kept = rows.length >= rowsMax * row.length ? rows.subarray(row.length) : rows;
  const all = new Float64Array(kept.length + row.length);
  all.set(kept);
  all.set(row, kept.length);
  return all;
}

const dense: InverseHessian = {
  directionOf({ arrays }, gradient) {
    const size = gradient.length;
    const { inverse } = arrays;
    const product = inverse === undefined ? gradient : matVec(matrix(size, size, inverse), gradient);
    return product.map((value) => -value);
  },
  updated({ arrays }, s, y) {
    const size = s.length;
    const sy = dot(s, y);
    const h =
      arrays['inverse'] === undefined ? scaledIdentity(size, sy / dot(y, y)) : arrays['inverse'].slice();
    const hy = matVec(matrix(size, size, h), y);
    const grown = (1 + dot(y, hy) / sy) / sy;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        h[i * size + j] += grown * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
    return { inverse: h };
  },
};

function scaledIdentity(size: number, scale: number): Float64Array<ArrayBuffer> {
  const identity = new Float64Array(size * size);
  for (let i = 0; i < size; i++) identity[i * size + i] = scale;
  return identity;
}
