import { ThermolinkError } from '../../errors.js';

/** Turns the text after `option` into its value. Throws BAD_ARGUMENT, which names option, text and range. */
export interface ValueParser<T> {
  (text: string, option: string): T;
  /** The words that it takes, if it takes only these words. Shells complete them. */
  readonly words?: readonly string[];
}

/** The largest u32. */
const U32_MAX = 2 ** 32 - 1;

const TOLERANCE_HINT =
  'It bounds the error relative to the solution (the answer 0 has the relative error 1). Choose for example 1e-2, or 1e-4 for four digits.';

const WHOLE_NUMBER = /^[+-]?\d+$/;
const DECIMAL_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A whole number from 1 to `max`, in digits. Only the library knows some bounds: then leave `max` out. */
export function positiveInteger(max?: number): ValueParser<number> {
  return integer({ min: 1, max });
}

/** A whole number from `min` to `max`, in digits. */
export function wholeNumber(min: number, max: number): ValueParser<number> {
  return integer({ min, max });
}

/** A u32: a whole number from 0 to 2³² − 1. */
export const u32: ValueParser<number> = integer({ min: 0, max: U32_MAX });

/** Whole numbers of at least 1 between commas: `48` or `12,12`. */
export const wholeNumbers: ValueParser<readonly number[]> = (text, option) =>
  text.split(',').map((part) => positiveInteger()(part.trim(), option));

/** A finite number above 0, decimal. */
export const positiveNumber: ValueParser<number> = decimal({
  range: 'a number above 0, such as 0.1 or 1e-3',
  isInside: (value) => value > 0,
});

/** A number above 0 and up to `max`, decimal. */
export function decimalUpTo(max: number): ValueParser<number> {
  return decimal({
    range: `a number above 0 and up to ${max.toLocaleString('en-US')}`,
    isInside: (value) => value > 0 && value <= max,
  });
}

/** A number from `min` to `max`, decimal. */
export function decimalFrom(min: number, max: number): ValueParser<number> {
  return decimal({
    range: `a number from ${min} to ${max}`,
    isInside: (value) => value >= min && value <= max,
  });
}

/** A finite number from 0 on, decimal. */
export const nonNegativeNumber: ValueParser<number> = decimal({
  range: '0 or a number above it, such as 0.1 or 1e-3',
  isInside: (value) => value >= 0,
});

/** A number from 0 on and below 1, decimal. */
export const fractionBelowOne: ValueParser<number> = decimal({
  range: 'a number from 0 and below 1',
  isInside: (value) => value >= 0 && value < 1,
});

/** A bound on a relative error: above 0 and below 1. The answer 0 has a relative error of 1. */
export const tolerance: ValueParser<number> = decimal({
  range: 'a number above 0 and below 1',
  isInside: (value) => value > 0 && value < 1,
  hint: TOLERANCE_HINT,
});

/** A condition number of a matrix. */
export const condition: ValueParser<number> = decimal({
  range: 'a condition from 1 to 1e12',
  isInside: (value) => value >= 1 && value <= 1e12,
});

const LIST_MAX = 64;

/** Values separated by commas. */
export function listOf<T>(value: ValueParser<T>): ValueParser<readonly T[]> {
  return (text, option) => {
    const parts = text.split(',');
    if (parts.length > LIST_MAX) throw badOption(option, text, `at most ${LIST_MAX} values`);
    return parts.map((part) => value(part.trim(), option));
  };
}

/** One of the given words, written exactly so. */
export function choice<const T extends string>(choices: readonly T[]): ValueParser<T> {
  const parse = (text: string, option: string): T => {
    const found = choices.find((word) => word === text);
    if (found === undefined) throw badOption(option, text, `one of ${choices.join(', ')}`);
    return found;
  };
  return Object.assign(parse, { words: choices });
}

function integer({
  min,
  max,
}: {
  readonly min: number;
  readonly max?: number | undefined;
}): ValueParser<number> {
  const range =
    max === undefined
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max.toLocaleString('en-US')}`;
  return (text, option) => {
    const value = Number(text);
    const isWhole = WHOLE_NUMBER.test(text);
    // Adding 0 turns -0 into 0.
    if (isWhole && value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER)) return value + 0;
    const isTooLarge = isWhole && value >= min && max === undefined;
    throw badOption(option, text, isTooLarge ? 'a smaller whole number' : range);
  };
}

interface DecimalRange {
  /** The range in words that follow the word "takes". */
  readonly range: string;
  readonly isInside: (value: number) => boolean;
  readonly hint?: string;
}

function decimal({ range, isInside, hint }: DecimalRange): ValueParser<number> {
  return (text, option) => {
    const value = Number(text);
    // This also refuses 1e-999 and 1e999, which only rounding would bring into the range.
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
    { hint, data: { option, given: shown, range } },
  );
}
