import {
  badArgument,
  checkAddress,
  checkArray,
  checkDevice,
  checkNumber,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { BoardDevice } from '../../driver/device-api.js';
import { ThermolinkError, throwIfAborted } from '../../errors.js';
import { boxMinimum } from '../../linalg/box-program.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { product, solveRiccati } from '../../linalg/matrix-equations.js';
import { dot, matVec, sum, transposed } from '../../linalg/products.js';
import { formatNumber } from '../../number-text.js';
import { RailBox } from '../qp/rail-box.js';
import { checkPlant, type LinearPlant, undiscounted } from './plant.js';

/** A request for a closed loop that plans its inputs anew at each step. */
export interface PredictiveControlRequest {
  readonly plant: LinearPlant;
  /** x₀, length N. */
  readonly initialState: Float64Array;
  /** Bounds of the inputs: |u_j| ≤ inputMax_j. Length M, above 0, in units of u. */
  readonly inputMax: Float64Array;
  /** Number of steps that are planned ahead. A plan takes horizon × M cells of the board. Default 20. */
  readonly horizon?: number;
  /** Number of steps of the loop. Default 200. */
  readonly steps?: number;
  /** Bound on the residual of a plan, as a ratio of the box; see `RailBoxResult`. Default 1e-5. */
  readonly tolerance?: number;
  /** Step t uses `address.step` + t. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  readonly calibration?: BoardCalibration;
  /** Called after each step with the number of steps so far. */
  readonly onProgress?: (done: number) => void;
}

/** Inputs, states and costs of the closed loop. */
export interface PredictiveControlResult {
  /** Inputs, steps × M, in units of u. */
  readonly inputs: Matrix;
  /** States, (steps + 1) × N, in units of x. */
  readonly states: Matrix;
  /**
   * Σ γᵗ(xᵀQx + uᵀRu) over all steps, plus x_TᵀPx_T for the time after the last step; in units of the cost.
   */
  readonly closedLoopCost: number;
  /** How many steps had an input at its bound. */
  readonly saturatedSteps: number;
  /** The largest residual of a plan, a ratio of the box. */
  readonly residualMax: number;
  /** Bound on the condition number of the Hessian after the box is scaled to ±1; a ratio. */
  readonly condition: number;
  /** How many programs the board ran. */
  readonly levels: number;
  readonly cost: SolverCost;
}

const HORIZON = 20;
const STEPS = 200;
const TOLERANCE = 1e-5;
/**
 * Largest condition number that is accepted: 1,000, plus some percent because the bounds of the eigenvalues
 * are not exact.
 */
const CONDITION_MAX = 1100;
/**
 * An input above this share of its bound counts as saturated, because a reading of a rail may be off by some
 * per mille.
 */
const BOUND_SHARE = 0.99;

/**
 * Model-predictive control with bounds on the inputs. Each step solves min Σ xᵀQx + uᵀRu over the horizon
 * with |u| ≤ `inputMax` and applies the first input. The cost after the horizon comes from the Riccati
 * equation. The rails of the board are the bounds (`RailBox`). The Hessian is sent once as couplings; after
 * that a step sends only drives.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, BAD_CALIBRATION, UNSUPPORTED (a Hessian
 * with a condition number above 1,000; a plant that no input stabilizes) before any byte is sent; ABORTED;
 * those of the device.
 */
export async function predictiveControl(
  device: BoardDevice,
  request: PredictiveControlRequest,
): Promise<PredictiveControlResult> {
  checkDevice(device);
  checkPredictive(request);
  const { tolerance = TOLERANCE, signal, calibration, address } = request;
  const plan = condensed(request);
  const box = new RailBox(device, { ...plan, calibration });
  refuseCondition(box.condition);
  let cost: SolverCost = ZERO_COST;
  let residualMax = 0;
  let levels = 0;
  const loop = await closedLoopOf(request, plan, async (linear, start, t) => {
    const named = { ...address, step: (address.step + t) % 2 ** 32 };
    const solved = await box.solve({ linear, start, tolerance, signal, address: named });
    cost = addCost(cost, solved.cost);
    residualMax = Math.max(residualMax, solved.residual);
    levels += solved.levels;
    return solved.x;
  });
  return { ...loop, residualMax, condition: box.condition, levels, cost };
}

/** The same loop with exact plans, on the host. Errors: those of a bad request. */
export async function exactPredictiveControl(
  request: PredictiveControlRequest,
): Promise<Omit<PredictiveControlResult, 'residualMax' | 'condition' | 'levels' | 'cost'>> {
  checkPredictive(request);
  const plan = condensed(request);
  const { hessian, lower, upper } = plan;
  return closedLoopOf(request, plan, async (linear, start) =>
    boxMinimum(hessian, linear, lower, upper, start),
  );
}

function refuseCondition(condition: number): void {
  if (condition <= CONDITION_MAX) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `The condition number of this program is ${formatNumber(condition, 2)}; the rails of a board serve up to 1,000.`,
    {
      hint: 'Choose a larger R or a shorter horizon, or solve it on the host.',
      data: { condition, conditionMax: CONDITION_MAX },
    },
  );
}

function checkPredictive(request: PredictiveControlRequest): void {
  checkObject(
    'The request',
    request,
    '{ plant, initialState, inputMax, address: { seed: 1, step: 0, block: 0 } }',
  );
  checkPlant(request.plant);
  const { plant, initialState, inputMax, horizon = HORIZON, steps = STEPS, tolerance = TOLERANCE } = request;
  for (const [name, vector, length] of [
    ['initialState', initialState, plant.stateMatrix.rows],
    ['inputMax', inputMax, plant.inputMatrix.columns],
  ] as const) {
    checkArray(name, vector, 'Float64Array');
    if (vector.length !== length) throw badArgument(`${name}.length`, vector.length, String(length));
    for (const [i, value] of vector.entries())
      checkNumber(`${name}[${i}]`, value, name === 'inputMax' ? Number.MIN_VALUE : -Number.MAX_VALUE);
  }
  checkWhole('horizon', horizon, 1, 8192);
  checkWhole('steps', steps, 1, 1_000_000);
  checkNumber('tolerance', tolerance, 0);
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
}

/** The program of one step: min ½UᵀHU + (F x)ᵀU, |U| ≤ u_max. */
interface Condensed {
  /** H, (horizon·M)². */
  readonly hessian: Matrix;
  /** F, (horizon·M) × N. */
  readonly coupling: Matrix;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** P of the Riccati equation. */
  readonly endCost: Matrix;
}

/** H = 2(ΓᵀQ̄Γ + R̄) and F = 2ΓᵀQ̄Φ with x_{k+1} = A^{k+1}x + Σ_{j ≤ k} A^{k−j}B u_j. */
function condensed({ plant, inputMax, horizon = HORIZON }: PredictiveControlRequest): Condensed {
  const { stateMatrix, inputMatrix, stateCost, inputCost } = undiscounted(plant);
  const n = stateMatrix.rows;
  const m = inputMatrix.columns;
  const { cost: endCost } = solveRiccati(stateMatrix, inputMatrix, stateCost, inputCost);
  if (!endCost.data.every(Number.isFinite))
    throw new ThermolinkError('UNSUPPORTED', 'The Riccati equation of this plant has no solution.', {
      hint: 'The plant has an unstable state that no input moves, or that no cost depends on.',
    });
  const size = horizon * m;
  const hessian = matrix(size, size);
  const coupling = matrix(size, n);
  // responses[k] = A^k B; powers[k] = A^{k+1}.
  const responses = [inputMatrix];
  const powers = [stateMatrix];
  for (let k = 1; k < horizon; k++) {
    responses.push(product(stateMatrix, responses[k - 1]));
    powers.push(product(stateMatrix, powers[k - 1]));
  }
  for (let k = 0; k < horizon; k++) {
    const weight = k === horizon - 1 ? endCost : stateCost;
    for (let i = 0; i <= k; i++) {
      const left = product(transposed(responses[k - i]), weight);
      add(coupling, product(left, powers[k]), i * m, 0);
      for (let j = 0; j <= k; j++) add(hessian, product(left, responses[k - j]), i * m, j * m);
    }
  }
  for (let k = 0; k < horizon; k++) add(hessian, inputCost, k * m, k * m);
  // Rounding leaves H_ij and H_ji unequal.
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) hessian.data[j * size + i] = hessian.data[i * size + j];
  const upper = Float64Array.from({ length: size }, (_, k) => inputMax[k % m]);
  return { hessian, coupling, lower: upper.map((value) => -value), upper, endCost };
}

/** Adds twice `part` to a block of `whole`. */
function add(whole: Matrix, part: Matrix, row: number, column: number): void {
  for (let i = 0; i < part.rows; i++)
    for (let j = 0; j < part.columns; j++)
      whole.data[(row + i) * whole.columns + column + j] += 2 * part.data[i * part.columns + j];
}

async function closedLoopOf(
  { plant, initialState, inputMax, steps = STEPS, signal, onProgress }: PredictiveControlRequest,
  { coupling, endCost }: Condensed,
  planned: (linear: Float64Array, start: Float64Array, t: number) => Promise<Float64Array>,
) {
  const { stateMatrix, inputMatrix, stateCost, inputCost, discount = 1 } = plant;
  const n = stateMatrix.rows;
  const m = inputMatrix.columns;
  const inputs = matrix(steps, m);
  const states = matrix(steps + 1, n);
  let x = Float64Array.from(initialState);
  let start = new Float64Array(coupling.rows);
  let closedLoopCost = 0;
  let saturatedSteps = 0;
  states.data.set(x);
  for (let t = 0; t < steps; t++) {
    throwIfAborted(signal);
    const plan = await planned(matVec(coupling, x), start, t);
    const u = Float64Array.from(plan.subarray(0, m), (value, j) =>
      Math.max(-inputMax[j], Math.min(inputMax[j], value)),
    );
    if (u.some((value, j) => Math.abs(value) > inputMax[j] * BOUND_SHARE)) saturatedSteps++;
    closedLoopCost += discount ** t * (dot(x, matVec(stateCost, x)) + dot(u, matVec(inputCost, u)));
    x = sum(matVec(stateMatrix, x), matVec(inputMatrix, u));
    inputs.data.set(u, t * m);
    states.data.set(x, (t + 1) * n);
    // The plan of the last step, shifted by one step.
    start = Float64Array.from(plan, (_, k) => plan[Math.min(k + m, plan.length - m + (k % m))]);
    onProgress?.(t + 1);
  }
  closedLoopCost += discount ** steps * dot(x, matVec(endCost, x));
  return { inputs, states, closedLoopCost, saturatedSteps };
}
