import type { Device } from '../../../driver/device.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { TrainingSummary } from '../../../learning/record.js';
import type { TrainingOutput } from '../../../learning/train-request.js';
import type { OptionSpecs } from '../../options/option.js';
import type { BoardShape } from './board-size.js';

/** A task of `thermolink train`, without the place where it is done. */
export interface TrainTask {
  /** The options of its command. */
  readonly options: OptionSpecs;
  /**
   * The training that these values ask for; options of devices and files are not looked at. It loads the
   * data. Errors: BAD_ARGUMENT; those of `loadDataset`.
   */
  readonly planOf: (values: Readonly<Record<string, unknown>>) => PlannedTraining;
}

/** One training of a task. */
export interface PlannedTraining {
  /** The method, as the command line calls it. */
  readonly label: string;
  /** Everything except the board on which the results depend, as JSON data. */
  readonly meaning: Readonly<Record<string, unknown>>;
  /** The requirements for its board; undefined if it uses no board. */
  readonly shape: BoardShape | undefined;
  /**
   * Trains. `device` is undefined only if the training uses no board. Errors: those of `train` and
   * `trainProblem`.
   */
  readonly train: (device: Device | undefined, how: TrainingUse) => Promise<void>;
  /** The result as a text. */
  readonly text: (summary: TrainingSummary<Figures>) => string;
  /** Draws curves.svg of the files in `directory`. Errors: BAD_FILE. */
  readonly draw: (directory: string, summary: TrainingSummary<Figures>) => void;
}

/** The directory of a training, and its callbacks. */
export interface TrainingUse {
  readonly signal: AbortSignal;
  readonly output: TrainingOutput;
  readonly onStart: (step: number, totalSteps: number) => void;
  readonly onStep: (record: { readonly step: number }, totalSteps: number) => void;
}
