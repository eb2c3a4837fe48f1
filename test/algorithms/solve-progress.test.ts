import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { SolveProgress } from '../../src/algorithms/contract.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const address = { seed: 6, step: 0, block: 0 };

function problem(condition: number, seed: number, cells = 8) {
  const random = problemRandom(seed);
  const matrix = symmetricWith(eigenvalues('log-uniform', condition, cells), random);
  return { system: { kind: 'dense', matrix } as const, drive: normalVector(random, cells), address };
}

test.each([
  [10, 1e-2, {}],
  [100, 1e-4, {}],
  [60, 1e-5, {}],
  [10, 1e-3, { couplingBits: 8, driveBits: 8, adcBits: 8 }],
])(
  'at condition %i and tolerance %f the progress only goes forward, and is complete at the end',
  async (condition, tolerance, board) => {
    for (const seed of [801, 802, 803]) {
      const seen: SolveProgress[] = [];
      const request = {
        ...problem(condition, seed),
        tolerance,
        onProgress: (one: SolveProgress) => seen.push(one),
      };
      const { passes, samples } = await createAnalogSolver(solverBoard('ideal-8', board)).solve(request);
      expect(seen[0]).toMatchObject({ fraction: 0, pass: 1, samples: 0, relativeStandardError: Infinity });
      for (const [k, { fraction, pass, samples: done, samplesMin }] of seen.entries()) {
        expect(fraction).toBeGreaterThanOrEqual(seen[Math.max(0, k - 1)].fraction);
        expect(pass).toBeGreaterThanOrEqual(seen[Math.max(0, k - 1)].pass);
        expect(done).toBeGreaterThanOrEqual(seen[Math.max(0, k - 1)].samples);
        expect(samplesMin).toBeGreaterThanOrEqual(done);
        // Only the last call, which has the answer, is complete.
        expect(fraction === 1).toBe(k === seen.length - 1);
      }
      expect(seen.at(-1)).toMatchObject({ pass: passes, samples, samplesMin: samples });
      expect(seen.at(-1)!.relativeErrorBound).toBeLessThan(tolerance);
      expect(seen.at(-1)!.relativeStandardError).toBeLessThan(tolerance / 2);
    }
  },
);

test('the first report comes before anything is sent', async () => {
  const board = solverBoard('ideal-8');
  let programsAtFirst: number | undefined;
  const onProgress = () => {
    programsAtFirst ??= board.programs.length;
  };
  await createAnalogSolver(board).solve({ ...problem(10, 804), tolerance: 1e-2, onProgress });
  expect(programsAtFirst).toBe(0);
});

test('after the first pass the bound on the error shrinks with each further pass', async () => {
  const seen: SolveProgress[] = [];
  const request = {
    ...problem(60, 805),
    tolerance: 1e-6,
    onProgress: (one: SolveProgress) => seen.push(one),
  };
  await createAnalogSolver(solverBoard('ideal-8')).solve(request);
  const bounds = seen.filter(
    ({ pass, relativeStandardError }) => pass > 1 && relativeStandardError === Infinity,
  );
  expect(bounds.length).toBeGreaterThan(0);
  bounds.forEach(({ relativeErrorBound }, k) => {
    expect(relativeErrorBound).toBeLessThan(k === 0 ? 1 : bounds[k - 1].relativeErrorBound);
  });
});

test('a slow system is averaged in short runs, so progress is visible', async () => {
  // Eigenvalues 2 and 2/1500, with an even diagonal.
  const [plus, minus] = [1 + 1 / 1500, 1 - 1 / 1500];
  const slow = { rows: 2, columns: 2, data: Float64Array.of(plus, minus, minus, plus) };
  const board = solverBoard('ideal-8');
  const averaging: SolveProgress[] = [];
  const { samples } = await createAnalogSolver(board).solve({
    system: { kind: 'dense', matrix: slow },
    drive: Float64Array.of(1.001, 0.999),
    tolerance: 1e-2,
    address,
    onProgress: (one) => {
      if (one.samples >= one.pass) averaging.push(one);
    },
  });
  // Checks only after every 16 samples would give three calls.
  expect(averaging.length).toBeGreaterThan(samples / 8);
  for (const run of board.runs.filter(({ sampleCount }) => sampleCount > 1))
    expect(run.sampleCount * run.ticksPerSample).toBeLessThanOrEqual(2 ** 18);
});
