import { badArgument, checkObject, checkWhole } from '../argument-checks.js';

/** Labels are bytes. */
const CLASSES_MAX = 256;

/** Refuses settings that are no object: BAD_ARGUMENT with an example. */
export function checkSettings(settings: unknown, example: string): void {
  checkObject('The settings of a model', settings, example);
}

/** Refuses a width of a layer, or the like, that is no whole number ≥ 1: BAD_ARGUMENT. */
export function checkWidth(name: string, width: unknown): void {
  checkWhole(name, width, 1);
}

/** Refuses hidden layers other than a list of whole numbers ≥ 1: BAD_ARGUMENT. */
export function checkHidden(hidden: unknown): void {
  if (!Array.isArray(hidden))
    throw badArgument(
      'hidden',
      hidden,
      'a list of layer widths',
      'For example [32, 16], or [] for no hidden layer.',
    );
  for (const [layer, width] of hidden.entries()) checkWidth(`hidden[${layer}]`, width);
}

/** Refuses a number of classes other than 2 to 256: BAD_ARGUMENT. */
export function checkClasses(classes: unknown): void {
  checkWhole('classes', classes, 2, CLASSES_MAX);
}
