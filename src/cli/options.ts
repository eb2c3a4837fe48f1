import { ThermolinkError } from '../errors.js';

/** Turns the text after an option into its value, or throws `BAD_ARGUMENT` that names option, text and range. */
export type OptionParser<T> = (text: string) => T;

/** Largest seed. */
const U32_MAX = 2 ** 32 - 1;

const TOLERANCE_HINT =
  'It bounds the error relative to the solution, which is 1 for the answer 0: choose for example 1e-2, or 1e-4 for four digits.';

const WHOLE_NUMBER = /^[+-]?\d+$/;
const DECIMAL_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A whole number from 1 to `max`, in digits. Without `max` whoever takes the number knows its bound and tells it. */
export function positiveInteger(option: string, max?: number): OptionParser<number> {
  return integer(option, 1, max);
}

/** A whole number from 0 to 2³² − 1. */
export function seed(option: string): OptionParser<number> {
  return integer(option, 0, U32_MAX);
}

/** A finite number above 0, decimal. */
export function positiveNumber(option: string): OptionParser<number> {
  return decimal(option, 'a number above 0, such as 0.1 or 1e-3', (value) => value > 0);
}

/** A finite number from 0 on, decimal. */
export function nonNegativeNumber(option: string): OptionParser<number> {
  return decimal(option, '0 or a number above it, such as 0.1 or 1e-3', (value) => value >= 0);
}

export interface FractionEnds {
  /** Whether 0 is allowed. Default true. */
  readonly zero?: boolean;
  /** Whether 1 is allowed. Default true. */
  readonly one?: boolean;
}

/** A number from 0 to 1, with or without the ends. */
export function fraction(
  option: string,
  { zero = true, one = true }: FractionEnds = {},
): OptionParser<number> {
  const range = `a number ${zero ? 'from 0' : 'above 0'} ${one ? 'to 1' : 'and below 1'}`;
  return decimal(option, range, (value) => (zero ? value >= 0 : value > 0) && (one ? value <= 1 : value < 1));
}

/** A bound on a relative error: above 0 and below 1, where 0 would be as good an answer. */
export function tolerance(option: string): OptionParser<number> {
  const range = 'a number above 0 and below 1';
  return decimal(option, range, (value) => value > 0 && value < 1, TOLERANCE_HINT);
}

/** One of the given words, written exactly so. */
export function choice<const T extends string>(option: string, choices: readonly T[]): OptionParser<T> {
  return (text) => {
    const found = choices.find((word) => word === text);
    if (found === undefined) throw badOption(option, text, `one of ${choices.join(', ')}`);
    return found;
  };
}

function integer(option: string, min: number, max?: number): OptionParser<number> {
  const range =
    max === undefined
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max.toLocaleString('en-US')}`;
  return (text) => {
    const value = Number(text);
    const isWhole = WHOLE_NUMBER.test(text);
    // + 0 makes the zero of "-0" an ordinary one.
    if (isWhole && value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER)) return value + 0;
    const isTooLarge = isWhole && value >= min && max === undefined;
    throw badOption(option, text, isTooLarge ? 'a smaller whole number' : range);
  };
}

function decimal(
  option: string,
  range: string,
  isInside: (value: number) => boolean,
  hint?: string,
): OptionParser<number> {
  return (text) => {
    const value = Number(text);
    // A number that only rounding brings into the range (1e-999, 1e999) is refused too.
    const isRepresented = Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(text.replace(/e.*/i, '')));
    if (DECIMAL_NUMBER.test(text) && isRepresented && isInside(value)) return value + 0;
    throw badOption(option, text, range, hint);
  };
}

function badOption(option: string, text: string, range: string, hint?: string): ThermolinkError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return new ThermolinkError(
    'BAD_ARGUMENT',
    `${option} takes ${range}, but was given ${text === '' ? 'nothing' : JSON.stringify(shown)}.`,
    { ...(hint === undefined ? {} : { hint }), data: { option, given: shown, range } },
  );
}
