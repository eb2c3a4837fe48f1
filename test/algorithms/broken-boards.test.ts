import { describe, expect, test } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { quantizeCouplings } from '../../src/board/quantize.js';
import { matrix } from '../../src/linalg/matrix.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const address = { seed: 5, step: 0, block: 0 };
const random = problemRandom(61);
const cells = 8;
const a = symmetricWith(eigenvalues('log-uniform', 10, cells), random);
const system = { kind: 'dense', matrix: a } as const;
const drive = normalVector(random, cells);

/** The range of tolerances that a user may choose. A wrong board must fail even the loosest. */
const TOLERANCES = [0.5, 1e-2, 1e-6];

/** A board that relaxes another system than the programmed one. */
class OtherSystemBoard extends SolverBoard {
  readonly #couplings: Int16Array;
  #given: ProgramImage['couplings'] | undefined;

  constructor(seed: number) {
    super(findProfile('ideal-8')!);
    const other = symmetricWith(eigenvalues('log-uniform', 10, cells), problemRandom(seed));
    this.#couplings = quantizeCouplings(other, 32767 / 10, 16) as Int16Array;
  }

  override loadProgram(bank: number, image: ProgramImage) {
    this.#given = image.couplings;
    return super.loadProgram(bank, { ...image, couplings: this.#couplings });
  }

  override rewriteProgram(bank: number, image: ProgramImage) {
    if (image.couplings !== this.#given) throw new Error('rewrite of other couplings');
    return super.rewriteProgram(bank, { ...image, couplings: this.#couplings });
  }
}

describe('a board that does not solve the system', () => {
  let stuck: Int16Array | undefined;
  const boards: [string, () => SolverBoard][] = [
    ['returns zeros', () => solverBoard('ideal-8', {}, (codes) => codes.fill(0))],
    ['returns a constant', () => solverBoard('ideal-8', {}, (codes) => codes.fill(1000))],
    ['has its sign reversed', () => solverBoard('ideal-8', {}, (codes) => negate(codes))],
    [
      'returns an old reading for ever',
      () => {
        stuck = undefined;
        return solverBoard('ideal-8', {}, (codes, n) => {
          stuck ??= codes.slice(0, n);
          for (let i = 0; i < codes.length; i++) codes[i] = stuck[i % n];
        });
      },
    ],
    ['has only 0.3 times its gain', () => solverBoard('ideal-8', {}, (codes) => scale(codes, 0.3))],
    ['solves another system (seed 900)', () => new OtherSystemBoard(900)],
    ['solves another system (seed 901)', () => new OtherSystemBoard(901)],
    [
      'returns noise',
      () => {
        const noise = problemRandom(62);
        return solverBoard('ideal-8', {}, (codes) => {
          for (let i = 0; i < codes.length; i++) codes[i] = Math.round(5000 * noise.normal());
        });
      },
    ],
  ];

  test.each(boards)('ends in an error when it %s', async (_, create) => {
    for (const tolerance of TOLERANCES) {
      const board = create();
      const answer = createAnalogSolver(board).solve({ system, drive, tolerance, address });
      await expect(answer).rejects.toMatchObject({
        code: 'TOLERANCE_NOT_MET',
        hint: expect.any(String),
        data: { passes: expect.any(Number), relativeResidual: expect.any(Number), tolerance },
      });
    }
  });

  test('refinement corrects a gain error of 5 % per cell', async () => {
    const board = solverBoard('ideal-8', {}, (codes, n) => {
      for (let i = 0; i < codes.length; i++) codes[i] = Math.round(codes[i] * (1 + 0.05 * ((i % n) % 3)));
    });
    const { x } = await createAnalogSolver(board).solve({ system, drive, tolerance: 1e-3, address });
    const exact = await createCholeskySolver().solve({ system, drive, tolerance: 1e-9, address });
    expect(norm2(subtract(x, exact.x))).toBeLessThan(1e-3 * norm2(exact.x));
  });

  test('refinement corrects an offset of 20 ADC steps on every reading', async () => {
    const board = solverBoard('ideal-8', {}, (codes) => {
      for (let i = 0; i < codes.length; i++) codes[i] += 20;
    });
    const answer = await createAnalogSolver(board).solve({ system, drive, tolerance: 1e-2, address });
    const exact = await createCholeskySolver().solve({ system, drive, tolerance: 1e-9, address });
    expect(norm2(subtract(answer.x, exact.x))).toBeLessThan(1e-2 * norm2(exact.x));
  });
});

describe('no byte is sent', () => {
  const solveWith = (board: SolverBoard, change: object, options = {}) =>
    createAnalogSolver(board, options).solve({ system, drive, tolerance: 1e-2, address, ...change });
  const dense = (n: number, entries: number[]) =>
    ({ kind: 'dense', matrix: matrix(n, n, Float64Array.from(entries)) }) as const;

  test.each([
    ['indefinite', { system: dense(2, [1, 2, 2, 1]), drive: Float64Array.of(1, 1) }, 'NOT_POSITIVE_DEFINITE'],
    ['asymmetric', { system: dense(2, [1, 2, 0, 9]), drive: Float64Array.of(1, 1) }, 'BAD_MATRIX'],
    ['another length', { drive: Float64Array.of(1, 1) }, 'BAD_MATRIX'],
    ['beyond float64', { tolerance: 1e-15 }, 'TOLERANCE_NOT_MET'],
    ['aborted', { signal: AbortSignal.abort() }, 'ABORTED'],
  ])('%s', async (_, change, code) => {
    const board = solverBoard('ideal-8');
    await expect(solveWith(board, change)).rejects.toMatchObject({ code });
    expect(board.programs).toEqual([]);
  });

  test('when the system is too large: both sizes are named', async () => {
    const nine = problemRandom(63);
    const board = solverBoard('ideal-8');
    const large = { kind: 'dense', matrix: symmetricWith(eigenvalues('linear', 2, 9), nine) } as const;
    const answer = solveWith(board, { system: large, drive: normalVector(nine, 9) });
    await expect(answer).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/9 unknowns.*8 cells/),
    });
    expect(board.programs).toEqual([]);
  });

  test('when the board has no such couplings, or the run would never end', async () => {
    await expect(solveWith(solverBoard('ideal-crossbar'), {})).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(solveWith(solverBoard('ideal-8'), {}, { ticksMax: 1000 })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });

  test('for b = 0', async () => {
    const board = solverBoard('ideal-8');
    expect((await solveWith(board, { drive: new Float64Array(cells) })).x).toEqual(new Float64Array(cells));
    expect(board.programs).toEqual([]);
  });
});

test('an aborted solve ends between two board runs', async () => {
  const controller = new AbortController();
  const board = solverBoard('ideal-8');
  const answer = createAnalogSolver(board).solve({
    system,
    drive,
    tolerance: 1e-2,
    address,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(answer).rejects.toMatchObject({ code: 'ABORTED' });
  expect(board.runs.length).toBeLessThan(3);
});

function negate(codes: Int16Array): void {
  for (let i = 0; i < codes.length; i++) codes[i] = -codes[i];
}

function scale(codes: Int16Array, factor: number): void {
  for (let i = 0; i < codes.length; i++) codes[i] = Math.round(factor * codes[i]);
}
