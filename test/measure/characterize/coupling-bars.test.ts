import { expect, it } from 'vitest';
import { measureCouplingErrors } from '../../../src/measure/coupling-error.js';
import type { Estimates } from '../../../src/measure/estimates.js';
import { measureInSession } from '../../../src/measure/lab-board.js';
import { solverBoard } from '../../support/solver-board.js';

const CELLS = 8;

/** Makes estimates whose errors are as large as their standard errors. */
function off(value: number, error: number): Estimates {
  return {
    values: new Float64Array(CELLS).fill(value + error),
    standardErrors: new Float64Array(CELLS).fill(Math.abs(error)),
  };
}

/*
 * Crosspoints are measured with the gains and leakages that were measured before. An error of a gain or
 * leakage is therefore an error of the crosspoint. On the diagonal it is the whole error, because a cell's
 * own voltage follows its drive. The standard error must include it. In this test it is far above all other
 * errors: each z on the diagonal is 1 or −1.
 */
it.each([
  ['gain', 0.02, 0],
  ['gain', -0.01, 0],
  ['leakage', 0, 0.03],
])('the standard errors of a cell’s crosspoints contain the error of its %s', async (_, gain, leakage) => {
  const nominal = { offset: off(0, 0), curvature: off(0, 0) };
  const adc = { ...nominal, gain: off(1, 0), scatter: new Float64Array(CELLS), silent: [] };
  const codeVariance = new Float64Array(CELLS);
  const drive = { ...nominal, gain: off(1, gain), leakage: off(0, leakage), codeVariance };
  const squares = { diagonal: [] as number[], beside: [] as number[], elsewhere: [] as number[] };
  for (let seed = 1; seed <= 6; seed++) {
    const { rows, columns, errors } = await measureInSession(
      solverBoard(`ideal-${CELLS}`),
      { seed },
      (board) => measureCouplingErrors(board, adc, drive, CELLS),
    );
    for (const [k, row] of rows.entries()) {
      const distance = (columns[k] - row + CELLS) % CELLS;
      const where = distance === 0 ? 'diagonal' : [1, CELLS - 1].includes(distance) ? 'beside' : 'elsewhere';
      squares[where].push((errors.values[k] / errors.standardErrors[k]) ** 2);
    }
  }
  const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  expect(squares.diagonal).toHaveLength(6 * CELLS);
  for (const square of squares.diagonal) {
    expect(square).toBeGreaterThan(0.8 ** 2);
    expect(square).toBeLessThan(1.2 ** 2);
  }
  // If a neighbouring line has the voltage of the cell itself, only the drive of the cell distinguishes the
  // two lines in the fit. For other lines the scatter of the fit also contains a part of the error, so
  // standard errors may be too large by a third. The means of 96 and 240 z² of normal errors have standard
  // deviations of 0.14 and 0.09.
  expect(meanOf(squares.beside)).toBeGreaterThan(0.6);
  expect(meanOf(squares.beside)).toBeLessThan(1.4);
  expect(meanOf(squares.elsewhere)).toBeGreaterThan(0.3);
  expect(meanOf(squares.elsewhere)).toBeLessThan(1.3);
});
