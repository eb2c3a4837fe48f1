import type { Die } from '../../emulator/analog/die.js';
import type { BoardCalibration } from '../../src/board/calibration.js';
import { dieTruth } from '../measure/characterize/die-truth.js';

/** The result of a perfect measurement of a die with errors of the converters. */
export function trueCalibration(die: Die): BoardCalibration {
  const { name, cells: count } = die.profile;
  const { cells, couplingError } = dieTruth(die);
  return {
    board: { model: name, serialNumber: `die ${die.dieSeed}`, cells: count },
    adcOffset: cells['adcOffset'],
    adcGain: cells['adcGain'],
    adcCurvature: cells['adcCurvature'],
    driveOffset: cells['driveOffset'],
    driveGain: cells['driveGain'],
    driveCurvature: new Float64Array(count),
    leakage: cells['leakage'],
    timeConstant: cells['timeConstant'],
    noiseTemperature: cells['noiseTemperature'],
    fromNext: cells['fromNext'],
    fromBefore: cells['fromBefore'],
    couplingErrors: Float64Array.from({ length: count * count }, (_, k) =>
      couplingError(Math.floor(k / count), k % count),
    ),
  };
}
