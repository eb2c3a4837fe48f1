/** thermolink for programs: connect to a board, solve linear systems on it, train with it. */

export { type AnalogSolverOptions, createAnalogSolver } from './algorithms/board-solver.js';
export { createCholeskySolver } from './algorithms/cholesky-solver.js';
export type * from './algorithms/contract.js';
export { createIdealSampler } from './algorithms/ideal-sampler.js';
export type { BoardCalibration } from './board/calibration.js';
export { connect, parseDeviceUri } from './connect.js';
export { Device } from './driver/device.js';
export type * from './driver/device-api.js';
export type { DeviceEvent, ReconnectOptions } from './driver/reconnect.js';
export { type StopOnExitOptions, stopBoardsOnExit } from './driver/stop-on-exit.js';
export { ERROR_CODES, type ErrorCode, ThermolinkError } from './errors.js';
export { type Dataset, type DatasetSource, type ExampleSet, firstExamples } from './learning/data/dataset.js';
export { loadDataset } from './learning/data/load-dataset.js';
export type * from './learning/model/contract.js';
export { createConvolutionClassifier } from './learning/model/convolution-classifier.js';
export { createMlp } from './learning/model/mlp.js';
export type * from './learning/optimizers/contract.js';
export {
  CONTROL,
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
} from './learning/optimizers/create.js';
export type * from './learning/record.js';
export { type TrainRequest, type TrainResult, train } from './learning/trainer.js';
export type { DenseSystem, FactoredSystem, LinearSystem } from './linalg/linear-system.js';
export { type Matrix, matrix } from './linalg/matrix.js';
export {
  type CalibrateRequest,
  type CalibrationResult,
  calibrate,
} from './measure/calibrate.js';
export {
  type CalibrationRecord,
  calibrationOf,
  calibrationRecordOf,
} from './measure/calibration-record.js';
