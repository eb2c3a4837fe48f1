import { describe, expect, it } from 'vitest';
import { covarianceError } from '../../docs/try/experiment.js';
import { BadProblem, readProblem } from '../../docs/try/problem.js';
import { matrix } from '../../src/linalg/matrix.js';

describe('the input of the page', () => {
  it('is read with blanks, commas and empty lines, and compared with the closed form of two unknowns', () => {
    const { matrix: a, drive, solution, inverse, slowest } = readProblem('\n 5, 2\n2;3\n\n', '1 -1e0');
    expect([...a.data]).toEqual([5, 2, 2, 3]);
    expect([...drive]).toEqual([1, -1]);
    // A⁻¹ = (3 −2; −2 5)/11.
    for (const [i, entry] of [3, -2, -2, 5].entries()) expect(inverse.data[i]).toBeCloseTo(entry / 11, 14);
    expect(solution[0]).toBeCloseTo(5 / 11, 14);
    expect(solution[1]).toBeCloseTo(-7 / 11, 14);
    expect(slowest).toBeCloseTo(1 / (4 - Math.sqrt(5)), 10);
  });

  it.each([
    ['', '1', 'matrix', /^There is no matrix\./],
    ['1 2\n3', '1 1', 'matrix', /2 rows, but row 2 has 1 number\./],
    ['1 2', '1', 'matrix', /1 row, but row 1 has 2 numbers\./],
    ['4 1\n2 3', '1 1', 'matrix', /not symmetric: row 1, column 2 is 1, but row 2, column 1 is 2\./],
    ['1 2\n2 1', '1 1', 'matrix', /not positive definite/],
    ['0', '1', 'matrix', /not positive definite/],
    ['4 x\nx 3', '1 1', 'matrix', /“x” in line 1 of the matrix is not a number\./],
    ['1e999', '1', 'matrix', /“1e999” in line 1/],
    ['4 1\n1 3', '1', 'drive', /The drive has 1 number, but the matrix has 2 rows\./],
    ['4 1\n1 3', '1 NaN', 'drive', /“NaN” in line 1 of the drive/],
  ])('%j with the drive %j: the %s is wrong, in plain words', (matrixText, driveText, field, message) => {
    let error: unknown;
    try {
      readProblem(matrixText, driveText);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(BadProblem);
    expect(error).toMatchObject({ field, message: expect.stringMatching(message) });
    expect((error as BadProblem).advice).toMatch(/\.$/);
  });

  it('differences of covariances are in units of the standard deviations', () => {
    const exact = matrix(2, 2, Float64Array.of(4, 0, 0, 9));
    const measured = matrix(2, 2, Float64Array.of(4.4, 0.3, 0.3, 9));
    expect(covarianceError(measured, exact, 200).largest).toBeCloseTo(0.1, 12);
    expect(covarianceError(measured, exact, 200).byChance).toBeCloseTo(0.1, 12);
  });
});
