import { beforeAll, describe, expect, it } from 'vitest';
import type { Characterization } from '../../../src/measure/characterize.js';
import type { Estimates } from '../../../src/measure/estimates.js';
import { profileOf } from '../../../src/measure/profile-of.js';
import { measure } from '../characterize/agreement.js';

const UNIT_GAIN = 2 ** 20;
const CELLS = 8;
const CELL = 3;

/** The estimates with those of one cell replaced. */
function replaced({ values, standardErrors }: Estimates, value: number, error = 1e-4): Estimates {
  return {
    values: values.with(CELL, value),
    standardErrors: standardErrors.with(CELL, error),
  };
}

describe('a cell with a converter that hardly passes anything', () => {
  let measured: Characterization;
  beforeAll(async () => {
    // The errors of the other estimates do not matter here.
    measured = await measure('emulator:prototype-8?die=2', 3, 2, 1000);
  });

  /** Every converter also has a bend, which is much larger than its error. */
  const curvature = {
    values: Float64Array.from({ length: CELLS }, (_, i) => 1e-4 * (1 + i)),
    standardErrors: new Float64Array(CELLS).fill(1e-6),
  };
  const withGains = (value: number): Characterization => ({
    ...measured,
    adc: { ...measured.adc, gain: replaced(measured.adc.gain, value), curvature },
    drive: { ...measured.drive, gain: replaced(measured.drive.gain, value), curvature },
  });

  it.each([Number.NaN, 0, 1e-4, -1e-4])(
    'of gain %d does not prevent a profile, which has no bow of this cell',
    (value) => {
      const { measured: own } = profileOf(withGains(value), 'test');
      const gain = Number.isNaN(value) ? UNIT_GAIN : Math.round(Math.max(0, value) * UNIT_GAIN);
      for (const part of [own!.adc!, own!.driveConverter!]) {
        expect(part.gain[CELL]).toBe(gain);
        expect(part.bow[CELL]).toBe(0);
        // The other cells keep their measured bows.
        expect(part.bow.filter((bow) => bow !== 0)).toHaveLength(CELLS - 1);
      }
    },
  );

  it('of the wrong sign cannot be described by a profile', () => {
    expect(() => profileOf(withGains(-0.5), 'test')).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', data: { field: expect.stringMatching(/gain\[3\]$/) } }),
    );
  });

  it.each([Number.NaN, 0, 1e-6, -0.01])('of time constant %d gets the rate of the board type', (value) => {
    const timeConstant = replaced(measured.timeConstant, value);
    const { rate } = profileOf({ ...measured, timeConstant }, 'test').measured!.timeConstantMismatch!;
    expect(rate[CELL]).toBe(UNIT_GAIN);
    expect(rate.filter((one) => one !== UNIT_GAIN)).toHaveLength(CELLS - 1);
  });
});
