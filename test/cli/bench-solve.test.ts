import { expect, it } from 'vitest';
import { benchSolve, conjugateGradientProducts } from '../../src/cli/commands/bench/solve.js';
import { matVec, norm2 } from '../../src/linalg/products.js';
import { runCommand } from '../support/command-line.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const CASE = {
  cells: 8,
  condition: 1e5,
  tolerance: 1e-2,
  spectrum: 'log-uniform',
  systems: 1,
  seed: 3,
} as const;

it('bench solve prints a row for each size, condition and tolerance, and the same figures as JSON', {
  tags: 'long',
}, async () => {
  const options = ['--cells', '4,8', '--conditions', '10,1e5', '--systems', '1', '--seed', '3'];
  const text = await runCommand('bench', 'solve', ...options);
  expect(text.exitCode).toBe(0);
  const lines = text.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2 + 4);
  expect(lines.every((line) => line.includes('of 1') || lines.indexOf(line) < 2)).toBe(true);
  const json = await runCommand('bench', 'solve', ...options, '--json');
  const { cases, devices, seed } = JSON.parse(json.stdout);
  expect({ devices, seed }).toEqual({ devices: ['emulator:ideal-8', 'emulator:ideal-8'], seed: 3 });
  expect(cases).toHaveLength(4);
  for (const { solved, refusals, condition, figures } of cases) {
    expect({ solved, refusals }).toEqual({ solved: 1, refusals: [] });
    expect(figures.worstError).toBeLessThan(1);
    expect(figures.hostProducts === undefined).toBe(condition === 10);
  }
  // The command and its function compute the same results over any port.
  const direct = await benchSolve(solverBoard('ideal-8'), CASE, new AbortController().signal, () => {});
  expect(cases[3]).toEqual(JSON.parse(JSON.stringify(direct)));
});

it('a refusal is counted and told, another error is thrown', async () => {
  const dead = solverBoard('ideal-8', {}, (codes) => codes.fill(0));
  const { solved, figures, refusals } = await benchSolve(dead, CASE, new AbortController().signal, () => {});
  expect({ solved, figures }).toEqual({ solved: 0, figures: undefined });
  expect(refusals[0]).toMatch(/^TOLERANCE_NOT_MET: .*zeros/);
  const aborted = benchSolve(solverBoard('ideal-8'), CASE, AbortSignal.abort(), () => {});
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
});

it('conjugate gradients end after as many products as there are different eigenvalues', () => {
  const random = problemRandom(5);
  const matrix = symmetricWith([1, 1, 1, 3, 3, 9, 9, 9], random);
  const exact = normalVector(random, 8);
  const drive = matVec(matrix, exact);
  expect(conjugateGradientProducts(matrix, drive, exact, 1e-9 * norm2(exact))).toBe(3);
  const even = symmetricWith(eigenvalues('linear', 10, 8), random);
  expect(conjugateGradientProducts(even, matVec(even, exact), exact, 2 * norm2(exact))).toBe(0);
});

it.each([
  ['--conditions', '1e4,0.5', /--conditions takes a condition from 1 to 1e12, but was given "0.5"/],
  ['--cells', '8,', /--cells takes a whole number .*nothing/],
])('bench solve %s %s is refused by name', async (option, value, message) => {
  const { stderr, exitCode } = await runCommand('bench', 'solve', option, value);
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(message);
});
