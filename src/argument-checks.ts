/**
 * Checks of the arguments that a program passes to the exported functions. A JavaScript caller has no
 * compiler that checks types.
 */

import { U16_MAX, U32_MAX } from '../firmware-protocol/limits.js';
import { ThermolinkError } from './errors.js';

/** The largest number of characters of a text that an error message repeats. */
const SHOWN_MAX = 40;

/** Makes the error BAD_ARGUMENT: "`name` is `value`; it must be `wanted`." */
export function badArgument(name: string, value: unknown, wanted: string, hint?: string): ThermolinkError {
  const what = value === undefined ? 'is missing' : `is ${shown(value)}`;
  return new ThermolinkError('BAD_ARGUMENT', `${name} ${what}; it must be ${wanted}.`, {
    hint,
    data: { argument: name, given: shown(value) },
  });
}

/** Throws BAD_ARGUMENT unless `value` is a whole number from `min` to `max`. It refuses a text of digits. */
export function checkWhole(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw badArgument(name, value, `a whole number ${range}`);
}

/** Throws BAD_ARGUMENT unless `value` is a whole number from 0 to 2³² − 1. */
export function checkSeed(name: string, value: unknown): void {
  checkWhole(name, value, 0, U32_MAX);
}

/** Throws BAD_ARGUMENT unless `value` is a finite number of at least `min`. */
export function checkNumber(name: string, value: unknown, min: number): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min) return;
  throw badArgument(name, value, `a finite number of at least ${min}`);
}

/**
 * Throws BAD_ARGUMENT unless `value` is an object with fields. It refuses null and arrays too. `example` goes
 * into the hint.
 */
export function checkObject(name: string, value: unknown, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw badArgument(name, value, 'an object', `For example ${example}.`);
}

/** Throws BAD_ARGUMENT unless `value` is a text of at least one character. */
export function checkText(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw badArgument(name, value, 'a text that is not empty');
}

/** Throws BAD_ARGUMENT unless `value` is a function or undefined. */
export function checkOptionalFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw badArgument(name, value, 'a function');
}

/** Throws BAD_ARGUMENT unless `value` is a boolean or undefined. */
export function checkOptionalFlag(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw badArgument(name, value, 'true or false');
}

/** Throws BAD_ARGUMENT unless `value` is a typed array of the class `kind`. The hint says how to make one. */
export function checkArray(
  name: string,
  value: unknown,
  kind: 'Float64Array' | 'Float32Array' | 'Int16Array' | 'Int8Array' | 'Uint8Array',
): void {
  // `instanceof` would fail in test runners that give each file its own globals.
  if (Object.prototype.toString.call(value) === `[object ${kind}]`) return;
  throw badArgument(
    name,
    value,
    `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`,
    `Make one of numbers by ${kind}.from(numbers).`,
  );
}

/** Throws BAD_ARGUMENT unless `device` is a connected board. It refuses the promise of a board too. */
export function checkDevice(device: unknown): void {
  checkObject('device', device, "await connect('emulator:ideal-64')");
  const { acquire, identity } = device as Record<string, unknown>;
  if (typeof acquire === 'function' && typeof identity === 'object') return;
  throw badArgument(
    'device',
    device,
    'a connected board',
    "Await the promise of connect first: const device = await connect('emulator:ideal-64').",
  );
}

/** Throws BAD_ARGUMENT unless `value` is an AbortSignal or undefined. */
export function checkSignal(value: unknown): void {
  if (value === undefined || Object.prototype.toString.call(value) === '[object AbortSignal]') return;
  throw badArgument('signal', value, 'an AbortSignal', 'Pass `controller.signal`, not the controller.');
}

/** Throws BAD_ARGUMENT unless `address` has a seed and a step of 0 … 2³² − 1 and a block of 0 … 65535. */
export function checkAddress(address: unknown): void {
  checkObject('address', address, '{ seed: 1, step: 0, block: 0 }');
  const { seed, step, block } = address as Record<string, unknown>;
  checkSeed('address.seed', seed);
  checkSeed('address.step', step);
  checkWhole('address.block', block, 0, U16_MAX);
}

/**
 * Shows a value in an error message. The text is short, and the number 3 looks different from the text "3".
 */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value;
    return `the text ${JSON.stringify(text)}`;
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return `an object of type ${value.constructor?.name ?? 'Object'}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}
