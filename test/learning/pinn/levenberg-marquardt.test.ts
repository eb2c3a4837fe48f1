import { describe, expect, it } from 'vitest';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createExactSolver, createNoSolver } from '../../../src/algorithms/truncated.js';
import { deflatedDirection } from '../../../src/learning/optimizers/deflated-direction.js';
import { levenbergMarquardt } from '../../../src/learning/optimizers/levenberg-marquardt.js';
import { heat } from '../../../src/learning/pinn/heat.js';
import { ResidualProblem } from '../../../src/learning/pinn/residual-problem.js';
import {
  addScaled,
  conjugateDirections,
  type DirectionOf,
} from '../../../src/linalg/conjugate-directions.js';
import { dominantSubspace } from '../../../src/linalg/dominant-subspace.js';
import { applySystem } from '../../../src/linalg/linear-system.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { dot, formDense, matVec, matVecTransposed, norm2, subtract } from '../../../src/linalg/products.js';
import { randomSource } from '../../../src/linalg/random.js';
import { directSolver } from '../../../src/linalg/woodbury.js';
import { SolverBoard } from '../../support/solver-board.js';

const random = randomSource({ seed: 11, stream: 901 });
const normals = (rows: number, columns: number) =>
  matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => random.normal()),
  );
const factor = normals(20, 12);
for (let i = 0; i < factor.data.length; i++) factor.data[i] *= 2 ** -(i % 12);
const drive = normals(1, 12).data;
const damping = 1e-3;
const system = { kind: 'factored', factor, damping } as const;
const exact = directSolver(system)?.(drive) ?? drive;

/** ‖x − x*‖ in the norm of A. */
function errorOf(x: Float64Array): number {
  const error = subtract(x, exact);
  return Math.sqrt(dot(error, matVec(formDense(factor, damping), error)));
}

/** Answers that have nothing to do with the solution: they depend only on the norm of the residual. */
const rubbish: DirectionOf = async (rest) => rest.map((_, i) => Math.sin(i * norm2(rest)));
const apply = (x: Float64Array): Float64Array => applySystem(system, x);

describe('directions whose dominant part the host solves', () => {
  it.each([
    ['the drive itself', async (rest: Float64Array) => rest],
    ['rubbish', rubbish],
  ])('never increase the error: %s', async (_name, rough) => {
    const subspace = dominantSubspace(factor, normals(3, 12), 4);
    let last = errorOf(new Float64Array(12));
    for (let runs = 1; runs <= 12; runs++) {
      const direction = deflatedDirection(subspace, damping, apply, rough);
      const error = errorOf(await conjugateDirections(apply, drive, runs, direction));
      expect(error).toBeLessThan(last * (1 + 1e-9));
      last = Math.max(error, 1e-9);
    }
  });

  it('are exact inside the subspace without any answer of a board', async () => {
    const subspace = dominantSubspace(factor, normals(3, 12), 30);
    const inside = matVecTransposed(subspace.basis, Float64Array.of(1, -2, 0.5));
    const silent: DirectionOf = async (rest) => new Float64Array(rest.length);
    const direction = deflatedDirection(subspace, damping, apply, silent);
    const x = await conjugateDirections(apply, inside, 1, direction);
    const wanted = directSolver(system)?.(inside) ?? inside;
    expect(norm2(subtract(x, wanted))).toBeLessThan(1e-8 * norm2(wanted));
  });
});

describe('directions that are known before', () => {
  const none: DirectionOf = async () => new Float64Array(12);

  it('never increase the error, also if they are zero or equal', async () => {
    const some = normals(2, 12).data;
    const known = [some.subarray(0, 12), new Float64Array(12), some.subarray(0, 12), some.subarray(12)];
    let last = errorOf(new Float64Array(12));
    for (let count = 1; count <= known.length; count++) {
      const error = errorOf(await conjugateDirections(apply, drive, 0, none, known.slice(0, count)));
      expect(error).toBeLessThan(last * (1 + 1e-9));
      last = error;
    }
  });

  it('leave nothing to do if one of them is the solution', async () => {
    const x = await conjugateDirections(apply, drive, 3, rubbish, [exact.map((value) => -3 * value)]);
    expect(errorOf(x)).toBeLessThan(1e-7 * errorOf(new Float64Array(12)));
  });
});

describe('the Levenberg–Marquardt method', () => {
  const problem = new ResidualProblem(heat(6), [8]);
  const settings = { rank: 4, runs: 2, ticks: 1024, firstDamping: 1e-2 };

  /** A trial that has the same result at every point. */
  const constant = (loss: number) => ({
    loss: () => loss,
    lossAndGradient: () => problem.lossAndGradient(problem.initial(1)),
  });

  async function train(steps: number, rank: number): Promise<number[]> {
    const optimizer = levenbergMarquardt(createExactSolver(), { ...settings, rank });
    let parameters = problem.initial(3);
    let state = optimizer.init(problem.parameterCount);
    const losses = [problem.loss(parameters)];
    for (let step = 0; step < steps; step++) {
      const { residuals, jacobian } = problem.linearise(parameters);
      const gradient = matVecTransposed(jacobian, residuals);
      const asked = {
        parameters,
        gradient,
        factor: jacobian,
        trial: problem,
        step,
        totalSteps: steps,
        seed: 1,
      };
      ({ parameters, state } = await optimizer.update(state, asked));
      losses.push(problem.loss(parameters));
    }
    return losses;
  }

  it.each([0, 4])('never raises the loss, and lowers it a hundredfold in 25 steps: rank %i', async (rank) => {
    const losses = await train(25, rank);
    for (let step = 1; step < losses.length; step++)
      expect(losses[step]).toBeLessThanOrEqual(losses[step - 1]);
    expect(losses[25]).toBeLessThan(1e-2 * losses[0]);
  });

  it('raises λ and does not move if no attempt lowers the loss', async () => {
    const optimizer = levenbergMarquardt(createExactSolver(), settings);
    const parameters = problem.initial(3);
    const { residuals, jacobian } = problem.linearise(parameters);
    const gradient = matVecTransposed(jacobian, residuals);
    const asked = {
      parameters,
      gradient,
      factor: jacobian,
      trial: constant(1),
      step: 0,
      totalSteps: 5,
      seed: 1,
    };
    const { parameters: after, state } = await optimizer.update(optimizer.init(parameters.length), asked);
    expect(after).toBe(parameters);
    const { largest } = dominantSubspace(jacobian, normals(1, problem.parameterCount), 30);
    expect(state.numbers['damping']).toBeCloseTo(1e3 * largest, -Math.log10(largest));
  });

  it.each([
    [1, 1 / 5],
    [0.75, 0.875],
    [0.5, 1],
    [0.25, 1.125],
  ])('a loss that falls by %d of its parabola changes λ by the factor %d', async (gain, change) => {
    const optimizer = levenbergMarquardt(createExactSolver(), { ...settings, rank: 0, runs: 1 });
    const parameters = new Float64Array(12);
    // Along x the parabola ½‖r − Kx‖² falls by gᵀx − ½‖Kx‖², where g = Kᵀr is the gradient.
    const image = matVec(factor, exact);
    const fall = dot(drive, exact) - dot(image, image) / 2;
    const trial = {
      loss: (tried: Float64Array) => (tried === parameters ? 0 : -gain * fall),
      lossAndGradient: () => ({ loss: 0, gradient: drive }),
    };
    const asked = { parameters, gradient: drive, factor, trial, step: 0, totalSteps: 5, seed: 1 };
    const state = { ...optimizer.init(12), numbers: { damping } };
    const { parameters: taken, state: after } = await optimizer.update(state, asked);
    expect(
      norm2(
        subtract(
          taken,
          exact.map((x) => -x),
        ),
      ),
    ).toBeLessThan(1e-8 * norm2(exact));
    expect(after.numbers['damping'] / damping).toBeCloseTo(change, 6);
  });

  it('a rejected attempt sends drive and λ only', async () => {
    const board = new SolverBoard(findProfile('ideal-crossbar')!);
    const optimizer = levenbergMarquardt(createAnalogSolver(board), { ...settings, rank: 0, runs: 1 });
    const asked = { parameters: drive, gradient: drive, factor, step: 0, totalSteps: 5, seed: 1 };
    let attempts = 0;
    // The loss before, two attempts that raise it, and one that lowers it.
    const lossAt = () => [0, 1, 1, -1e3][attempts++];
    const state = { ...optimizer.init(12), numbers: { damping: 1e-6 } };
    const { cost, parameters } = await optimizer.update(state, { ...asked, lossAt });
    expect(attempts).toBe(4);
    expect(parameters).not.toBe(drive);
    const drives = board.programs.filter(({ isRewrite }) => isRewrite);
    expect(board.programs.length - drives.length).toBe(1);
    expect(drives.length).toBeGreaterThanOrEqual(2);
    // K in bytes, and drive and initial state in two bytes a cell for each program.
    expect(cost.uploadBytes).toBe(20 * 12 + board.programs.length * 12 * 4);
  });

  it('with a rate steps η x, and predicts the fall of a parabola with the curvature KᵀK/η', async () => {
    const rate = 0.25;
    const optimizer = levenbergMarquardt(createExactSolver(), {
      ...{ ...settings, rank: 0, runs: 1 },
      ...{ rate, finalRate: 1 },
    });
    const image = matVec(factor, exact);
    const fall = rate * (dot(drive, exact) - dot(image, image) / 2);
    const parameters = new Float64Array(12);
    const lossAt = (tried: Float64Array) => (tried === parameters ? 0 : -0.75 * fall);
    const asked = { parameters, gradient: drive, factor, lossAt, step: 3, totalSteps: 5, seed: 1 };
    const state = { ...optimizer.init(12), numbers: { damping } };
    const { parameters: taken, state: after } = await optimizer.update(state, asked);
    const expected = exact.map((x) => -rate * x);
    expect(norm2(subtract(taken, expected))).toBeLessThan(1e-8 * norm2(expected));
    expect(after.numbers['damping'] / damping).toBeCloseTo(0.875, 6);
  });

  describe('with earlier steps as directions', () => {
    const random = randomSource({ seed: 12, stream: 901 });
    const steep = matrix(
      20,
      12,
      Float64Array.from({ length: 240 }, (_, i) => random.normal() * 2 ** -((i % 12) / 3)),
    );
    const target = Float64Array.from({ length: 20 }, (_, i) => Math.cos(3 * i));

    const lossAt = (at: Float64Array) => norm2(subtract(matVec(steep, at), target)) ** 2 / 2;
    const gradientAt = (at: Float64Array) => matVecTransposed(steep, subtract(matVec(steep, at), target));

    /** Descends on ½‖Kx − r‖² with a solver that returns its input. */
    async function descend(recycle: number, steps: number) {
      const optimizer = levenbergMarquardt(createNoSolver(), {
        ...{ ...settings, rank: 0, runs: 1, firstDamping: 1e-9, dampingMin: 1e-12 },
        recycle,
      });
      let parameters: Float64Array = new Float64Array(12);
      let state = optimizer.init(12);
      const losses: number[] = [];
      for (let step = 0; step < steps; step++) {
        const gradient = gradientAt(parameters);
        const asked = { parameters, gradient, factor: steep, lossAt, step, totalSteps: steps, seed: 1 };
        ({ parameters, state } = await optimizer.update(state, asked));
        losses.push(lossAt(parameters));
      }
      return { losses, state };
    }

    /** The losses of the conjugate gradient method of Hestenes and Stiefel. */
    function conjugateGradients(steps: number): number[] {
      const at = new Float64Array(12);
      let gradient = gradientAt(at);
      let direction = gradient.map((value) => -value);
      return Array.from({ length: steps }, () => {
        const image = matVec(steep, direction);
        const before = dot(gradient, gradient);
        addScaled(at, before / dot(image, image), direction);
        gradient = gradientAt(at);
        const kept = dot(gradient, gradient) / before;
        direction = direction.map((value, i) => kept * value - gradient[i]);
        return lossAt(at);
      });
    }

    it('takes the steps of conjugate gradients if the solver returns its input', async () => {
      const expected = conjugateGradients(8);
      const { losses } = await descend(1, 8);
      losses.forEach((loss, step) => {
        expect(loss / expected[step]).toBeCloseTo(1, 6);
      });
      // Without the earlier step it is steepest descent, which is slower.
      expect((await descend(0, 8)).losses[7]).toBeGreaterThan(1.2 * losses[7]);
    });

    it.each([0, 1, 3])('keeps the last %i in its state', async (recycle) => {
      const { state } = await descend(recycle, 5);
      expect(state.arrays['recycled']?.length ?? 0).toBe(12 * recycle);
      if (recycle < 2) return;
      const earlier = (await descend(recycle, 4)).state.arrays['recycled'];
      expect(state.arrays['recycled'].subarray(12)).toEqual(earlier.subarray(0, 12 * (recycle - 1)));
    });
  });

  it('refuses a loss that is not finite', async () => {
    const optimizer = levenbergMarquardt(createExactSolver(), settings);
    const parameters = problem.initial(3);
    const { jacobian } = problem.linearise(parameters);
    const asked = {
      parameters,
      gradient: parameters,
      factor: jacobian,
      trial: constant(NaN),
      step: 4,
      totalSteps: 5,
      seed: 1,
    };
    await expect(optimizer.update(optimizer.init(1), asked)).rejects.toMatchObject({ code: 'DIVERGED' });
  });
});
