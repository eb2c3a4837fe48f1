import { effectsOf } from '../../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import type { BoardCalibration } from '../../../src/board/calibration.js';
import type { DenseSystem, FactoredSystem } from '../../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../../src/linalg/matrix.js';
import { type Problem, randomProblem } from '../../support/one-pass.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../../support/solver-problems.js';
import { trueCalibration } from '../../support/true-calibration.js';

export const ADDRESS = { seed: 80, step: 2, block: 1 };

/** A board of any size that has a dense array and a crossbar. */
export const ofSize = (cells: number, rows = cells): Partial<BoardProfile> => ({ cells, rows });

/** A random A of the given condition, with logarithms of eigenvalues at equal distances, and a random b. */
export function problem(cells: number, condition: number, of: 'b' | 'x' = 'b'): Problem {
  return randomProblem(800 + cells, cells, condition, 'log-uniform', of);
}

/** K of standard normal numbers over √m, and λ. */
export function factored(rows: number, columns: number, damping: number): FactoredSystem {
  const factor = normalMatrix(problemRandom(810 + rows), rows, columns);
  for (let k = 0; k < factor.data.length; k++) factor.data[k] /= Math.sqrt(rows);
  return { kind: 'factored', factor, damping };
}

/** A with unknowns in different units, by a factor of up to 10^`decades`. */
export function unlike(cells: number, decades: number): DenseSystem {
  const a = symmetricWith(eigenvalues('linear', 4, cells), problemRandom(820));
  const unit = (i: number): number => 10 ** ((decades * i) / (cells - 1));
  for (let i = 0; i < cells; i++) for (let j = 0; j < cells; j++) a.data[i * cells + j] *= unit(i) * unit(j);
  return { kind: 'dense', matrix: a };
}

/** A matrix, given by its rows. */
export function rowsOf(...rows: readonly (readonly number[])[]): Matrix {
  return matrix(rows.length, rows[0].length, Float64Array.from(rows.flat()));
}

/** The result of a perfect measurement of die 1, with the crosstalk of its lines and its noise. */
export function calibrationOf(profile: string, overrides: Partial<BoardProfile> = {}): BoardCalibration {
  return trueCalibration({ profile: { ...findProfile(profile)!, ...overrides }, dieSeed: 1 });
}

/** All imperfections are off except these. */
export const effects = (on: Parameters<typeof effectsOf>[0]): Partial<BoardProfile> => ({
  effects: effectsOf(on),
});
