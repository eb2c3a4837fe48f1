import { U16_MAX } from '../../../firmware-protocol/limits.js';
import {
  badArgument,
  checkAddress,
  checkDevice,
  checkNumber,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { refuseForeign } from '../../board/calibration.js';
import { refuseTooLarge } from '../../board/checked-system.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { BoardDevice } from '../../driver/device-api.js';
import { throwIfAborted } from '../../errors.js';
import { cholesky, choleskySolve } from '../../linalg/cholesky.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { prepare } from '../prepare.js';
import { checkTolerance } from '../request-checks.js';
import { checkGain, checkPlant, type LinearPlant, undiscounted } from './plant.js';
import { measuredGradient, rolloutCost, type VisitedStates, visitedStates } from './rollouts.js';

/**
 * The factor of the gradient: none, the inverse diagonal of Σ, or the inverse of Σ by the host or by a board.
 */
export type PolicyMethod = 'plain' | 'diagonal' | 'natural' | 'board';

/** Options of the policy gradient. */
export interface PolicyGradientRequest {
  readonly plant: LinearPlant;
  /** The first gain K₀, M×N. The plant must be stable with u = −K₀ x. */
  readonly initialGain: Matrix;
  /** Number of visited states on the crossbar, at most the number of rows of the board. Default 1,000. */
  readonly rows?: number;
  /** Bound on the relative error of each solve of the board. Default 0.1. */
  readonly tolerance?: number;
  /** Largest number of iterations. Default 60. */
  readonly iterationsMax?: number;
  /**
   * The iterations end when one of them lowers the cost by less than this share of the cost. Default 1e-10.
   */
  readonly decreaseMin?: number;
  /** Iteration k uses step `address.step` + k; input j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  readonly calibration?: BoardCalibration;
  /** Called after each iteration with the costs so far, in units of the cost. */
  readonly onProgress?: (costs: readonly number[]) => void;
}

/** The gain that was found, and the way to it. */
export interface PolicyGradientResult {
  /** K, M×N. */
  readonly gain: Matrix;
  /** tr P before the first iteration and after each, of length iterations + 1, in units of the cost. */
  readonly costs: readonly number[];
  /** K before the first iteration and after each, M×N. */
  readonly gains: readonly Matrix[];
  /** Number of passes of all solves on the board. */
  readonly passes: number;
  readonly cost: SolverCost;
}

const ROWS = 1000;
/**
 * λ, added to the scaled Σ, whose diagonal is 1. It bounds the inverse of Σ in directions in which a finite
 * number of states hardly differs from 0.
 */
const DAMPING = 1e-4;
const FIRST_STEP = 0.05;
const FIRST_PLAIN_STEP = 1e-4;
const GROWTH = 1.5;
const HALVINGS_MAX = 30;
const ITERATIONS_PER_TURN = 16;

/**
 * Natural policy gradient for a linear plant with quadratic costs: K ← K − η ∇J (Σ + λI)⁻¹ with the states'
 * correlation Σ = Σ_t x xᵀ. Costs and gradients are measured by rollouts of the plant. The rows of the
 * crossbar hold visited states, so nobody has to form Σ. The board solves once for each input. Each step is
 * halved until the cost falls.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, UNSUPPORTED (a first gain that is not stable, a
 * board without a crossbar), TOO_LARGE, BAD_CALIBRATION before any byte is sent; those of `solve`.
 *
 * Source: Kakade, NIPS 14 (2001); Fazel et al., ICML 2018, for its convergence on such plants.
 */
export async function naturalPolicyGradient(
  device: BoardDevice,
  request: PolicyGradientRequest,
): Promise<PolicyGradientResult> {
  checkDevice(device);
  checkRequest(request);
  const { rows = ROWS, plant, calibration } = request;
  const factor = matrix(rows, plant.stateMatrix.rows);
  refuseTooLarge({ kind: 'factored', factor, damping: DAMPING }, device.identity);
  if (calibration !== undefined) refuseForeign(calibration.board, device.identity);
  return descend(request, 'board', device);
}

/**
 * The same iterations on the host, with another factor of the gradient, for comparison. Errors: those of a
 * bad request.
 */
export async function hostPolicyGradient(
  method: Exclude<PolicyMethod, 'board'>,
  request: PolicyGradientRequest,
): Promise<PolicyGradientResult> {
  checkRequest(request);
  return descend(request, method, undefined);
}

function checkRequest(request: PolicyGradientRequest): void {
  checkObject('The request', request, '{ plant, initialGain, address: { seed: 1, step: 0, block: 0 } }');
  checkPlant(request.plant);
  checkGain(request.plant, request.initialGain);
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  checkWhole('rows', request.rows ?? ROWS, request.plant.stateMatrix.rows, 1_000_000);
  checkWhole('iterationsMax', request.iterationsMax ?? 1, 1, 1_000_000);
  checkNumber('decreaseMin', request.decreaseMin ?? 0, 0);
  if (request.tolerance !== undefined) checkTolerance(request.tolerance);
  const blockMax = U16_MAX - (request.plant.inputMatrix.columns - 1);
  if (request.address.block > blockMax)
    throw badArgument(
      'address.block',
      request.address.block,
      `at most ${blockMax}`,
      'Input j uses block + j.',
    );
}

async function descend(
  request: PolicyGradientRequest,
  method: PolicyMethod,
  device: BoardDevice | undefined,
): Promise<PolicyGradientResult> {
  const { iterationsMax = 60, decreaseMin = 1e-10, rows = ROWS, signal, onProgress } = request;
  const plant = undiscounted(request.plant);
  let gain = request.initialGain;
  let value = rolloutCost(plant, gain);
  const costs = [value];
  const gains = [gain];
  const work = new FisherWork(request, device);
  let step = method === 'plain' ? FIRST_PLAIN_STEP : FIRST_STEP;
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    // Rollouts block the event loop; a pending abort is noticed only in a turn of the loop.
    if (iteration % ITERATIONS_PER_TURN === 0) await new Promise(setImmediate);
    throwIfAborted(signal);
    const gradient = measuredGradient(plant, gain);
    const direction =
      method === 'plain'
        ? gradient
        : await work.multiplied(gradient, visitedStates(plant, gain, rows), method, iteration);
    const tried = lowered(plant, gain, direction, value, step);
    if (tried === undefined) break;
    const decrease = (value - tried.value) / value;
    ({ gain, value } = tried);
    step = tried.step * GROWTH;
    costs.push(value);
    gains.push(gain);
    onProgress?.(costs);
    if (decrease < decreaseMin) break;
  }
  return { gain, costs, gains, passes: work.passes, cost: work.cost };
}

/** The first of K − ηD, K − ½ηD, … that lowers the cost; undefined when none of them lowers it. */
function lowered(plant: LinearPlant, gain: Matrix, direction: Matrix, value: number, firstStep: number) {
  let step = firstStep;
  for (let k = 0; k < HALVINGS_MAX; k++, step /= 2) {
    const data = gain.data.map((entry, i) => entry - step * direction.data[i]);
    const next = matrix(gain.rows, gain.columns, data);
    const nextValue = rolloutCost(plant, next);
    if (nextValue < value) return { gain: next, value: nextValue, step };
  }
  return undefined;
}

/** ∇J (Σ + λI)⁻¹ for each kind of factor, and the cost of the board's solves. */
class FisherWork {
  cost: SolverCost = ZERO_COST;
  passes = 0;
  readonly #request: PolicyGradientRequest;
  readonly #device: BoardDevice | undefined;

  constructor(request: PolicyGradientRequest, device: BoardDevice | undefined) {
    this.#request = request;
    this.#device = device;
  }

  async multiplied(
    gradient: Matrix,
    { rows, scale, correlation }: VisitedStates,
    method: PolicyMethod,
    iteration: number,
  ): Promise<Matrix> {
    const solve = this.#solver(rows, correlation, method, iteration);
    const [m, n] = [gradient.rows, gradient.columns];
    const out = matrix(m, n);
    for (let j = 0; j < m; j++) {
      const drive = Float64Array.from({ length: n }, (_, i) => gradient.data[j * n + i] / scale[i]);
      const y = await solve(drive, j);
      for (let i = 0; i < n; i++) out.data[j * n + i] = y[i] / scale[i];
    }
    return out;
  }

  #solver(
    rows: Matrix,
    correlation: Matrix,
    method: PolicyMethod,
    iteration: number,
  ): (drive: Float64Array, input: number) => Promise<Float64Array> {
    if (this.#device === undefined) {
      const damped = matrix(correlation.rows, correlation.rows, Float64Array.from(correlation.data));
      for (let i = 0; i < damped.rows; i++)
        for (let j = 0; j < damped.rows; j++) {
          if (i === j) damped.data[i * damped.rows + i] += DAMPING;
          else if (method === 'diagonal') damped.data[i * damped.rows + j] = 0;
        }
      const outcome = cholesky(damped);
      return async (drive) => (outcome.ok ? choleskySolve(outcome.factor, drive) : drive);
    }
    const { tolerance = 0.1, address, signal, calibration } = this.#request;
    const system = { kind: 'factored', factor: rows, damping: DAMPING } as const;
    const prepared = prepare(this.#device, { system, calibration });
    return async (drive, input) => {
      const named = { ...address, step: (address.step + iteration) % 2 ** 32, block: address.block + input };
      const { x, passes, cost } = await prepared.solve({ drive, tolerance, address: named, signal });
      this.passes += passes;
      this.cost = addCost(this.cost, cost);
      return x;
    };
  }
}
