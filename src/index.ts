/**
 * Connect to a board and compute on it: solve, relax, sample, invert. Two digital solvers of the same
 * contract serve for comparison. The other parts of the library are subpaths. A program loads only the
 * subpaths that it imports: `thermolink/measure`, `thermolink/train`, `thermolink/board`, `thermolink/files`,
 * `thermolink/transport`, `thermolink/lucidac`, `thermolink/serve`, `thermolink/traces`,
 * `thermolink/protocol`, `thermolink/emulator`.
 *
 * @module thermolink
 */

export { createBoardGroupSolver } from './algorithms/board-group.js';
export { createAnalogSolver } from './algorithms/board-solver.js';
export { createCholeskySolver } from './algorithms/cholesky-solver.js';
export type {
  AnalogSolverOptions,
  CombinedReadings,
  EquilibriumSolver,
  HeldFactor,
  InverseSolver,
  InverseSolverRequest,
  LoadedCurvature,
  LoadedFactor,
  RelaxAheadRequest,
  RelaxationSolver,
  RelaxRequest,
  RelaxResult,
  SolveProgress,
  SolveRequest,
  SolveResult,
  TruncatedRequest,
  TruncatedResult,
  TruncatedRun,
  TruncatedSolver,
} from './algorithms/contract.js';
export type { LinearPlant } from './algorithms/control/plant.js';
export {
  naturalPolicyGradient,
  type PolicyGradientRequest,
  type PolicyGradientResult,
} from './algorithms/control/policy-gradient.js';
export {
  type PredictiveControlRequest,
  type PredictiveControlResult,
  predictiveControl,
} from './algorithms/control/predictive-control.js';
export { createIdealSampler, type IdealSamplerOptions } from './algorithms/ideal-sampler.js';
export { type InverseRequest, type InverseResult, invert } from './algorithms/invert.js';
export type {
  DampingNode,
  Estimated,
  LogDeterminantRequest,
  LogDeterminantResult,
} from './algorithms/logdet/contract.js';
export { logDeterminant } from './algorithms/logdet/log-determinant.js';
export type { LyapunovRequest, LyapunovResult } from './algorithms/lyapunov/contract.js';
export { solveLyapunov } from './algorithms/lyapunov/solve-lyapunov.js';
export {
  drawPosterior,
  type PosteriorChain,
  type PosteriorChainRequest,
  type PosteriorMoments,
  posteriorMoments,
} from './algorithms/posterior/chain.js';
export { type DrawSummary, summarizeDraws } from './algorithms/posterior/diagnostics.js';
export {
  drawLogistic,
  type LogisticChain,
  type LogisticChainRequest,
} from './algorithms/posterior/draw-logistic.js';
export {
  type GaussianPosterior,
  type GaussianRequest,
  gaussianPosterior,
  type RegressionRequest,
  regressionPosterior,
} from './algorithms/posterior/gaussian.js';
export {
  drawLaplace,
  type LaplaceDrawRequest,
  type LaplaceDraws,
  type LaplacePosterior,
  type LastLayer,
  laplacePosterior,
} from './algorithms/posterior/laplace.js';
export {
  type LogisticPosterior,
  type LogisticRequest,
  logisticPosterior,
} from './algorithms/posterior/logistic.js';
export { prepare } from './algorithms/prepare.js';
export type {
  PreparedMomentsRequest,
  PreparedSamplingRequest,
  PreparedSystem,
  PrepareRequest,
  SettledInverse,
  SettledInverseRequest,
  SettleRequest,
  SettleResult,
} from './algorithms/prepared-system.js';
export type {
  InfeasibilityCertificate,
  QpMethod,
  QpProgress,
  QpRequest,
  QpResult,
  QpStatus,
} from './algorithms/qp/contract.js';
export type { KktResiduals, PrimalDual } from './algorithms/qp/kkt.js';
export { solveQp } from './algorithms/qp/solve-qp.js';
export { type BoardRelaxRequest, relax } from './algorithms/relax.js';
export {
  type DrivenDraws,
  drawSamples,
  type SamplingRequest,
  type SamplingResult,
} from './algorithms/sample.js';
export {
  type MomentsRequest,
  type MomentsResult,
  sampleMoments,
} from './algorithms/sample-moments.js';
export { type BoardSolveRequest, solve } from './algorithms/solve/solve.js';
export { createNoSolver } from './algorithms/truncated.js';
export type { BoardCalibration, BoardName } from './board/calibration.js';
export { type CheckedSystem, checkSystem } from './board/checked-system.js';
export type { SolverCost } from './board/cost.js';
export type { RunAddress } from './board/run-seed.js';
export type { Spectrum } from './board/spectrum.js';
export type { SystemMeasure } from './board/system-measure.js';
export {
  type ConnectOptions,
  connect,
  type DeviceAddress,
  parseDeviceUri,
} from './connect.js';
export type { Samples } from './driver/collect-samples.js';
export { Device, type DeviceCounters, type OpenOptions } from './driver/device.js';
export type {
  AverageOptions,
  Averages,
  BoardDevice,
  CallOptions,
  CommitReport,
  DeviceIdentity,
  DeviceStatus,
  LossPolicy,
  RewriteOptions,
  Run,
  RunOptions,
  RunOutcome,
  RunReport,
  SampleBlock,
  SampleRange,
  SensorReadings,
} from './driver/device-api.js';
export type { Logger } from './driver/logger.js';
export type { DeviceEvent, ReconnectOptions } from './driver/reconnect.js';
export { type StopOnExitOptions, stopBoardsOnExit } from './driver/stop-on-exit.js';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, ThermolinkError } from './errors.js';
export type { DenseSystem, FactoredSystem, LinearSystem } from './linalg/linear-system.js';
export { type Matrix, matrix } from './linalg/matrix.js';
export type { QuadraticProgram } from './linalg/quadratic-program.js';
export { fittingEmulator } from './serve/emulator-transport.js';
