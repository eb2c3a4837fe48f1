import { ThermolinkError } from '../../../errors.js';
import {
  hasOption,
  OPTIMIZER_NAMES,
  OPTIMIZER_TRAITS,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../learning/optimizers/registry.js';
import { BOARD_OPTION_NAMES } from '../../options/groups.js';

/**
 * The options that a command line gave, under the library's names. An option that was left out is undefined.
 */
export interface GivenOptions extends OptimizerOptions {
  readonly device?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly logFile?: string | undefined;
  readonly record?: string | undefined;
  readonly recordSamples?: boolean | undefined;
  readonly recordCells?: readonly number[] | undefined;
  readonly curvatureExamples?: number | undefined;
  readonly curvature?: string | undefined;
  readonly chopped?: true | undefined;
  readonly roundings?: number | undefined;
  /** False when `--no-retry` was given. */
  readonly retry?: boolean | undefined;
}

/** Options of the device, which only an optimizer with a board has. */
const BOARD_OPTIONS: ReadonlySet<string> = new Set([...BOARD_OPTION_NAMES, 'retry']);

/**
 * The optimizers of a classifier. Those that need the same loss in every step are left out, because every
 * step sees other examples.
 */
export const CLASSIFIER_OPTIMIZERS: readonly OptimizerName[] = OPTIMIZER_NAMES.filter(
  (name) => OPTIMIZER_TRAITS[name].needsTrial !== 'same',
);

/** Whether the optimizer uses a board. */
export function usesBoard(name: OptimizerName): boolean {
  return OPTIMIZER_TRAITS[name].board !== undefined;
}

/**
 * Refuses options without effect, so that nobody takes a result for their effect. These are options that the
 * optimizer does not use and, at `--time 0`, those of the relaxation, since x(0) = x₀. `chosenBy` is the
 * option that chose the optimizer, such as `--preset control`; `isDigital` says that a digital solver
 * replaces the board.
 *
 * Errors: BAD_ARGUMENT that names the option and who uses it.
 */
export function refuseInertOptions(
  name: OptimizerName,
  chosenBy: string,
  given: GivenOptions,
  isDigital = false,
): void {
  const options = Object.entries(given).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  const inert = options.find(
    (option) => !has(name, option) || (isDigital && (BOARD_OPTIONS.has(option) || option === 'chopped')),
  );
  if (inert !== undefined)
    throw usage(
      `\`${inert}\` does nothing with ${chosenBy}.`,
      `It is an option of ${list(CLASSIFIER_OPTIMIZERS.filter((other) => has(other, inert)))}.`,
    );
  if (given.asynchronous === true && !((given.delay ?? 0) > 0))
    throw usage(
      '--asynchronous does nothing without a delay, because it uses the time of the delay.',
      'Give a --delay above 0.',
    );
  if (given.time === 0) refuseInertAtTimeZero(given);
}

function refuseInertAtTimeZero(given: GivenOptions): void {
  const { initial = 'keep', delay = 0 } = given;
  // With a delay the board does work: it relaxes the kept state under the old problem.
  if (initial === 'keep' && delay > 0) return;
  if (initial !== 'gradient')
    throw usage(
      `With --time 0 and --x0 ${initial} the board stays at zero, and no step changes any parameter.`,
      'Choose a --time above 0, or --x0 gradient for plain gradient descent.',
    );
  const inert = (['damping', 'curvatureExamples'] as const).find((option) => given[option] !== undefined);
  if (inert !== undefined)
    throw usage(
      `\`${inert}\` does nothing with --time 0 and --x0 gradient, which is plain gradient descent.`,
      'Leave it out, or choose a --time above 0.',
    );
}

function has(name: OptimizerName, option: string): boolean {
  if (BOARD_OPTIONS.has(option)) return usesBoard(name);
  const { board, curvature } = OPTIMIZER_TRAITS[name];
  if (option === 'curvatureExamples' || option === 'curvature') return curvature === 'factor';
  if (option === 'chopped') return board === 'relax' || board === 'truncated';
  if (option === 'roundings') return board === 'relax';
  return hasOption(name, option, false) || (name === 'tngd' && hasOption(name, option, true));
}

/** `tngd, tngd-adam and ngd`. */
function list(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

function usage(message: string, hint: string): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', message, { hint });
}
