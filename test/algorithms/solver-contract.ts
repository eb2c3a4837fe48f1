import { describe, expect, test } from 'vitest';
import type { EquilibriumSolver, RelaxationSolver, SolveProgress } from '../../src/algorithms/contract.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { formDense, norm2, subtract } from '../../src/linalg/products.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  symmetricWith,
} from '../support/solver-problems.js';

export interface SolverUnderTest {
  readonly name: string;
  /**
   * Makes a new solver. It takes dense and factored systems of up to 24 cells and 40 rows, or of up to
   * `unknowns` cells if this field is given.
   */
  readonly create: () => EquilibriumSolver;
  /** The largest system of the suite, at least 5. Default 12. */
  readonly unknowns?: number;
  /** Tests that do not apply to this solver, by name, with the reason. */
  readonly skips?: Readonly<Record<string, string>>;
  /** Tests that take this solver more than a second of processor time, by name. */
  readonly long?: readonly string[];
  /** Given if the solver also relaxes. */
  readonly relaxation?: RelaxationUnderTest;
}

export interface RelaxationUnderTest {
  /** Makes a new solver for systems of the same sizes as `SolverUnderTest.create`. */
  readonly create: () => RelaxationSolver;
  /**
   * The largest allowed error, relative to the largest entry of x(t). The error comes from rounding to codes,
   * and from (1 − hA)ⁿ in place of e^(−At).
   */
  readonly accuracy: number;
}

const address = { seed: 11, step: 0, block: 0 };

/**
 * The laws of every `EquilibriumSolver` and `RelaxationSolver`; skipped tests are listed with their reason.
 */
export function describeSolver(solver: SolverUnderTest): void {
  const it = (name: string, body: () => Promise<void>) => {
    const reason = solver.skips?.[name];
    const suffix = reason === undefined ? '' : ` (skipped: ${reason})`;
    const options = solver.long?.includes(name) ? { tags: 'long' } : {};
    test.skipIf(reason !== undefined)(`${name}${suffix}`, options, body);
  };
  describe(`${solver.name} as a linear solver`, () => {
    const { unknowns = 12 } = solver;
    describeSolve(solver, unknowns, it);
    describeRefusals(solver, it);
    if (solver.relaxation === undefined) return;
    describeRelax(solver.relaxation, unknowns, it);
    describeRefusedRelaxations(solver.relaxation, it);
  });
}

type It = (name: string, body: () => Promise<void>) => void;

function problem(
  kind: 'dense' | 'factored' | 'tall',
  seed: number,
  unknowns: number,
): [LinearSystem, Float64Array, Float64Array] {
  const random = problemRandom(seed);
  const n = kind === 'tall' ? 5 : unknowns;
  let system: LinearSystem;
  if (kind === 'dense')
    system = { kind: 'dense', matrix: symmetricWith(eigenvalues('linear', 10, n), random) };
  else {
    const factor = normalMatrix(random, kind === 'tall' ? 9 : 4, n);
    system = { kind: 'factored', factor, damping: kind === 'tall' ? 0 : 1.5 };
  }
  const drive = normalVector(random, n);
  const dense = system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
  const outcome = cholesky(dense);
  if (!outcome.ok) throw new Error('bug: indefinite problem');
  return [system, drive, choleskySolve(outcome.factor, drive)];
}

function describeSolve(solver: SolverUnderTest, unknowns: number, it: It): void {
  for (const kind of ['dense', 'factored', 'tall'] as const) {
    it(`solves a ${kind} system to the tolerance it was given`, async () => {
      for (const tolerance of [0.1, 1e-2, 1e-4]) {
        const [system, drive, exact] = problem(kind, 31, unknowns);
        const result = await solver.create().solve({ system, drive, tolerance, address });
        expect(norm2(subtract(result.x, exact))).toBeLessThanOrEqual(tolerance * norm2(exact));
        expect(norm2(result.standardError)).toBeLessThanOrEqual((tolerance / 2) * norm2(result.x));
        expect(result.passes).toBeGreaterThanOrEqual(1);
        expect(result.relativeResidual).toBeLessThan(1);
      }
    });
  }

  it('answers b = 0 with 0 and no pass', async () => {
    const [system] = problem('dense', 1, unknowns);
    const result = await solver
      .create()
      .solve({ system, drive: new Float64Array(unknowns), tolerance: 1e-2, address });
    expect(result.x).toEqual(new Float64Array(unknowns));
    expect(result.passes).toBe(0);
  });

  it('gives the same answer to the same request', async () => {
    const [system, drive] = problem('dense', 2, unknowns);
    const answers = await Promise.all(
      [0, 1].map(() => solver.create().solve({ system, drive, tolerance: 1e-2, address })),
    );
    expect(answers[0].x).toEqual(answers[1].x);
  });

  it('solves a single equation', async () => {
    const system = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(4)) } as const;
    const { x } = await solver
      .create()
      .solve({ system, drive: Float64Array.of(-2), tolerance: 1e-2, address });
    expect(Math.abs(x[0] + 0.5)).toBeLessThan(0.005);
  });

  it('refuses a tolerance that float64 cannot verify', async () => {
    const [system, drive] = problem('dense', 3, unknowns);
    const answer = solver.create().solve({ system, drive, tolerance: 1e-15, address });
    await expect(answer).rejects.toMatchObject({ code: 'TOLERANCE_NOT_MET' });
  });

  it('ends with ABORTED when its signal was aborted', async () => {
    const [system, drive] = problem('dense', 4, unknowns);
    const signal = AbortSignal.abort();
    const answer = solver.create().solve({ system, drive, tolerance: 1e-2, address, signal });
    await expect(answer).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('reports progress', async () => {
    const [system, drive] = problem('dense', 5, unknowns);
    const seen: SolveProgress[] = [];
    await solver
      .create()
      .solve({ system, drive, tolerance: 1e-2, address, onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)?.relativeStandardError).toBeLessThanOrEqual(0.005);
  });
}

function describeRelax(solver: RelaxationUnderTest, unknowns: number, it: It): void {
  it('relaxes toward A⁻¹b, not away from it: the sign of the drive', async () => {
    const system = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(2)) } as const;
    const { x } = await solver.create().relax({
      system,
      drive: Float64Array.of(3),
      initial: Float64Array.of(0),
      time: 0.01,
      address,
    });
    expect(x[0]).toBeGreaterThan(0);
    expect(x[0]).toBeLessThan(0.04);
  });

  it('reaches A⁻¹b after ten time constants of the slowest mode', async () => {
    for (const kind of ['dense', 'factored'] as const) {
      const [system, drive, exact] = problem(kind, 6, unknowns);
      const initial = normalVector(problemRandom(7), unknowns);
      // A share of 5e-5 of the start remains.
      const settled = kind === 'dense' ? 10 : 10 / 1.5;
      const { x } = await solver.create().relax({ system, drive, initial, time: settled, address });
      const size = Math.max(...initial.map(Math.abs), ...exact.map(Math.abs));
      subtract(x, exact).forEach((error) => {
        expect(Math.abs(error)).toBeLessThan((solver.accuracy + 2e-4) * size);
      });
    }
  });

  it('answers x₀ = b = 0 with 0', async () => {
    const [system] = problem('factored', 8, unknowns);
    const zero = new Float64Array(unknowns);
    const { x } = await solver.create().relax({ system, drive: zero, initial: zero, time: 1, address });
    expect(x).toEqual(zero);
  });
}

const identity2 = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(1, 0, 0, 1)) } as const;
const drive = Float64Array.of(1, 2);
const dense = (entries: number[], rows = 2) =>
  ({ kind: 'dense', matrix: matrix(rows, entries.length / rows, Float64Array.from(entries)) }) as const;

function describeRefusals(solver: SolverUnderTest, it: It): void {
  it('refuses bad problems with a code and a hint', async () => {
    const cases: [string, LinearSystem, Float64Array, number, string][] = [
      ['NaN', dense([1, Number.NaN, Number.NaN, 1]), drive, 0.1, 'BAD_MATRIX'],
      ['infinite', dense([1, 0, 0, Infinity]), drive, 0.1, 'BAD_MATRIX'],
      ['not square', dense([1, 2], 1), drive, 0.1, 'BAD_MATRIX'],
      ['asymmetric', dense([1, 0.5, 0, 1]), drive, 0.1, 'BAD_MATRIX'],
      ['indefinite', dense([1, 2, 2, 1]), drive, 0.1, 'NOT_POSITIVE_DEFINITE'],
      ['zero', dense([0, 0, 0, 0]), drive, 0.1, 'NOT_POSITIVE_DEFINITE'],
      ['wrong length', identity2, Float64Array.of(1), 0.1, 'BAD_MATRIX'],
      ['NaN in b', identity2, Float64Array.of(1, Number.NaN), 0.1, 'BAD_MATRIX'],
      ['tolerance 0', identity2, drive, 0, 'BAD_ARGUMENT'],
      ['tolerance NaN', identity2, drive, Number.NaN, 'BAD_ARGUMENT'],
      ['tolerance −1', identity2, drive, -1, 'BAD_ARGUMENT'],
    ];
    for (const [, system, b, tolerance, code] of cases) {
      const answer = solver.create().solve({ system, drive: b, tolerance, address });
      await expect(answer).rejects.toMatchObject({ code, hint: expect.any(String) });
    }
  });
}

function describeRefusedRelaxations(solver: RelaxationUnderTest, it: It): void {
  it('refuses bad relaxations with a code', async () => {
    const factor = matrix(1, 2, Float64Array.of(1, Number.NaN));
    const cases: [LinearSystem, Float64Array, Float64Array, number, string][] = [
      [identity2, drive, drive, -1, 'BAD_ARGUMENT'],
      [identity2, drive, drive, Number.NaN, 'BAD_ARGUMENT'],
      [identity2, drive, drive, Infinity, 'BAD_ARGUMENT'],
      [identity2, drive, Float64Array.of(1), 1, 'BAD_MATRIX'],
      [identity2, Float64Array.of(1, Infinity), drive, 1, 'BAD_MATRIX'],
      [dense([1, 0.5, 0, 1]), drive, drive, 1, 'BAD_MATRIX'],
      [{ kind: 'factored', factor, damping: 1 }, drive, drive, 1, 'BAD_MATRIX'],
      [
        { kind: 'factored', factor: matrix(1, 2, drive), damping: -1 },
        drive,
        drive,
        1,
        'NOT_POSITIVE_DEFINITE',
      ],
      [{ kind: 'factored', factor: matrix(1, 2, drive), damping: Number.NaN }, drive, drive, 1, 'BAD_MATRIX'],
    ];
    for (const [system, b, initial, time, code] of cases) {
      const answer = solver.create().relax({ system, drive: b, initial, time, address });
      await expect(answer).rejects.toMatchObject({ code });
    }
  });
}
