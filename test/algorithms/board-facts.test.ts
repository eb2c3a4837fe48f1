import { expect, test } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { checkDrawCount, drawSamples } from '../../src/algorithms/sample.js';
import type { CommitReport } from '../../src/driver/device-api.js';
import { matrix } from '../../src/linalg/matrix.js';
import { formDense, norm2, subtract } from '../../src/linalg/products.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const address = { seed: 4, step: 0, block: 0 };
const random = problemRandom(71);

function solveOn(board: SolverBoard, a: ReturnType<typeof matrix>, drive: Float64Array, tolerance: number) {
  return createAnalogSolver(board).solve({ system: { kind: 'dense', matrix: a }, drive, tolerance, address });
}

test('the share of carry noise follows its formula at the codes that the board committed', async () => {
  // 1 + 11ᵀ has one stiff mode, and λ̂_max is far above 1.
  const cells = 64;
  const a = formDense(matrix(1, cells, new Float64Array(cells).fill(1)), 1);
  const board = solverBoard('ideal-64');
  const { carryNoiseShare } = await solveOn(board, a, normalVector(random, cells), 1e-3);
  const noisy = board.programs.findLast(({ image }) => image.noiseAmplitude > 0)!.image;
  const h = 2 ** -board.identity.tickLog2;
  const kick = (noisy.noiseAmplitude * 2 ** (13 - noisy.noiseShift)) / 2 ** 24;
  const kappa = kick ** 2 / (2 * h);
  // The eigenvector of the stiffest mode is (1, …, 1), so λ_max is the sum of a row and the damping.
  const stiffest =
    Array.from(noisy.couplings.subarray(0, cells)).reduce((sum, code) => sum + code, noisy.damping) / 32768;
  const expected =
    ((2 ** 20 / 12 / 2 ** 48) * (h * stiffest) ** 2 * stiffest) / (1 - (h * stiffest) / 2) / kappa;
  // λ₊ is a bound within a few percent of λ_max, and the share depends on its cube.
  expect(carryNoiseShare / expected).toBeGreaterThan(0.99);
  expect(carryNoiseShare / expected).toBeLessThan(1.1);
  const { carryNoiseShare: ofDraws } = await drawSamples(board, {
    precision: { kind: 'dense', matrix: a },
    count: 3,
    address,
  });
  expect(ofDraws).toBeGreaterThan(0);
  expect(ofDraws).toBeLessThan(1e-4);
});

/** A board that clamps codes, and whose middle noise code is 10 % above the register. */
class OddBoard extends SolverBoard {
  constructor() {
    super(findProfile('ideal-8')!);
  }

  override async loadProgram(bank: number, image: ProgramImage): Promise<CommitReport> {
    return this.#odd(await super.loadProgram(bank, image), 3);
  }

  override async rewriteProgram(bank: number, image: ProgramImage): Promise<CommitReport> {
    return this.#odd(await super.rewriteProgram(bank, image), 0);
  }

  #odd(report: CommitReport, clampedCouplings: number): CommitReport {
    const { noiseCodeMin, noiseCodeMax } = report;
    return { ...report, clampedCouplings, noiseCodeMin: 1.2 * noiseCodeMin, noiseCodeMax };
  }
}

test('clamped codes are counted, and κ belongs to the middle between the effective noise codes', async () => {
  const precision = { kind: 'dense', matrix: symmetricWith(eigenvalues('linear', 3, 8), random) } as const;
  const request = { precision, count: 3, address };
  const odd = await drawSamples(new OddBoard(), request);
  const ideal = await drawSamples(solverBoard('ideal-8'), request);
  expect([ideal.cost.clampedCodes, odd.cost.clampedCodes]).toEqual([0, 3]);
  expect(ideal.carryNoiseShare / odd.carryNoiseShare).toBeCloseTo(1.1 ** 2, 12);
  expect(ideal.draws.data[0] / odd.draws.data[0]).toBeCloseTo(1.1, 12);
});

test.each([0.5, 0.8])('with a rail at %f V_fs no draw overloads', async (rail) => {
  const profile = findProfile('ideal-8')!;
  for (let k = 0; k < 8; k++) {
    const a = symmetricWith(eigenvalues('log-uniform', 30, 8), random);
    const drive = normalVector(random, 8);
    const board = new SolverBoard({ ...profile, rail: rail * 2 ** 24 });
    const { x } = await solveOn(board, a, drive, 1e-2);
    const system = { kind: 'dense', matrix: a } as const;
    const exact = await createCholeskySolver().solve({ system, drive, tolerance: 1e-9, address });
    expect(norm2(subtract(x, exact.x))).toBeLessThan(1e-2 * norm2(exact.x));
    const draws = await drawSamples(board, { precision: system, count: 200, address });
    // Six standard deviations fit below the rail, so no draw overloads.
    expect(draws.cost.overloadRetries).toBe(0);
  }
});

test('the refusal of more draws than one result holds names the draws and the cells', () => {
  checkDrawCount(2 ** 20, 64);
  expect(() => checkDrawCount(2 ** 20 + 1, 64)).toThrow(/1,048,577 draws of 64 cells/);
});
