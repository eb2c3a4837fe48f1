import { expect, it } from 'vitest';
import { measureCouplingErrors } from '../../../src/measure/coupling-error.js';
import type { Estimates } from '../../../src/measure/estimates.js';
import { measureInSession } from '../../../src/measure/lab-board.js';
import { solverBoard } from '../../support/solver-board.js';

const CELLS = 8;

/** Estimates that are off by as much as their standard errors say. */
function off(value: number, error: number): Estimates {
  return {
    values: new Float64Array(CELLS).fill(value + error),
    standardErrors: new Float64Array(CELLS).fill(Math.abs(error)),
  };
}

/*
 * Crosspoints are measured with the gains and leakages that were measured before. A cell's own voltage
 * follows its drive, so there an error of those is an error of the crosspoint, and belongs into its bar.
 * Here that error is far above all others: each z on the diagonal is 1 or −1.
 */
it.each([
  ['gain', 0.02, 0],
  ['gain', -0.01, 0],
  ['leakage', 0, 0.03],
])('an error of a cell’s %s is in the error bar of its diagonal crosspoint', async (_, gain, leakage) => {
  const nominal = { offset: off(0, 0), curvature: off(0, 0) };
  const adc = { ...nominal, gain: off(1, 0), scatter: new Float64Array(CELLS), silent: [] };
  const codeVariance = new Float64Array(CELLS);
  const drive = { ...nominal, gain: off(1, gain), leakage: off(0, leakage), codeVariance };
  const { rows, columns, errors } = await measureInSession(
    solverBoard(`ideal-${CELLS}`),
    { seed: 3 },
    (board) => measureCouplingErrors(board, adc, drive, CELLS),
  );
  const onDiagonal = [...rows.keys()].filter((k) => rows[k] === columns[k]);
  expect(onDiagonal).toHaveLength(CELLS);
  for (const k of onDiagonal) {
    const z = Math.abs(errors.values[k] / errors.standardErrors[k]);
    expect(z).toBeGreaterThan(0.8);
    expect(z).toBeLessThan(1.2);
  }
});
