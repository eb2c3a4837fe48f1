import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { LinearPlant } from './plant.js';

/** Largest number of steps of one rollout. It ends earlier when the state has come to rest. */
const STEPS_MAX = 20_000;
/** A rollout ends when |x|² is below this share of its largest value. */
const RESTING = 1e-22;
/** A plant with a cost above this counts as unstable. */
const COST_MAX = 1e12;

/**
 * The sum of the costs of u = −K x from each of the N unit states, which is tr P. It is measured by rollouts
 * of the plant; the discount must be part of its matrices. It is infinite if the gain does not stabilize the
 * plant. `visit` gets each state, of length N.
 */
export function rolloutCost(
  { stateMatrix, inputMatrix, stateCost, inputCost }: LinearPlant,
  gain: Matrix,
  visit?: (state: Float64Array) => void,
): number {
  const n = stateMatrix.rows;
  const m = inputMatrix.columns;
  let cost = 0;
  for (let start = 0; start < n; start++) {
    let x = new Float64Array(n);
    x[start] = 1;
    let peak = 1;
    for (let t = 0; t < STEPS_MAX; t++) {
      visit?.(x);
      const u = new Float64Array(m);
      for (let j = 0; j < m; j++) for (let i = 0; i < n; i++) u[j] -= gain.data[j * n + i] * x[i];
      cost += quadratic(stateCost, x) + quadratic(inputCost, u);
      if (!(cost < COST_MAX)) return Infinity;
      const next = new Float64Array(n);
      let size = 0;
      for (let i = 0; i < n; i++) {
        let value = 0;
        for (let k = 0; k < n; k++) value += stateMatrix.data[i * n + k] * x[k];
        for (let j = 0; j < m; j++) value += inputMatrix.data[i * m + j] * u[j];
        next[i] = value;
        size += value * value;
      }
      peak = Math.max(peak, size);
      if (size <= RESTING * peak) break;
      x = next;
    }
  }
  return cost;
}

function quadratic({ columns, data }: Matrix, x: Float64Array): number {
  let total = 0;
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < columns; j++) total += x[i] * data[i * columns + j] * x[j];
  return total;
}

/** Relative change of one entry of the gain for a difference quotient, and the smallest absolute change. */
const CHANGE = 1e-3;
const CHANGE_FLOOR = 0.1;

/** dJ/dK, M×N, by two rollouts for each entry of K: central differences, exact to second order. */
export function measuredGradient(plant: LinearPlant, gain: Matrix): Matrix {
  const gradient = matrix(gain.rows, gain.columns);
  for (let k = 0; k < gradient.data.length; k++) {
    const change = CHANGE * (CHANGE_FLOOR + Math.abs(gain.data[k]));
    const changed = (by: number): number => {
      const data = Float64Array.from(gain.data);
      data[k] += by;
      return rolloutCost(plant, matrix(gain.rows, gain.columns, data));
    };
    gradient.data[k] = (changed(change) - changed(-change)) / (2 * change);
  }
  return gradient;
}

/** The states that a policy visits, as rows of a crossbar. */
export interface VisitedStates {
  /** Rows × N: KᵀK is Σ x xᵀ with every coordinate divided by its `scale`. */
  readonly rows: Matrix;
  /** Root of Σ x_i² over all visited states, length N, in units of x. */
  readonly scale: Float64Array;
  /** Σ x xᵀ over all visited states, scaled, N×N; for solves on the host. */
  readonly correlation: Matrix;
}

/**
 * Visits all states of a policy and keeps `count` of them, at equal steps of the running sum Σ|x|². Each kept
 * state is reweighted, so KᵀK is near the sum over all states.
 */
export function visitedStates(plant: LinearPlant, gain: Matrix, count: number): VisitedStates {
  const n = plant.stateMatrix.rows;
  const states: Float64Array[] = [];
  rolloutCost(plant, gain, (state) => states.push(state));
  const scale = new Float64Array(n);
  for (const x of states) for (let i = 0; i < n; i++) scale[i] += x[i] ** 2;
  for (let i = 0; i < n; i++) scale[i] = Math.sqrt(scale[i]) || 1;
  const correlation = matrix(n, n);
  const sums = new Float64Array(states.length);
  let total = 0;
  for (const [t, x] of states.entries()) {
    for (let i = 0; i < n; i++) {
      total += (x[i] / scale[i]) ** 2;
      for (let j = 0; j < n; j++) correlation.data[i * n + j] += (x[i] * x[j]) / (scale[i] * scale[j]);
    }
    sums[t] = total;
  }
  const rows = matrix(count, n);
  for (let row = 0, t = 0; row < count; row++) {
    const wanted = ((row + 0.5) / count) * total;
    while (sums[t] < wanted) t++;
    const size = sums[t] - (t === 0 ? 0 : sums[t - 1]);
    const weight = Math.sqrt(total / count / size);
    for (let i = 0; i < n; i++) rows.data[row * n + i] = (weight * states[t][i]) / scale[i];
  }
  return { rows, scale, correlation };
}
