/**
 * Networks, data sets, optimizers and training. Loads the autodiff library.
 *
 * @module thermolink/train
 */

export type { Tensor } from '../files/safetensors.js';
export { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
export { type ClassReport, classReport } from './confusion.js';
export {
  type Dataset,
  type DatasetSource,
  type ExampleSet,
  firstExamples,
  type TableSource,
} from './data/dataset.js';
export { loadDataset } from './data/load-dataset.js';
export type { ColumnEncoding, TableEncoding } from './data/table-encoding.js';
export type {
  Evaluation,
  Examples,
  LayerFactors,
  LayerShape,
  LossAndGradient,
  Network,
  PerExampleFactors,
} from './network/contract.js';
export {
  type ConvolutionClassifierSettings,
  createConvolutionClassifier,
} from './network/convolution-classifier.js';
export { createMlp, type MlpSettings } from './network/mlp.js';
export type { Optimizer, OptimizerState, StepRequest, StepRest, StepResult } from './optimizers/contract.js';
export { createOptimizer } from './optimizers/create.js';
export type { Blocks } from './optimizers/layer-blocks.js';
export {
  CONTROL,
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
} from './optimizers/registry.js';
export type { InitialPolicy } from './optimizers/relaxation.js';
export type { DrawnLine, Equation, Points } from './pinn/equation.js';
export {
  type BurgersSettings,
  burgersPinn,
  heatPinn,
  type PinnProblem,
  type PinnSettings,
  type PoissonSettings,
  pinnProblem,
  poissonPinn,
  type SolutionTest,
} from './pinn/pinn-problem.js';
export type { Jet, TanhStart } from './pinn/tanh-network.js';
export type {
  Evaluation as ProblemEvaluation,
  Figures,
  LayerCurvature,
  LayeredCurvature,
  LayerPlace,
  LossGradient,
  NamedLayer,
  NoFigures,
  Problem,
  ProblemState,
  StepPoint,
  Trial,
  WeightsDescription,
} from './problem/contract.js';
export {
  type EnergyMeasures,
  heisenbergChain,
  type IsingSettings,
  isingChain,
  type VariationalEnergy,
  type VariationalSettings,
} from './quantum/variational-energy.js';
export type {
  ClassificationMeasures,
  ClassificationTest,
  StepFacts,
  StepRecord,
  StepTiming,
  TrainingFacts,
  TrainingSummary,
  TrainingTotals,
} from './record.js';
export { type Autoencoder, type AutoencoderSettings, autoencoder } from './regression/autoencoder.js';
export {
  type Pairs,
  type Regression,
  type RegressionSettings,
  type RegressionTest,
  regression,
} from './regression/regression.js';
export {
  type TrainProblemRequest,
  type TrainProblemResult,
  trainProblem,
} from './train-problem.js';
export type { TrainingOutput } from './train-request.js';
export { type TrainRequest, type TrainResult, train } from './trainer.js';
export { type ExistingTraining, openTrainingDirectory, type TrainingDirectory } from './training-files.js';
export { readWeights, type Weights, writeWeights } from './weights.js';
