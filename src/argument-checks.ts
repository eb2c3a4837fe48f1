/** Checks of what a program passes to the exported functions: JavaScript has no compiler to do it. */

import { U16_MAX, U32_MAX } from '../firmware-protocol/limits.js';
import { ThermolinkError } from './errors.js';

/** Characters of a text that an error repeats. */
const SHOWN_MAX = 40;

/** BAD_ARGUMENT: "`name` is `value`; it must be `wanted`." */
export function badArgument(name: string, value: unknown, wanted: string, hint?: string): ThermolinkError {
  const what = value === undefined ? 'is missing' : `is ${shown(value)}`;
  return new ThermolinkError('BAD_ARGUMENT', `${name} ${what}; it must be ${wanted}.`, {
    ...(hint === undefined ? {} : { hint }),
    data: { argument: name, given: shown(value) },
  });
}

/** Refuses what is not a whole number from `min` to `max`: BAD_ARGUMENT. A number in a string is a string. */
export function checkWhole(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw badArgument(name, value, `a whole number ${range}`);
}

/** Refuses a seed that is not a whole number from 0 to 2³² − 1: BAD_ARGUMENT. */
export function checkSeed(name: string, value: unknown): void {
  checkWhole(name, value, 0, U32_MAX);
}

/** Refuses what is not a finite number ≥ `min`: BAD_ARGUMENT. */
export function checkNumber(name: string, value: unknown, min: number): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min) return;
  throw badArgument(name, value, `a finite number of at least ${min}`);
}

/** Refuses what is not an object with fields (null, an array, a number …): BAD_ARGUMENT. `example` shows how it looks. */
export function checkObject(name: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw badArgument(name, value, 'an object', `For example ${example}.`);
}

/** Refuses what is neither left out nor a function: BAD_ARGUMENT. */
export function checkOptionalFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw badArgument(name, value, 'a function');
}

/** Refuses what is neither left out nor true or false: BAD_ARGUMENT. */
export function checkOptionalFlag(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw badArgument(name, value, 'true or false');
}

/** Refuses what is not a typed array of that kind: BAD_ARGUMENT that says how to make one. */
export function checkArray(
  name: string,
  value: unknown,
  kind: 'Float64Array' | 'Float32Array' | 'Int16Array' | 'Int8Array' | 'Uint8Array',
): void {
  // Not instanceof: test runners give each file globals of its own.
  if (Object.prototype.toString.call(value) === `[object ${kind}]`) return;
  throw badArgument(
    name,
    value,
    `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`,
    `Make one of numbers by ${kind}.from(numbers).`,
  );
}

/** Refuses a signal that is neither left out nor an AbortSignal: BAD_ARGUMENT. */
export function checkSignal(value: unknown): void {
  if (value === undefined || Object.prototype.toString.call(value) === '[object AbortSignal]') return;
  throw badArgument('signal', value, 'an AbortSignal', 'Pass `controller.signal`, not the controller.');
}

/** Refuses a run address other than u32 seed, u32 step, u16 block: BAD_ARGUMENT. */
export function checkAddress(address: unknown): void {
  checkObject('address', address, '{ seed: 1, step: 0, block: 0 }');
  const { seed, step, block } = address as Record<string, unknown>;
  checkSeed('address.seed', seed);
  checkSeed('address.step', step);
  checkWhole('address.block', block, 0, U16_MAX);
}

/** A value as an error shows it: short, and such that 3 and "3" look different. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value;
    return `the text ${JSON.stringify(text)}`;
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return `an object of type ${value.constructor?.name ?? 'Object'}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}
