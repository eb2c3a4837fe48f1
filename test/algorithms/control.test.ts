import { describe, expect, test } from 'vitest';
import { closedLoop, type LinearPlant, undiscounted } from '../../src/algorithms/control/plant.js';
import { hostPolicyGradient, naturalPolicyGradient } from '../../src/algorithms/control/policy-gradient.js';
import {
  exactPredictiveControl,
  predictiveControl,
} from '../../src/algorithms/control/predictive-control.js';
import { measuredGradient, rolloutCost, visitedStates } from '../../src/algorithms/control/rollouts.js';
import { identityMatrix, rotaryPendulum } from '../../src/algorithms/control/rotary-pendulum.js';
import { RailBox } from '../../src/algorithms/qp/rail-box.js';
import type { BoardCalibration } from '../../src/board/calibration.js';
import { readPlant } from '../../src/cli/input/read-plant.js';
import { connect } from '../../src/connect.js';
import { boxMinimum } from '../../src/linalg/box-program.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import {
  product,
  solveDiscreteLyapunov,
  solveRiccati,
  spectralRadius,
} from '../../src/linalg/matrix-equations.js';
import { norm2, subtract, transposed } from '../../src/linalg/products.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';

const address = (seed: number) => ({ seed, step: 0, block: 0 });
const traceOf = (a: Matrix): number =>
  Array.from({ length: a.rows }, (_, i) => a.data[i * a.rows + i]).reduce((x, y) => x + y);

function optimum(plant: LinearPlant) {
  const { stateMatrix, inputMatrix, stateCost, inputCost } = undiscounted(plant);
  const { cost, gain } = solveRiccati(stateMatrix, inputMatrix, stateCost, inputCost);
  return { gain, cost: traceOf(cost) };
}

/** Iterations until the cost is at most `excess` above the optimum, relative. */
const iterationsTo = (costs: readonly number[], best: number, excess: number): number => {
  const found = costs.findIndex((cost) => cost / best - 1 <= excess);
  return found < 0 ? Infinity : found;
};

describe('the rotary pendulum', () => {
  // The gains were computed by SciPy's solve_discrete_are. The model was sampled by scipy.linalg.expm, and
  // its A and B were multiplied by √0.99.
  test('has the optimal gain that SciPy finds', () => {
    const { gain, cost } = optimum(rotaryPendulum('up'));
    const scipy = [-0.36519484, 24.00544323, -0.8360479, 2.01342306];
    for (const [i, value] of scipy.entries()) expect(gain.data[i]).toBeCloseTo(value, 7);
    expect(cost).toBeCloseTo(5398.839315, 5);
  });

  test('falls from its upright position, and comes to rest when it hangs', () => {
    const plant = (position: 'up' | 'down') =>
      undiscounted({ ...rotaryPendulum(position), discount: 0.999 }).stateMatrix;
    expect(spectralRadius(plant('up'))).toBeGreaterThan(1.1);
    expect(spectralRadius(plant('down'))).toBeLessThan(1);
  });
});

describe('natural policy gradient', () => {
  test.each(['ideal-1024', 'prototype-1024'])(
    'on %s is 1e-5 above the optimum within 12 iterations',
    { tags: 'long' },
    async (profile) => {
      const plant = await readPlant('qube');
      const best = optimum(plant);
      const request = { plant, initialGain: plant.initialGain!, address: address(1), iterationsMax: 12 };
      const device = await connect(`emulator:${profile}`);
      const found = await naturalPolicyGradient(device, request);
      await device.close();
      expect(found.costs[0] / best.cost).toBeGreaterThan(17);
      expect(iterationsTo(found.costs, best.cost, 1e-5)).toBeLessThanOrEqual(12);
      expect(norm2(subtract(found.gain.data, best.gain.data)) / norm2(best.gain.data)).toBeLessThan(1e-3);
    },
  );

  test('diagonal scaling takes over 100 iterations, and the plain gradient does not converge', {
    tags: 'long',
  }, async () => {
    const plant = await readPlant('qube');
    const best = optimum(plant).cost;
    const request = { plant, initialGain: plant.initialGain!, address: address(1), iterationsMax: 100 };
    const diagonal = await hostPolicyGradient('diagonal', request);
    expect(iterationsTo(diagonal.costs, best, 1e-5)).toBe(Infinity);
    const plain = await hostPolicyGradient('plain', { ...request, iterationsMax: 1000 });
    expect(iterationsTo(plain.costs, best, 1)).toBe(Infinity);
  });

  test('a small plant converges on a small crossbar, and its couplings are sent once per iteration', async () => {
    const plant: LinearPlant = {
      stateMatrix: matrix(2, 2, Float64Array.of(1, 0.1, 0, 1)),
      inputMatrix: matrix(2, 2, Float64Array.of(0, 0.05, 0.1, 0)),
      stateCost: identityMatrix(2),
      inputCost: identityMatrix(2),
    };
    const best = optimum(plant).cost;
    const board = solverBoard('ideal-crossbar');
    const initialGain = matrix(2, 2, Float64Array.of(4, 4, 0, 0));
    const found = await naturalPolicyGradient(board, {
      plant,
      initialGain,
      rows: 64,
      address: address(2),
      iterationsMax: 12,
    });
    expect(iterationsTo(found.costs, best, 1e-5)).toBeLessThanOrEqual(12);
    const uploads = board.programs.filter(({ isRewrite }) => !isRewrite).length;
    expect(uploads).toBe(found.costs.length - 1);
  });

  test('a first gain that is not stable is refused before a byte is sent', async () => {
    const board = solverBoard('ideal-1024');
    const plant = rotaryPendulum('up');
    const asked = naturalPolicyGradient(board, { plant, initialGain: matrix(1, 4), address: address(1) });
    await expect(asked).rejects.toThrow(/the plant is not stable/);
    const dense = solverBoard('ideal-8', { factored: false });
    const { initialGain } = await readPlant('qube');
    const without = naturalPolicyGradient(dense, { plant, initialGain: initialGain!, address: address(1) });
    await expect(without).rejects.toThrow(/no factored couplings/);
    expect(board.uploadedBytes + dense.uploadedBytes).toBe(0);
  });
});

describe('measurements of rollouts', () => {
  const plant = undiscounted(rotaryPendulum('up'));
  const gain = optimum(rotaryPendulum('up')).gain;
  const loop = closedLoop(plant, gain);

  test('costs are those of the Lyapunov equation', () => {
    const weighted = product(transposed(gain), product(plant.inputCost, gain));
    const q = matrix(
      4,
      4,
      plant.stateCost.data.map((value, k) => value + weighted.data[k]),
    );
    const cost = traceOf(solveDiscreteLyapunov(transposed(loop), q));
    expect(rolloutCost(plant, gain) / cost - 1).toBeCloseTo(0, 10);
    expect(rolloutCost(plant, matrix(1, 4))).toBe(Infinity);
  });

  test('the gradient is 0 at the optimum', () => {
    const there = norm2(measuredGradient(plant, gain).data);
    const beside = matrix(
      1,
      4,
      gain.data.map((value) => value * 1.01),
    );
    expect(there).toBeLessThan(0.01 * norm2(measuredGradient(plant, beside).data));
  });

  test('rows of the crossbar have the correlation of all states, to 1 %', () => {
    const { rows, correlation, scale } = visitedStates(plant, gain, 1000);
    const sketch = product(transposed(rows), rows);
    expect(norm2(subtract(sketch.data, correlation.data)) / norm2(correlation.data)).toBeLessThan(0.01);
    const covariance = solveDiscreteLyapunov(loop, identityMatrix(4));
    for (let i = 0; i < 4; i++) expect(scale[i] ** 2 / covariance.data[i * 5]).toBeCloseTo(1, 8);
  });
});

// The paper's conditions: A Y + B F = Y − 2αΣ, [λY (AY+BF)ᵀ; · Y] ⪰ 0, [Σ−W AY+BF; · M] ⪰ 0, [M Y; Y Σ] ⪰ 0,
// K = F Y⁻¹. With one state all these matrices are numbers. A point that satisfies them at one α gives such a
// point at every other α, with the same K.
test('the step size α of the published design cancels: the same K is valid for every α', () => {
  const holds = (alpha: number, { y, f, m, sigma }: Record<string, number>): boolean => {
    const [a, b, lambda, w] = [1.1, 0.5, 0.99, 1e-3];
    const z = a * y + b * f;
    const equality = Math.abs(z - (y - 2 * alpha * sigma)) < 1e-12 * y;
    return equality && lambda * y * y >= z * z && (sigma - w) * m >= z * z && m * sigma >= y * y && sigma > w;
  };
  const [alpha, sigma] = [0.01, 1];
  const y = 0.1;
  const f = (y - 2 * alpha * sigma - 1.1 * y) / 0.5;
  const point = { y, f, sigma, m: 2 * y * y };
  expect(holds(alpha, point)).toBe(true);
  for (const other of [0.001, 0.018, 0.025, 3]) {
    const ratio = other / alpha;
    const scaled = { y: y * ratio, f: f * ratio, m: point.m * ratio ** 2, sigma };
    expect(holds(other, scaled)).toBe(true);
    expect(scaled.f / scaled.y).toBeCloseTo(f / y, 12);
  }
});

describe('predictive control on the rails', () => {
  test('on ideal-64 the closed loop has the cost of exact plans, and the Hessian is sent once', () =>
    expectNearExact('ideal-64', 1e-3));
  test('on prototype-64 the closed loop has the cost of exact plans', { tags: 'long' }, () =>
    expectNearExact('prototype-64', 5e-3),
  );

  async function expectNearExact(profile: string, excess: number): Promise<void> {
    const plant = await readPlant('qube-down');
    const request = {
      plant,
      initialState: plant.initialState!,
      inputMax: plant.inputMax!,
      steps: 40,
      address: address(1),
    };
    const exact = await exactPredictiveControl(request);
    const board = solverBoard(profile);
    const found = await predictiveControl(board, request);
    expect(exact.saturatedSteps).toBeGreaterThan(0);
    expect(found.saturatedSteps).toBe(exact.saturatedSteps);
    expect(Math.abs(found.closedLoopCost / exact.closedLoopCost - 1)).toBeLessThan(excess);
    expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
    expect(board.uploadedBytes).toBe(2 * 400 + board.programs.length * 80);
  }

  test('a Hessian of a condition near 1,000 costs at most 0.1 % more than exact plans', async () => {
    const plant = await readPlant('qube-down');
    const cheap = { ...plant, inputCost: matrix(1, 1, Float64Array.of(0.001)) };
    const bounds = { initialState: plant.initialState!, inputMax: plant.inputMax! };
    const request = { plant: cheap, ...bounds, horizon: 32, steps: 20, address: address(1) };
    const exact = await exactPredictiveControl(request);
    const found = await predictiveControl(solverBoard('ideal-64'), request);
    expect(found.condition).toBeGreaterThan(700);
    expect(found.saturatedSteps).toBe(exact.saturatedSteps);
    expect(found.saturatedSteps).toBeGreaterThan(0);
    expect(Math.abs(found.closedLoopCost / exact.closedLoopCost - 1)).toBeLessThan(1e-3);
  });

  test('the upright pendulum is too ill-conditioned for a board, and is refused before a byte is sent', async () => {
    const board = solverBoard('ideal-64');
    const request = {
      plant: rotaryPendulum('up'),
      initialState: new Float64Array(4),
      inputMax: Float64Array.of(5),
    };
    await expect(predictiveControl(board, { ...request, address: address(1) })).rejects.toThrow(
      /condition.*1,000/,
    );
    expect(board.uploadedBytes).toBe(0);
  });
});

describe('a box program on the rails', () => {
  test.each([10, 100, 1000])('of condition %d comes to a residual of 1e-8', async (condition) => {
    const random = problemRandom(1540 + condition);
    const n = 16;
    const hessian = symmetricWith(eigenvalues('log-uniform', condition, n), random);
    const linear = normalVector(random, n).map((value) => value * Math.sqrt(condition));
    const lower = normalVector(random, n).map((value) => -1 - Math.abs(value) / 4);
    const upper = normalVector(random, n).map((value) => 1 + Math.abs(value) / 4);
    const exact = boxMinimum(hessian, linear, lower, upper, new Float64Array(n));
    expect(exact.filter((value, i) => value === lower[i] || value === upper[i]).length).toBeGreaterThan(0);
    const box = new RailBox(solverBoard('ideal-64'), { hessian, lower, upper });
    const { x, residual } = await box.solve({ linear, tolerance: 1e-8, address: address(1) });
    expect(residual).toBeLessThan(1e-8);
    expect(norm2(subtract(x, exact)) / norm2(exact)).toBeLessThan(2e-8 * condition);
  });

  // Mismatch of 2 % in couplings and offsets of 1 % cause a residual of about one or two percent. A
  // calibration reduces the residual.
  test('a calibration makes the plan better on a board with errors', async () => {
    const die = imperfectBoard(
      { couplingMismatch: spread(20_000), inputOffset: spread(10_000) },
      { cells: 8, name: 'test-8' },
    );
    const board = new SolverBoard(die.profile, undefined, die.dieSeed);
    const random = problemRandom(1550);
    const hessian = symmetricWith(eigenvalues('log-uniform', 30, 8), random);
    const linear = normalVector(random, 8).map((value) => value * 5);
    const bounds = { lower: new Float64Array(8).fill(-1), upper: new Float64Array(8).fill(1) };
    const first = async (calibration?: BoardCalibration) => {
      const box = new RailBox(board, { hessian, ...bounds, ...(calibration && { calibration }) });
      return (await box.solve({ linear, tolerance: 0.5, address: address(1) })).residual;
    };
    expect(await first(trueCalibration(die))).toBeLessThan((await first()) / 3);
  });

  test('an empty box is refused', () => {
    const bounds = { lower: Float64Array.of(1), upper: Float64Array.of(1) };
    expect(() => new RailBox(solverBoard('ideal-8'), { hessian: identityMatrix(1), ...bounds })).toThrow(
      /bounds of unknown 0/,
    );
  });
});
