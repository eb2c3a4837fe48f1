import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { TruncatedSolver } from '../../../algorithms/contract.js';
import type { Device } from '../../../driver/device.js';
import { createOptimizer, optimizerSettings } from '../../../learning/optimizers/create.js';
import {
  loadsDense,
  OPTIMIZER_TRAITS,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../learning/optimizers/registry.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { type TrainProblemRequest, trainProblem } from '../../../learning/train-problem.js';
import { checkTrainingDirectory } from '../../../learning/training-files.js';
import { type DeviceOptions, deviceUri, withDevice } from '../../device.js';
import {
  type BoardShape,
  largestFactor,
  refuseTooLargeDense,
  refuseTooLargeLayers,
  refuseTooLargeShape,
} from './board-size.js';
import { outputOf, type StoredPlan } from './output-options.js';
import { DENSE_DEVICE, environmentOf, shown, TICKS_MAX, TRAINING_DEVICE } from './run-training.js';
import { type ShownFigure, TrainingDisplay } from './training-display.js';

/** An optimizer as a command line asks for it. */
export interface Method {
  readonly label: string;
  readonly name: OptimizerName;
  readonly options: OptimizerOptions;
  /** Whether the optimizer uses a board. The controls of such an optimizer do not use one. */
  readonly usesBoard: boolean;
  /** The solver that replaces the board in the controls of the optimizer. */
  readonly digitalSolver?: TruncatedSolver | undefined;
  /** Whether the board runs everything a second time with its drive negated. */
  readonly chopped?: true | undefined;
}

/** How a problem is shown. */
export interface ProblemView<Measures extends Figures, P> {
  /** The problem on one line. */
  readonly describe: (problem: P) => string;
  /** Advice how to get fewer rows of the curvature, for a board with too few rows. Default: none. */
  readonly fewerRows?: (rowsMax: number) => string;
  readonly figures: readonly ShownFigure<StepRecord<Measures>>[];
}

/** One training of a problem, wherever it is done. */
export interface ProblemTraining<Measures extends Figures, P> {
  readonly problem: P;
  readonly view: ProblemView<Measures, P>;
  readonly method: Method;
  readonly steps: number;
  readonly seed: number;
  readonly testEvery?: number | undefined;
}

/** One training of a problem as a command line asks for it. */
export interface ProblemPlan<Measures extends Figures, P>
  extends ProblemTraining<Measures, P>,
    StoredPlan,
    DeviceOptions {
  readonly device?: string | undefined;
  readonly quiet: boolean;
}

/** Approximate number of times that the parameters are tested in a training. */
const TESTS = 20;

/**
 * Trains a problem and shows its progress. Checks the output directory before it opens a device. Checks that
 * the board is large enough before it overwrites anything.
 *
 * Errors: those of `trainProblem` and `connect`; TOO_LARGE. An ABORTED after the first step began has
 * `data.stepsTaken`.
 */
export async function runProblem<Measures extends Figures, P extends Problem<Measures, Figures>>(
  plan: ProblemPlan<Measures, P>,
  signal: AbortSignal,
): Promise<TrainingSummary<Figures>> {
  const { problem, view, method, out, existing, quiet } = plan;
  if (out !== undefined) checkTrainingDirectory(out, existing);
  const display = new TrainingDisplay<StepRecord<Measures>>({
    label: method.label,
    silent: quiet,
    figures: view.figures,
  });
  try {
    display.describe(`${method.label}: ${view.describe(problem)}\n`);
    const train = (device?: Device) =>
      shown(display, (callbacks) =>
        trainProblemOn(plan, device, { signal, output: outputOf(plan), ...callbacks }),
      );
    const shape = problemShape(plan);
    if (shape === undefined) return await train();
    const uri = deviceUri(plan.device, shape.isDense ? DENSE_DEVICE : TRAINING_DEVICE);
    display.phase(`connecting to ${uri}`);
    await display.tellWatchers(uri);
    return await withDevice(uri, plan, signal, train);
  } finally {
    await display.finish();
  }
}

/**
 * Trains a problem on a connected board, which is left out if the method uses no board. Errors: those of
 * `trainProblem`; TOO_LARGE and UNSUPPORTED before anything is overwritten.
 */
export async function trainProblemOn<Measures extends Figures, P extends Problem<Measures, Figures>>(
  training: ProblemTraining<Measures, P>,
  device: Device | undefined,
  how: Pick<TrainProblemRequest<Measures, Figures>, 'signal' | 'output' | 'onStart' | 'onStep' | 'onMended'>,
): Promise<TrainingSummary<Figures>> {
  const { problem, method, steps, seed, testEvery } = training;
  const { name, options, digitalSolver } = method;
  const made =
    device === undefined
      ? { optimizer: createOptimizer(name, options, digitalSolver) }
      : madeOnBoard(training, device);
  const { summary } = await trainProblem<Measures, Figures>({
    ...{ problem, ...made, steps, seed },
    testEvery: testEvery ?? Math.max(1, Math.floor(steps / TESTS)),
    ...how,
  });
  return summary;
}

/**
 * The optimizer on a board, and the properties of the board that its results depend on. Errors: TOO_LARGE,
 * UNSUPPORTED.
 */
function madeOnBoard<Measures extends Figures, P extends Problem<Measures, Figures>>(
  { problem, view, method: { name, options, chopped } }: ProblemTraining<Measures, P>,
  device: Device,
) {
  const { identity } = device;
  const hint = view.fewerRows?.(identity.rows);
  if (OPTIMIZER_TRAITS[name].board === 'invert')
    refuseTooLargeLayers(problem.weights?.layers ?? [], identity);
  else if (loadsDense(name, options)) refuseTooLargeDense(problem.parameterCount, identity);
  else refuseTooLargeShape(problem, identity, hint === undefined ? hint : { hint, fits: true, data: {} });
  const solver = createAnalogSolver(device, { ticksMax: TICKS_MAX, relaxChopped: chopped });
  return {
    optimizer: createOptimizer(name, options, solver),
    environment: { ...environmentOf([identity]), ...(chopped ? { chopped } : {}) },
  };
}

/** What a board must have for the training; undefined if the method uses no board. */
export function problemShape<Measures extends Figures, P extends Problem<Measures, Figures>>({
  problem,
  method: { name, options, usesBoard },
}: Pick<ProblemTraining<Measures, P>, 'problem' | 'method'>): BoardShape | undefined {
  if (!usesBoard) return undefined;
  const { parameterCount, curvatureRows, weights } = problem;
  if (OPTIMIZER_TRAITS[name].board === 'invert')
    return { cells: largestFactor(weights?.layers ?? []), isDense: true };
  if (loadsDense(name, options)) return { cells: parameterCount, isDense: true };
  return { cells: parameterCount, rows: curvatureRows, isDense: false };
}

/**
 * Everything that determines the result of a training, except its board, as JSON data. Errors: BAD_ARGUMENT
 * for its optimizer.
 */
export function problemMeaning<Measures extends Figures, P extends Problem<Measures, Figures>>({
  problem,
  method: { name, options },
  steps,
  seed,
}: ProblemTraining<Measures, P>): Readonly<Record<string, unknown>> {
  const optimizer = { name, ...optimizerSettings(name, options) };
  return JSON.parse(JSON.stringify({ problem: problem.settings, optimizer, steps, seed }));
}
