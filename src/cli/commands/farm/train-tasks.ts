import { BOARD_OPTION_NAMES } from '../../options/groups.js';
import { longFlag, type OptionSpec, type OptionSpecs } from '../../options/option.js';
import { task as autoencoder } from '../train/autoencoder.js';
import { task as burgers } from '../train/burgers.js';
import { task as heat } from '../train/heat.js';
import { task as heisenberg } from '../train/heisenberg.js';
import { task as ising } from '../train/ising.js';
import { task as mnist } from '../train/mnist.js';
import { task as poisson } from '../train/poisson.js';
import type { TrainTask } from '../train/train-task.js';

/** The tasks that a farm trains. */
export const TRAIN_TASKS = { mnist, autoencoder, ising, heisenberg, poisson, heat, burgers } satisfies Record<
  string,
  TrainTask
>;
export type TrainTaskName = keyof typeof TRAIN_TASKS;
export const TRAIN_TASK_NAMES = Object.keys(TRAIN_TASKS) as TrainTaskName[];

/** Options of `thermolink train` that say nothing of the training itself: its place and its files. */
const OF_THE_PLACE: ReadonlySet<string> = new Set([
  ...BOARD_OPTION_NAMES,
  ...['devices', 'retry', 'out', 'resume', 'overwrite', 'tensorboard', 'json'],
]);

/** The options that say what is trained, and how. */
export function trainingOptions(task: TrainTask): OptionSpecs {
  return Object.fromEntries(Object.entries(task.options).filter(([field]) => !OF_THE_PLACE.has(field)));
}

/** The options of the local place that a command of the farm does not have. */
export function refusedOptions(task: TrainTask, own: OptionSpecs): readonly OptionSpec<unknown>[] {
  const refused = Object.entries(task.options).filter(
    ([field]) => OF_THE_PLACE.has(field) && !Object.hasOwn(own, field),
  );
  return refused.map(([, spec]) => spec);
}

/** Options as texts, under their field names. */
export type OptionTexts = Readonly<Record<string, string>>;

/** The text of a switch that was given. */
const GIVEN = 'true';

/** The texts of options that have these values. Equal values have equal texts. */
export function textsOf(specs: OptionSpecs, values: Readonly<Record<string, unknown>>): OptionTexts {
  const given = Object.keys(specs).filter((field) => values[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, String(values[field])]));
}

/**
 * The values of these texts, as a command line would read them; undefined if one of them is not an option.
 *
 * Errors: BAD_ARGUMENT for a text that its option does not take.
 */
export function valuesOfTexts(
  specs: OptionSpecs,
  texts: OptionTexts,
): Readonly<Record<string, unknown>> | undefined {
  if (!Object.keys(texts).every((field) => Object.hasOwn(specs, field))) return undefined;
  const values: Record<string, unknown> = {};
  for (const [field, spec] of Object.entries(specs)) {
    const text = Object.hasOwn(texts, field) ? texts[field] : undefined;
    if (text === undefined) values[field] = spec.default;
    else if (spec.value !== undefined) values[field] = spec.value(text, longFlag(spec));
    else if (spec.flags.includes('<')) values[field] = text;
    else if (text === GIVEN) values[field] = true;
    else return undefined;
  }
  return values;
}
