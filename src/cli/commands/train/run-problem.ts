import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { TruncatedSolver } from '../../../algorithms/contract.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
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
import { refuseTooLargeDense, refuseTooLargeLayers, refuseTooLargeShape } from './board-size.js';
import { outputOf, type StoredPlan } from './output-options.js';
import { DENSE_DEVICE, environmentOf, shown, TICKS_MAX, TRAINING_DEVICE } from './run-training.js';
import { type ShownFigure, TrainingDisplay } from './training-display.js';

/** An optimizer as a command line asks for it. */
export interface Method {
  readonly label: string;
  readonly name: OptimizerName;
  readonly options: OptimizerOptions;
  /** Whether a board answers; its controls do not use one. */
  readonly usesBoard: boolean;
  /** The solver that replaces the board in its controls. */
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

/** One training of a problem as a command line asks for it. */
export interface ProblemPlan<Measures extends Figures, P> extends StoredPlan, DeviceOptions {
  readonly problem: P;
  readonly view: ProblemView<Measures, P>;
  readonly method: Method;
  readonly steps: number;
  readonly seed: number;
  readonly testEvery?: number | undefined;
  readonly device?: string | undefined;
  readonly quiet: boolean;
}

/** Approximate number of times that the parameters are tested in a training. */
const TESTS = 20;

/**
 * Trains a problem and shows its progress. The directory is checked before a device is opened, and the size
 * before anything is overwritten.
 *
 * Errors: those of `trainProblem` and `connect`; TOO_LARGE. An ABORTED after the first step began has
 * `data.stepsTaken`.
 */
export async function runProblem<Measures extends Figures, P extends Problem<Measures, Figures>>(
  plan: ProblemPlan<Measures, P>,
  signal: AbortSignal,
): Promise<TrainingSummary<Figures>> {
  const { problem, view, method, steps, seed, testEvery, out, existing, quiet } = plan;
  if (out !== undefined) checkTrainingDirectory(out, existing);
  const display = new TrainingDisplay<StepRecord<Measures>>({
    label: method.label,
    silent: quiet,
    figures: view.figures,
  });
  try {
    display.describe(`${method.label}: ${view.describe(problem)}\n`);
    const train = (made: Pick<TrainProblemRequest, 'optimizer' | 'environment'>) =>
      shown(display, (callbacks) =>
        trainProblem<Measures, Figures>({
          problem,
          ...made,
          steps,
          seed,
          testEvery: testEvery ?? Math.max(1, Math.floor(steps / TESTS)),
          signal,
          output: outputOf(plan),
          ...callbacks,
        }),
      );
    const { name, options, chopped } = method;
    if (!method.usesBoard)
      return (await train({ optimizer: createOptimizer(name, options, method.digitalSolver) })).summary;
    const inverts = OPTIMIZER_TRAITS[name].board === 'invert';
    const isDense = loadsDense(name, options);
    const uri = deviceUri(plan.device, inverts || isDense ? DENSE_DEVICE : TRAINING_DEVICE);
    display.phase(`connecting to ${uri}`);
    await display.tellWatchers(uri);
    return await withDevice(uri, plan, signal, async (device) => {
      const { identity } = device;
      const hint = view.fewerRows?.(identity.rows);
      if (inverts) refuseTooLargeLayers(problem.weights?.layers ?? [], identity);
      else if (isDense) refuseTooLargeDense(problem.parameterCount, identity);
      else refuseTooLargeShape(problem, identity, hint === undefined ? hint : { hint, fits: true, data: {} });
      const optimizer = createOptimizer(
        name,
        options,
        createAnalogSolver(device, { ticksMax: TICKS_MAX, relaxChopped: chopped }),
      );
      const environment = { ...environmentOf([identity]), ...(chopped ? { chopped } : {}) };
      return (await train({ optimizer, environment })).summary;
    });
  } finally {
    await display.finish();
  }
}
