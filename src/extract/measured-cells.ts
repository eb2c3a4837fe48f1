import type { Characterization } from '../characterize/characterize.js';
import type { Found } from './found.js';
import { integers, meanPpm, spreadPpm, UNIT_GAIN } from './integers.js';
import { isReal } from './real-quantity.js';

const VOLTAGE_UNITS = 2 ** 24;
const CONDUCTANCE_UNITS = 2 ** 15;
/** A cell loses up to 3/8 of itself per tick while its time constant is measured: what is so much faster loses all, and is not told. */
const RATE_MAX = (8 / 3) * UNIT_GAIN;

/** Time constants, noise temperatures, offsets and leakages of the cells. */
export function measuredCells(
  { timeConstant, noiseTemperature, drive }: Characterization,
  source: string,
): Found {
  const { offset, leakage } = drive;
  const slow = isReal(timeConstant, 1);
  const noisy = isReal(noiseTemperature, 1);
  const biased = isReal(offset, 0);
  const leaky = isReal(leakage, 0);
  return {
    effects: {
      timeConstantMismatch: slow ? { spreadPpm: spreadPpm(timeConstant, 1), source } : null,
      // T = (1 + ν)².
      noiseMismatch: noisy ? { spreadPpm: spreadPpm(noiseTemperature, 1, 1 / 2), source } : null,
      inputOffset: biased ? { spreadPpm: spreadPpm(offset, 1), source } : null,
      leakage: leaky
        ? { meanPpm: Math.max(0, meanPpm(leakage)), spreadPpm: spreadPpm(leakage, 0), source }
        : null,
    },
    measured: {
      ...(slow
        ? {
            timeConstantMismatch: {
              rate: integers(
                timeConstant.values,
                UNIT_GAIN,
                (value) => (value > 0 ? UNIT_GAIN / value : Number.NaN),
                RATE_MAX,
              ),
            },
          }
        : {}),
      ...(noisy
        ? {
            noiseMismatch: {
              gain: integers(
                noiseTemperature.values,
                UNIT_GAIN,
                (value) => UNIT_GAIN * Math.sqrt(Math.max(0, value)),
              ),
            },
          }
        : {}),
      ...(biased
        ? { inputOffset: { offset: integers(offset.values, 0, (value) => VOLTAGE_UNITS * value) } }
        : {}),
      ...(leaky
        ? {
            leakage: {
              conductance: integers(leakage.values, 0, (value) => Math.max(0, CONDUCTANCE_UNITS * value)),
            },
          }
        : {}),
    },
  };
}
