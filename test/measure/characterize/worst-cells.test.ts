import { expect, it } from 'vitest';
import type { Characterization } from '../../../src/measure/characterize.js';
import { couplingErrorOfRows } from '../../../src/measure/worst-cells.js';

it('the coupling error of a row is the root mean square of the measured errors in it', () => {
  const measured = {
    identity: { cells: 3 },
    couplings: {
      rows: Int32Array.of(0, 0, 2, 2, 2),
      columns: Int32Array.of(1, 2, 0, 1, 2),
      errors: {
        values: Float64Array.of(0.03, -0.04, 0.01, Number.NaN, 0.07),
        standardErrors: new Float64Array(5),
      },
    },
  } as unknown as Characterization;
  const [first, second, third] = couplingErrorOfRows(measured);
  expect(first).toBeCloseTo(Math.sqrt((0.03 ** 2 + 0.04 ** 2) / 2), 12);
  expect(second).toBeNaN();
  expect(third).toBeCloseTo(Math.sqrt((0.01 ** 2 + 0.07 ** 2) / 2), 12);
});
