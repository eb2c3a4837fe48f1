import { describe, expect, test } from 'vitest';
import { checkSystem } from '../../src/board/checked-system.js';
import { largestEigenvalue } from '../../src/board/spectrum.js';
import { matrix } from '../../src/linalg/matrix.js';
import { hiddenTop, TOP } from '../support/hidden-eigenvalue.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../support/solver-problems.js';

const random = problemRandom(21);

describe('the spectrum of a system', () => {
  test.each([
    ['log-uniform', 8, 10],
    ['linear', 64, 100],
    ['log-uniform', 128, 1000],
  ] as const)('%s, %i cells, condition %i is bracketed', (shape, n, condition) => {
    const values = eigenvalues(shape, condition, n);
    const found = checkSystem({ kind: 'dense', matrix: symmetricWith(values, random) }).spectrum;
    expect(found.eigenvalueMin).toBeLessThanOrEqual(1 + 1e-9);
    expect(found.eigenvalueMin).toBeGreaterThan(0.95);
    expect(found.eigenvalueMax).toBeGreaterThanOrEqual(condition * (1 - 1e-9));
    expect(found.eigenvalueMax).toBeLessThan(1.05 * condition);
    expect(found.trace).toBeCloseTo(
      values.reduce((sum, value) => sum + value, 0),
      6,
    );
    const inverseTrace = values.reduce((sum, value) => sum + 1 / value, 0);
    expect(found.inverseTrace / inverseTrace).toBeGreaterThan(0.4);
    expect(found.inverseTrace / inverseTrace).toBeLessThan(2.5);
  });

  test('has a largest eigenvalue that Lanczos’ method misses from its first start vector', () => {
    const system = { kind: 'factored', factor: hiddenTop(32), damping: 0 } as const;
    expect(largestEigenvalue(system, 1)).toBeLessThan(0.9 * TOP);
    for (const bound of [largestEigenvalue(system), checkSystem(system).spectrum.eigenvalueMax]) {
      expect(bound).toBeGreaterThanOrEqual(TOP * (1 - 1e-9));
      expect(bound).toBeLessThan(1.05 * TOP);
    }
  });

  test.each([
    [2, 1],
    [2, -1],
  ])('of [[%i, %i], …] is found completely, although its eigenvectors have only the entries ±1', (a, b) => {
    const found = checkSystem({ kind: 'dense', matrix: matrix(2, 2, Float64Array.of(a, b, b, a)) }).spectrum;
    expect(found.eigenvalueMin).toBeCloseTo(1, 9);
    expect(found.eigenvalueMax).toBeCloseTo(3, 9);
  });

  test('of a wide factor has the damping as its smallest eigenvalue, exactly', () => {
    const found = checkSystem({
      kind: 'factored',
      factor: normalMatrix(random, 3, 20),
      damping: 0.01,
    }).spectrum;
    expect(found.eigenvalueMin).toBe(0.01);
  });

  test.each([1e-3, 1, 30, 1e3])('of a tall factor contains its damping of %f once', (damping) => {
    // K = diag(2 … 7), so that every eigenvalue is known.
    const factor = matrix(6, 6);
    for (let i = 0; i < 6; i++) factor.data[7 * i] = 2 + i;
    const { eigenvalueMin, eigenvalueMax } = checkSystem({ kind: 'factored', factor, damping }).spectrum;
    expect(eigenvalueMin).toBeLessThanOrEqual((4 + damping) * (1 + 1e-12));
    expect(eigenvalueMin).toBeGreaterThan(0.95 * (4 + damping));
    expect(eigenvalueMax).toBeGreaterThanOrEqual((49 + damping) * (1 - 1e-12));
  });

  test('of a tall factor without damping is positive', () => {
    const found = checkSystem({ kind: 'factored', factor: normalMatrix(random, 30, 6), damping: 0 }).spectrum;
    expect(found.eigenvalueMin).toBeGreaterThan(1);
  });

  test('of more than 1,024 cells is estimated by Lanczos’ method', () => {
    // The matrix is tridiagonal, because a random dense matrix of this size would take seconds to make.
    const n = 1100;
    const a = matrix(n, n);
    for (let i = 0; i < n; i++) {
      a.data[i * n + i] = 2.5;
      if (i > 0) a.data[i * n + i - 1] = a.data[(i - 1) * n + i] = -1;
    }
    const found = checkSystem({ kind: 'dense', matrix: a }).spectrum;
    expect(found.eigenvalueMin).toBeLessThanOrEqual(0.5 + 1e-4);
    expect(found.eigenvalueMin).toBeGreaterThan(0.4);
    a.data[5 * n + 5] = -0.9 * 2.5 + 2.5;
    a.data[6 * n + 6] = 0.25;
    expect(() => checkSystem({ kind: 'dense', matrix: a }).spectrum).toThrow(
      expect.objectContaining({ code: 'NOT_POSITIVE_DEFINITE' }),
    );
  });
});

describe('refused before anything else happens', () => {
  const dense = (rows: number, columns: number, entries: number[]) =>
    ({ kind: 'dense', matrix: matrix(rows, columns, Float64Array.from(entries)) }) as const;
  const factored = (entries: number[], damping: number) =>
    ({ kind: 'factored', factor: matrix(1, entries.length, Float64Array.from(entries)), damping }) as const;

  test.each([
    ['not square', dense(1, 2, [1, 2]), 'BAD_MATRIX'],
    ['empty', dense(0, 0, []), 'BAD_MATRIX'],
    ['NaN', dense(2, 2, [1, Number.NaN, Number.NaN, 1]), 'BAD_MATRIX'],
    ['infinite', dense(1, 1, [Infinity]), 'BAD_MATRIX'],
    ['asymmetric', dense(2, 2, [1, 0.1, 0.1 + 1e-9, 1]), 'BAD_MATRIX'],
    ['absurdly large', dense(1, 1, [1e60]), 'BAD_MATRIX'],
    ['absurdly small', dense(1, 1, [1e-60]), 'BAD_MATRIX'],
    ['zero', dense(2, 2, [0, 0, 0, 0]), 'NOT_POSITIVE_DEFINITE'],
    ['indefinite', dense(2, 2, [1, 2, 2, 1]), 'NOT_POSITIVE_DEFINITE'],
    ['negative', dense(1, 1, [-1]), 'NOT_POSITIVE_DEFINITE'],
    ['singular', dense(2, 2, [1, 1, 1, 1]), 'NOT_POSITIVE_DEFINITE'],
    ['almost singular', dense(2, 2, [1, 1, 1, 1 + 3e-16]), 'NOT_POSITIVE_DEFINITE'],
    ['a factor with NaN', factored([Number.NaN, 1], 1), 'BAD_MATRIX'],
    ['a NaN damping', factored([1], Number.NaN), 'BAD_MATRIX'],
    ['a negative damping', factored([1], -1), 'NOT_POSITIVE_DEFINITE'],
    ['a singular factor', factored([1, 1], 0), 'NOT_POSITIVE_DEFINITE'],
    ['a zero factor', factored([0], 0), 'NOT_POSITIVE_DEFINITE'],
  ])('%s', (_, system, code) => {
    expect(() => checkSystem(system).spectrum).toThrow(
      expect.objectContaining({ code, hint: expect.any(String) }),
    );
  });

  test.each([
    [
      'positive, but below the rounding of the largest',
      [1e14, 0, 0, 3.7e-3],
      /is 0 ± 0\.044, and its largest one is 1\.0e14 \(condition number 2\.3e15 or more\)/,
    ],
    ['zero up to rounding', [1, 1, 1, 1], /condition number 2\.3e15 or more/],
  ])('a matrix that is singular in float64 is called singular: %s', (_, entries, message) => {
    const inspect = () => checkSystem(dense(2, 2, entries)).spectrum;
    expect(inspect).toThrow(expect.objectContaining({ code: 'NOT_POSITIVE_DEFINITE' }));
    expect(inspect).toThrow(expect.objectContaining({ hint: expect.stringMatching(/damping/) }));
    expect(inspect).toThrow(
      /^The matrix is singular within the rounding of float64: its smallest eigenvalue /,
    );
    expect(inspect).toThrow(message);
  });

  test('a factor of zeros is named', () => {
    expect(() => checkSystem(factored([0], 0)).spectrum).toThrow(/every entry is zero/);
  });

  test('a negative eigenvalue is named', () => {
    expect(() => checkSystem(dense(2, 2, [1, 2, 2, 1])).spectrum).toThrow(
      'The matrix is not positive definite: it has an eigenvalue of -1.0 or below.',
    );
  });

  test.each([
    [
      'rounding',
      [1, 0.5, 0.5 + 1e-7, 1],
      /^The halves differ by at most 1\.0e-7 of the largest entry.*\(A \+ Aᵀ\)\/2/,
    ],
    ['the upper half alone', [4, 1, 0, 3], /^Everything below the diagonal is 0: .* give the other half too/],
    ['the lower half alone', [4, 0, 1, 3], /^Everything above the diagonal is 0: .* give the other half too/],
    [
      'another matrix',
      [4, 1, 2, 3],
      /^If A is meant to be symmetric.* solve AᵀA x = Aᵀb.* square of the condition/,
    ],
  ])('an asymmetric matrix is refused with a remedy: %s', (_, entries, hint) => {
    const inspect = () => checkSystem(dense(2, 2, entries)).spectrum;
    expect(inspect).toThrow(
      expect.objectContaining({
        code: 'BAD_MATRIX',
        hint: expect.stringMatching(hint),
        data: { row: 1, column: 0 },
      }),
    );
  });

  test('asymmetry from rounding is accepted', () => {
    expect(checkSystem(dense(2, 2, [1, 0.1, 0.1 + 1e-14, 1])).spectrum.dimension).toBe(2);
  });
});

// Lanczos' method must not stop at the second smallest eigenvalue of this matrix. The condition number would
// then be 7e13, but the true condition number is 1.7e16.
test('a matrix with two distant smallest eigenvalues is not taken for a matrix with a smaller condition number', () => {
  const n = 12;
  const hilbert = matrix(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) hilbert.data[i * n + j] = 1 / (i + j + 1);
  expect(() => checkSystem({ kind: 'dense', matrix: hilbert }).spectrum).toThrow(
    'singular within the rounding of float64',
  );
});
