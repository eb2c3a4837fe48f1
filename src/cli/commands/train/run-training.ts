import { createBoardGroupSolver } from '../../../algorithms/board-group.js';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { createExactSolver, createNoSolver } from '../../../algorithms/truncated.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import type { Dataset } from '../../../learning/data/dataset.js';
import { loadDataset } from '../../../learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../learning/network/convolution-classifier.js';
import { createMlp } from '../../../learning/network/mlp.js';
import { createOptimizer, optimizerSettings } from '../../../learning/optimizers/create.js';
import {
  CONTROL,
  loadsDense,
  OPTIMIZER_TRAITS,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../learning/optimizers/registry.js';
import type { StepFacts, StepRecord, TrainingSummary } from '../../../learning/record.js';
import { type CurvatureName, resolveRequest } from '../../../learning/train-request.js';
import { checkTrainRequest, type TrainRequest, train } from '../../../learning/trainer.js';
import { checkTrainingDirectory } from '../../../learning/training-files.js';
import { type DeviceOptions, deviceUri, withDevices } from '../../device.js';
import {
  type BoardShape,
  classifierShape,
  largestFactor,
  refuseTooLargeDense,
  refuseTooLargeForBoard,
  refuseTooLargeLayers,
} from './board-size.js';
import { type DataPlan, datasetSourceOf } from './data-options.js';
import { dataText, dataWarnings } from './data-text.js';
import { usesBoard } from './inert-options.js';
import { outputOf, type StoredPlan } from './output-options.js';
import type { TrainingUse } from './train-task.js';
import { CLASSIFIER_FIGURES, TrainingDisplay } from './training-display.js';

export const TRAINING_DEVICE = 'emulator:ideal-crossbar';
/**
 * The default board with dense couplings, for trainings that invert matrices or average a curvature over
 * batches.
 */
export const DENSE_DEVICE = 'emulator:ideal-1024';
/** Hidden layers of the network that kfac trains. It has more parameters than a board has cells. */
const KFAC_HIDDEN = [128];

/** Hidden layers of the network that is trained on a table. */
const TABLE_HIDDEN = [32];

/**
 * Largest number of ticks of one board run in a training. A training has hundreds of board runs. These ticks
 * take 33 ms on a board with τ = 1 µs and h = τ/32, and minutes in an emulator.
 */
export const TICKS_MAX = 2 ** 20;

/** The training of a classifier, without the place where it is done. */
export interface ClassifierTraining extends DataPlan {
  readonly optimizer: OptimizerName | 'control';
  /** The solver that replaces the board. Default: the board, if the optimizer uses one. */
  readonly digital?: 'no-board' | 'exact' | undefined;
  /**
   * Hidden layers of a perceptron. Default: one layer of 128 for kfac, one layer of 32 for a table, and the
   * convolution classifier otherwise.
   */
  readonly hidden?: readonly number[] | undefined;
  readonly settings: OptimizerOptions;
  readonly epochs: number;
  readonly batch: number;
  readonly trainSize?: number;
  readonly seed: number;
  readonly curvatureExamples?: number;
  readonly curvature?: CurvatureName | undefined;
  /** Whether every board run is repeated with negated drive. */
  readonly chopped?: true | undefined;
  /** How often the couplings are rounded stochastically. The answers are averaged. */
  readonly roundings?: number | undefined;
}

/** The training that a command line asks for. */
export interface TrainingPlan extends ClassifierTraining, DeviceOptions, StoredPlan {
  readonly device?: string;
  /** Several boards that share the layers, in place of `device`. */
  readonly devices?: readonly string[] | undefined;
  readonly quiet: boolean;
}

/**
 * Trains and shows its progress. Options and directory are checked first, then the data are loaded and
 * checked. After that the device is opened, if the optimizer needs a device. At the end the device is closed.
 *
 * Errors: those of `train`, `loadDataset` and `connect`; TOO_LARGE before the directory is touched. An
 * ABORTED after the first step began has `data.stepsTaken`.
 */
export async function runTraining(plan: TrainingPlan, signal: AbortSignal): Promise<TrainingSummary> {
  const { name, options } = optimizerOf(plan);
  optimizerSettings(name, options);
  if (plan.out !== undefined) checkTrainingDirectory(plan.out, plan.existing);
  const display = new TrainingDisplay<StepRecord>({
    label: plan.optimizer,
    silent: plan.quiet,
    figures: CLASSIFIER_FIGURES,
  });
  try {
    display.phase('loading the data');
    const request = { ...requestOf(plan), signal, output: outputOf(plan) };
    checkTrainRequest(request);
    display.describe(`${plan.optimizer}: ${dataText(request.data)}\n${dataWarnings(request.data)}`);
    const shape = shapeOf(plan, request);
    if (shape === undefined) return await trainShown({ ...request, ...madeOn([], plan, request) }, display);
    const uris = plan.devices ?? [deviceUri(plan.device, shape.isDense ? DENSE_DEVICE : TRAINING_DEVICE)];
    display.phase(`connecting to ${uris.join(', ')}`);
    await display.tellWatchers(uris[0]);
    // With several boards, each emulated board gets a thread of its own, so that they compute at the same
    // time.
    const opening = { ...plan, ...(uris.length > 1 ? { ownThread: true } : {}) };
    return await withDevices(uris, opening, signal, (devices) =>
      trainShown({ ...request, ...madeOn(devices, plan, request) }, display),
    );
  } finally {
    await display.finish();
  }
}

type BareRequest = Omit<TrainRequest, 'optimizer'>;

/**
 * Makes the optimizer on these boards, and says which facts about the boards its results depend on. Without
 * boards the optimizer uses no board. Errors: TOO_LARGE, UNSUPPORTED.
 */
function madeOn(devices: readonly Device[], plan: ClassifierTraining, request: BareRequest) {
  const { name, options } = optimizerOf(plan);
  if (devices.length === 0) {
    const solver = plan.digital === 'exact' ? createExactSolver() : createNoSolver();
    return { optimizer: createOptimizer(name, options, solver) };
  }
  for (const { identity } of devices)
    if (OPTIMIZER_TRAITS[name].board === 'invert') refuseTooLargeLayers(request.network.layers, identity);
    else if (loadsDense(name, options)) refuseTooLargeDense(request.network.parameterCount, identity);
    else refuseTooLargeForBoard(resolveRequest(request), identity, options.blocks);
  const { chopped, roundings } = plan;
  const environment = {
    ...environmentOf(devices.map(({ identity }) => identity)),
    ...(chopped ? { chopped } : {}),
    ...(roundings === undefined ? {} : { roundings }),
  };
  const how = { ticksMax: TICKS_MAX, relaxChopped: chopped, relaxRoundings: roundings };
  const solver =
    devices.length > 1 ? createBoardGroupSolver(devices, how) : createAnalogSolver(devices[0], how);
  return { optimizer: createOptimizer(name, options, solver), environment };
}

/** The requirements of the training for a board; undefined if it uses no board. */
function shapeOf(plan: ClassifierTraining, request: BareRequest): BoardShape | undefined {
  const { name, options } = optimizerOf(plan);
  if (!usesBoard(name) || plan.digital !== undefined) return undefined;
  const { network } = request;
  if (OPTIMIZER_TRAITS[name].board === 'invert')
    return { cells: largestFactor(network.layers), isDense: true };
  if (loadsDense(name, options)) return { cells: network.parameterCount, isDense: true };
  const { parameterCount, curvatureRows } = classifierShape(resolveRequest(request), options.blocks);
  return { cells: parameterCount, rows: curvatureRows, isDense: false };
}

/**
 * A classifier whose data are loaded and whose request is checked. Errors: BAD_ARGUMENT; those of
 * `loadDataset`.
 */
export function plannedClassifier(plan: ClassifierTraining) {
  const { name, options } = optimizerOf(plan);
  const settings = optimizerSettings(name, options);
  const request = requestOf(plan);
  checkTrainRequest(request);
  const { network, data, ...sizes } = request;
  const meaning = { model: network.settings, data: data.digest, optimizer: { name, ...settings }, ...sizes };
  return {
    meaning: JSON.parse(JSON.stringify(meaning)) as Readonly<Record<string, unknown>>,
    shape: shapeOf(plan, request),
    train: async (device: Device | undefined, how: TrainingUse): Promise<void> => {
      const made = madeOn(device === undefined ? [] : [device], plan, request);
      await train({ ...request, ...made, ...how });
    },
  };
}

/** The properties of its boards that the results of a training depend on. */
export function environmentOf(
  identities: readonly Pick<DeviceIdentity, 'model' | 'serialNumber' | 'firmwareVersion'>[],
) {
  const boards = identities.map(({ model, serialNumber, firmwareVersion }) => ({
    model,
    serialNumber,
    firmwareVersion,
  }));
  return boards.length === 1 ? { board: boards[0] } : { boards };
}

/** The optimizer behind a name of the command line. */
export function optimizerOf({ optimizer, settings }: Pick<ClassifierTraining, 'optimizer' | 'settings'>): {
  readonly name: OptimizerName;
  readonly options: OptimizerOptions;
} {
  if (optimizer !== 'control') return { name: optimizer, options: settings };
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return { name: 'sgd', options: { ...CONTROL, ...given } };
}

function requestOf(plan: ClassifierTraining): BareRequest {
  const data = loadDataset(datasetSourceOf(plan));
  const { rows, columns, classes } = data;
  const hidden = plan.hidden ?? hiddenByDefault(plan, data);
  return {
    network:
      hidden === undefined
        ? createConvolutionClassifier({ rows, columns, classes })
        : createMlp({ inputCount: rows * columns, hidden, classes }),
    data,
    epochs: plan.epochs,
    batch: plan.batch,
    seed: plan.seed,
    trainSize: plan.trainSize,
    curvatureExamples: plan.curvatureExamples,
    ...(plan.curvature === undefined ? {} : { curvature: plan.curvature }),
  };
}

/** The hidden layers if none are given. Undefined means the convolution classifier. */
function hiddenByDefault({ optimizer }: ClassifierTraining, data: Dataset): readonly number[] | undefined {
  if (optimizer === 'kfac') return KFAC_HIDDEN;
  return data.encoding === undefined ? undefined : TABLE_HIDDEN;
}

/** Errors that do not come from the training itself. The training can be resumed after them. */
export const ENDED_FROM_OUTSIDE: ReadonlySet<string> = new Set([
  'ABORTED',
  'LINK_LOST',
  'SESSION_LOST',
  'OUTCOME_UNKNOWN',
  'TIMEOUT',
  'SAMPLES_LOST',
  'RUN_ENDED',
  'DEVICE_FAULT',
]);

async function trainShown(
  request: TrainRequest,
  display: TrainingDisplay<StepRecord>,
): Promise<TrainingSummary> {
  const { summary } = await shown(display, (callbacks) => train({ ...request, ...callbacks }));
  return summary;
}

/** Callbacks of a training in progress. */
interface ShownCallbacks<Record extends StepFacts> {
  readonly onMended: (sentence: string) => void;
  readonly onStart: (step: number, totalSteps: number) => void;
  readonly onStep: (record: Record, totalSteps: number) => void;
}

/**
 * Trains and shows the progress in a display. An error after which the training can be resumed gets
 * `data.stepsTaken`, once a step has begun.
 */
export async function shown<Result, Record extends StepFacts>(
  display: TrainingDisplay<Record>,
  work: (callbacks: ShownCallbacks<Record>) => Promise<Result>,
): Promise<Result> {
  let stepsTaken: number | undefined;
  try {
    return await work({
      onMended: (sentence) => display.note(sentence),
      onStart: (step, totalSteps) => {
        stepsTaken = step;
        display.start(step, totalSteps);
      },
      onStep: (record, totalSteps) => {
        stepsTaken = record.step + 1;
        display.update(record, totalSteps);
      },
    });
  } catch (error) {
    if (
      !(error instanceof ThermolinkError) ||
      stepsTaken === undefined ||
      !ENDED_FROM_OUTSIDE.has(error.code)
    )
      throw error;
    throw new ThermolinkError(error.code, error.message, {
      cause: error.cause,
      retryable: error.retryable,
      hint: error.hint,
      data: { ...error.data, stepsTaken },
    });
  }
}
