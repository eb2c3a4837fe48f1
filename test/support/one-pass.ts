import type { BoardCalibration } from '../../src/board/calibration.js';
import { checkSystem } from '../../src/board/checked-system.js';
import { settle } from '../../src/board/equilibrium-pass.js';
import { planEquilibrium } from '../../src/board/equilibrium-plan.js';
import { equilibriumSolutionScale } from '../../src/board/scaling.js';
import { inSession } from '../../src/board/session.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { applySystem, type DenseSystem } from '../../src/linalg/linear-system.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import {
  eigenvalues,
  normalVector,
  problemRandom,
  type SpectrumShape,
  symmetricWith,
} from './solver-problems.js';

export interface Problem {
  readonly system: DenseSystem;
  readonly drive: Float64Array;
  readonly exact: Float64Array;
}

/**
 * A random A with a spectrum of this shape and condition. `of` says whether b is random, or x is random and b
 * = A x.
 */
export function randomProblem(
  seed: number,
  cells: number,
  condition: number,
  shape: SpectrumShape,
  of: 'b' | 'x',
): Problem {
  const random = problemRandom(seed);
  const matrix = symmetricWith(eigenvalues(shape, condition, cells), random);
  const system = { kind: 'dense', matrix } as const;
  const vector = normalVector(random, cells);
  if (of === 'x') return { system, drive: applySystem(system, vector), exact: vector };
  const outcome = cholesky(matrix);
  if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
  return { system, drive: vector, exact: choleskySolve(outcome.factor, vector) };
}

/**
 * The solve error ‖x̂ − x‖₂/‖x‖₂ of one pass: the equilibrium is read once, without noise and without
 * refinement.
 */
export async function solveError(
  device: BoardDevice,
  { system, drive, exact }: Problem,
  calibration?: BoardCalibration,
): Promise<number> {
  const use = { address: { seed: 0, step: 0, block: 0 }, calibration };
  return inSession(
    device,
    use,
    () => checkSystem(system),
    async (session, checked) => {
      const plan = planEquilibrium(checked, session.identity, session.model);
      const { eigenvalueMin } = checked.spectrum;
      const guess = equilibriumSolutionScale(drive, eigenvalueMin, plan.systemScale, session.identity);
      const { x } = await settle(plan, session, drive, guess, () => 0);
      return norm2(subtract(x, exact)) / norm2(exact);
    },
  );
}

export function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
