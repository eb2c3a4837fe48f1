/**
 * Converts numbers to the codes of a board and back: program images, scalings, readings, volts.
 *
 * @module thermolink/board
 */
export type { ProgramImage, ProgramMode } from '../../firmware-protocol/program-image.js';
export { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
export { type BoardModel, nominalModel } from './board-model.js';
export {
  adcStep,
  type BoardRange,
  DAMPING_STEP,
  driveStep,
  railOf,
  STATE_STEP,
  tickOf,
} from './board-range.js';
export { type CalibratedModelOptions, calibratedModel } from './calibrated-model.js';
export type { BoardCalibration } from './calibration.js';
export {
  type NoiseRegister,
  type NoiseShiftRange,
  noiseRegister,
  noiseTemperatureOf,
  noiseTemperatureRange,
} from './noise-register.js';
export { programImage, quantizeInitialState, quantizeSystem, type SystemCodes } from './quantize.js';
export type { Scaling, SystemScaling } from './scaling.js';
export { driveCodes, driveVolts, readingVolts, stateCodes, stateVolts, type VoltRange } from './volts.js';
