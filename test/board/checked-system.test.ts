import { describe, expect, it } from 'vitest';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../src/algorithms/ideal-sampler.js';
import { invert } from '../../src/algorithms/invert.js';
import { relax } from '../../src/algorithms/relax.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { type CheckedSystem, checkSystem } from '../../src/board/checked-system.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const CELLS = 6;
const address = { seed: 4, step: 0, block: 0 };
const drive = normalVector(problemRandom(2), CELLS);
const newMatrix = () => symmetricWith(eigenvalues('linear', 5, CELLS), problemRandom(1));

/** Every function that takes a system. */
const TAKERS: Readonly<Record<string, (system: LinearSystem | CheckedSystem) => Promise<unknown>>> = {
  solve: (system) => solve(solverBoard('ideal-8'), { system, drive, tolerance: 0.1, address }),
  relax: (system) => relax(solverBoard('ideal-8'), { system, drive, initial: drive, time: 1, address }),
  invert: (system) => invert(solverBoard('ideal-8'), { system, tolerance: 0.1, address }),
  drawSamples: (precision) => drawSamples(solverBoard('ideal-8'), { precision, count: 3, address }),
  'the ideal sampler': (system) =>
    createIdealSampler().relax({ system, drive, initial: drive, time: 1, address }),
  Cholesky: (system) => createCholeskySolver().solve({ system, drive, tolerance: 0.1, address }),
};

describe('a system is checked once', () => {
  it('by checkSystem, which returns a checked system unchanged', () => {
    const checked = checkSystem({ kind: 'dense', matrix: newMatrix() });
    expect(checkSystem(checked)).toBe(checked);
    expect(checked.spectrum).toBe(checked.spectrum);
  });

  it.each(Object.entries(TAKERS))(
    '%s gives the same result for a checked system as for the plain system',
    async (_, take) => {
      const system = { kind: 'dense', matrix: newMatrix() } as const;
      const withoutTimes = (key: string, value: unknown) => (key.endsWith('Ms') ? undefined : value);
      const [plain, checked] = [await take(system), await take(checkSystem(system))];
      expect(JSON.stringify(checked, withoutTimes)).toBe(JSON.stringify(plain, withoutTimes));
    },
  );

  it.each(Object.entries(TAKERS))('%s does not check a checked system again', async (_, take) => {
    const a = newMatrix();
    const checked = checkSystem({ kind: 'dense', matrix: a });
    // A check allows 1e-12 of max |A|. This change is far larger, but too small to matter for the answer.
    a.data[1] += 1e-9;
    await take(checked);
    await expect(take({ kind: 'dense', matrix: a })).rejects.toMatchObject({ code: 'BAD_MATRIX' });
  });

  it('the spectrum of a checked system is computed once, at the first use', async () => {
    let reads = 0;
    const a = newMatrix();
    const counted = (): LinearSystem => ({
      kind: 'dense',
      get matrix(): Matrix {
        reads++;
        return a;
      },
    });
    const readsOf = async (work: () => unknown) => {
      reads = 0;
      await work();
      return reads;
    };
    const board = solverBoard('ideal-8');
    const request = { drive, tolerance: 0.1, address };
    const system = checkSystem(counted());
    const first = await readsOf(() => solve(board, { system, ...request }));
    const second = await readsOf(() => solve(board, { system, ...request }));
    const fresh = checkSystem(counted());
    const spectrum = await readsOf(() => fresh.evened.checked.spectrum);
    expect(spectrum).toBeGreaterThan(20);
    expect(first).toBe(second + spectrum);
  });
});

describe('a factor', () => {
  const factor = (entries: number[]) => matrix(1, entries.length, Float64Array.from(entries));

  it.each([
    ['NaN', [1, Number.NaN]],
    ['infinite', [Infinity, 1]],
    ['whose squares overflow', [1e200, 1]],
  ])('is refused: %s', (_, entries) => {
    expect(() => checkSystem({ kind: 'factored', factor: factor(entries), damping: 1 })).toThrow(
      expect.objectContaining({ code: 'BAD_MATRIX' }),
    );
  });

  it('of zeros is allowed, because a training has it in its first step', () => {
    const { measure } = checkSystem({ kind: 'factored', factor: factor([0, 0]), damping: 0.5 });
    expect(measure).toEqual({ largestEntry: 0, rowSumMax: 0, eigenvalueBound: 0.5, eigenvalueFloor: 0.5 });
  });
});
