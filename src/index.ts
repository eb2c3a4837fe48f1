/** thermolink for programs: connect to a board, solve linear systems on it, train with it. */
export {
  type CalibrateRequest,
  type CalibrationResult,
  calibrate,
} from './characterize/calibrate.js';
export {
  type CalibrationRecord,
  calibrationOf,
  calibrationRecordOf,
} from './characterize/calibration-record.js';
export { connect, parseDeviceUri } from './connect.js';
export { type Dataset, type DatasetSource, type ExampleSet, firstExamples } from './data/dataset.js';
export { loadDataset } from './data/load-dataset.js';
export { Device } from './driver/device.js';
export type * from './driver/device-api.js';
export type { DeviceEvent, ReconnectOptions } from './driver/reconnect.js';
export { type StopOnExitOptions, stopBoardsOnExit } from './driver/stop-on-exit.js';
export { ERROR_CODES, type ErrorCode, ThermolinkError } from './errors.js';
export type { DenseSystem, FactoredSystem, LinearSystem } from './linalg/linear-system.js';
export { type Matrix, matrix } from './linalg/matrix.js';
export type { BoardCalibration } from './mapping/calibration.js';
export type * from './model/contract.js';
export { createConvolutionClassifier } from './model/convolution-classifier.js';
export { createMlp } from './model/mlp.js';
export { type AnalogSolverOptions, createAnalogSolver } from './solver/analog-solver.js';
export { createCholeskySolver } from './solver/cholesky-solver.js';
export type * from './solver/contract.js';
export { createIdealSampler } from './solver/ideal-sampler.js';
export type * from './training/optimizers/contract.js';
export {
  CONTROL,
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
} from './training/optimizers/create.js';
export type * from './training/record.js';
export { type TrainRequest, type TrainResult, train } from './training/trainer.js';
