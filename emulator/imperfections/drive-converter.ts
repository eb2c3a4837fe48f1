import {
  CONVERTER_LISTS,
  CONVERTER_MAGNITUDES,
  converterSize,
  deviation,
  driveStep,
  LSB_PART,
  makeConverters,
} from './converter.js';
import { scaled } from './gain.js';
import { imperfection } from './imperfection.js';

const DRAWS = { driveGain: 7, driveOffset: 8, driveBow: 9, driveCode: 10 };
/** The same numbers under the names that converter.ts uses. */
export const DRIVE_DRAWS = {
  gain: DRAWS.driveGain,
  offset: DRAWS.driveOffset,
  bow: DRAWS.driveBow,
  code: DRAWS.driveCode,
};

/** The drive DACs: e = (256·code + d)·step/256·gain (device-model.md, "Imperfections"). */
export const driveConverter = imperfection({
  acts: 'commit',
  rule: 'e = (256·code + d)·step/256·gain; d is the deviation of the code.',
  size: converterSize,
  magnitudes: CONVERTER_MAGNITUDES,
  measured: CONVERTER_LISTS,
  draws: DRAWS,
  convertDrive(effect, die, measured) {
    const dacs = makeConverters(effect, die, DRIVE_DRAWS, measured);
    const part = driveStep(die) / LSB_PART;
    return (code, cell) => {
      const asked = (code * LSB_PART + deviation(dacs, cell, code, die.driveBits)) * part;
      return scaled(asked, dacs.gain[cell]);
    };
  },
});
