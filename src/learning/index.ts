/**
 * Networks, data sets, optimizers and training. Loads the autodiff library.
 *
 * @module thermolink/train
 */
export { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
export { type Dataset, type DatasetSource, type ExampleSet, firstExamples } from './data/dataset.js';
export { loadDataset } from './data/load-dataset.js';
export type {
  Evaluation,
  Examples,
  LayerFactors,
  LayerShape,
  LossAndGradient,
  Model,
  PerExampleFactors,
} from './model/contract.js';
export {
  type ConvolutionClassifierSettings,
  createConvolutionClassifier,
} from './model/convolution-classifier.js';
export { createMlp, type MlpSettings } from './model/mlp.js';
export type { Optimizer, OptimizerState, StepRequest, StepResult } from './optimizers/contract.js';
export {
  CONTROL,
  createOptimizer,
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
} from './optimizers/create.js';
export type { InitialPolicy } from './optimizers/relaxation.js';
export type { RunTotals, StepRecord, StepTiming, TrainingSummary } from './record.js';
export { type ExistingRun, openRunDirectory, type RunDirectory } from './run-files.js';
export { type TrainRequest, type TrainResult, train } from './trainer.js';
