import { expect, it } from 'vitest';
import { adcStep } from '../../../src/board/board-range.js';
import type { AdcTransfer } from '../../../src/measure/adc-transfer.js';
import { measureInSession } from '../../../src/measure/lab-board.js';
import { measureNoiseTemperature } from '../../../src/measure/noise-temperature.js';
import { solverBoard } from '../../support/solver-board.js';
import { meanSquare } from './agreement.js';

const CELLS = 64;
const known = (value: number) => ({
  values: new Float64Array(CELLS).fill(value),
  standardErrors: new Float64Array(CELLS),
});

// The mean square of 256 normal z has the standard deviation 0.09. With random seeds it would be outside the
// bounds once in 10⁴ times.
it('the standard errors of noise temperatures explain the deviations from 1 that an ideal board shows', async () => {
  const board = solverBoard(`ideal-${CELLS}`);
  const scatter = new Float64Array(CELLS).fill(adcStep(board.identity.adcBits) / Math.sqrt(12));
  const adc: AdcTransfer = { offset: known(0), gain: known(1), curvature: known(0), scatter, silent: [] };
  const cells = { leakage: known(0), timeConstant: known(1) };
  const z: number[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const { temperature } = await measureInSession(board, { seed }, (lab) =>
      measureNoiseTemperature(lab, adc, cells, 1000),
    );
    z.push(...temperature.values.map((value, i) => (value - 1) / temperature.standardErrors[i]));
  }
  expect(z).toHaveLength(4 * CELLS);
  expect(meanSquare(z)).toBeGreaterThan(0.65);
  expect(meanSquare(z)).toBeLessThan(1.4);
});
