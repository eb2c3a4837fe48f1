/**
 * Measures the properties of a board, using only programs, runs and samples. Makes a calibration for solvers,
 * and a profile for the emulator.
 *
 * @module thermolink/measure
 */
export type { BoardCalibration, CellQuantity } from '../board/calibration.js';
export type { ChannelHistogram } from './adc-histogram.js';
export type { AdcTransfer } from './adc-transfer.js';
export { type CalibrateRequest, type CalibrationResult, calibrate } from './calibrate.js';
export { type CalibrationRecord, calibrationRecordOf } from './calibration-record.js';
export { type Characterization, type CharacterizeRequest, characterize } from './characterize.js';
export { type Comparison, compareBoards, type Difference, type ModeName } from './compare.js';
export type { CouplingErrors } from './coupling-error.js';
export type { DriveTransfer } from './drive-transfer.js';
export { type Estimates, type Summary, summarize } from './estimates.js';
export { type Extraction, type ExtractRequest, extract } from './extract.js';
export { packCalibration, unpackCalibration } from './kept-calibration.js';
export type { FinishedPart, FinishedParts } from './lab-board.js';
export type { NoiseColour } from './noise-temperature.js';
export { type Quantity, quantitiesOf } from './quantities.js';
export { calibrationOf } from './read-calibration-record.js';
export {
  type CharacterizationRecord,
  type RecordedEstimates,
  type RecordedSummary,
  recordOf,
} from './record.js';
export type { Residuals } from './residuals.js';
export { type Outlier, worstCells } from './worst-cells.js';
