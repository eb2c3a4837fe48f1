import type { DeviceIdentity } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import { randomSource } from '../../src/linalg/random.js';
import { digestOf } from './recorded-board.js';

/** The content of a recorded file. */
export type Recorded =
  | number
  | string
  | boolean
  | null
  | readonly Recorded[]
  | { readonly [key: string]: Recorded };

/** Two numbers are equal when their difference is below this share of the larger one. */
const RELATIVE_TOLERANCE = 1e-9;
/** Entries of a list may also differ by this share of its largest entry. They are sums that cancel. */
const LIST_TOLERANCE = 1e-13;
/** A single number below this is a rounding error. */
const ROUNDING = 1e-15;
const DIGITS = 12;
/** Longer lists of numbers are recorded by their norm, two projections and a few entries. */
const NUMBERS_MAX = 64;
const SOME_NUMBERS = 6;
/**
 * Longer lists of other values are recorded by their first and last few entries, and by one list of all
 * numbers in them.
 */
const ITEMS_MAX = 20;
const FIRST_ITEMS = 4;
const LAST_ITEMS = 2;

/** Fields that depend on the clock. */
const HOST_TIME = /^timing$|Ms$/;

/** Any result as data: every field but host times; functions are left out. */
export function recorded(value: unknown): Recorded {
  if (typeof value === 'number') return recordedNumber(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (ArrayBuffer.isView(value)) return recordedCodes(value);
  if (Array.isArray(value)) return recordedList(value);
  if (value instanceof ThermolinkError) {
    const { code, message, hint, data, cause } = value;
    return { code, message, hint: recorded(hint), data: recorded(data), cause: recorded(cause) };
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  // The content of HELLO is not a result. A new field in it would change many files.
  if (isIdentity(value)) return `identity of ${value.model}`;
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined && typeof part !== 'function')
    .map(([key, part]) => [key, HOST_TIME.test(key) ? recordedTime(part) : recorded(part)]);
  return Object.fromEntries(entries);
}

function isIdentity(value: object): value is DeviceIdentity {
  return 'firmwareVersion' in value && 'model' in value;
}

function recordedNumber(value: number): number | string {
  return Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : String(value);
}

/** A host time is not a result. The test only checks that it is a number of seconds. */
function recordedTime(value: unknown): Recorded {
  const times = typeof value === 'number' ? [value] : Object.values(value as object).flat();
  const isTime = times.every((time) => typeof time !== 'number' || (time >= 0 && time < 1e6));
  return isTime ? 'host time' : recorded(value);
}

function recordedCodes(view: ArrayBufferView): Recorded {
  if (view instanceof Float64Array) return recordedNumbers(Array.from(view));
  const codes = Int16Array.from(view as unknown as ArrayLike<number>);
  return codes.length <= NUMBERS_MAX ? [...codes] : { length: codes.length, digest: digestOf(codes) };
}

function recordedList(list: readonly unknown[]): Recorded {
  if (list.every((item) => typeof item === 'number')) return recordedNumbers(list);
  if (list.length <= ITEMS_MAX) return list.map((item) => recorded(item));
  const all = list.map((item) => recorded(item));
  const [numbers, texts] = leavesOf(all);
  return {
    length: list.length,
    first: all.slice(0, FIRST_ITEMS),
    last: all.slice(-LAST_ITEMS),
    numbers: recordedNumbers(numbers),
    texts: digestOf(texts.join('\n')),
  };
}

function recordedNumbers(list: readonly number[]): Recorded {
  if (list.length <= NUMBERS_MAX) return list.map(recordedNumber);
  // A value that is not finite would hide all others in the sums.
  const finite = list.map((value) => (Number.isFinite(value) ? value : 0));
  const odd = list.flatMap((value, index) => (Number.isFinite(value) ? [] : [`${index} ${value}`]));
  const random = randomSource({ seed: list.length, stream: 9998 });
  const projections = [0, 0];
  let squares = 0;
  for (const value of finite) {
    squares += value * value;
    for (const k of projections.keys()) projections[k] += random.normal() * value;
  }
  const norm = Math.sqrt(squares);
  return {
    length: list.length,
    norm: recordedNumber(norm),
    // These are projections of the unit vector. Like the entries of a list, they are compared as parts of the
    // norm.
    directions: [1, ...projections.map((sum) => (norm === 0 ? 0 : recordedNumber(sum / norm)))],
    first: list.slice(0, SOME_NUMBERS).map(recordedNumber),
    last: list.slice(-SOME_NUMBERS).map(recordedNumber),
    ...(odd.length === 0 ? {} : { notFinite: `${odd.length}: ${digestOf(odd.join('\n'))}` }),
  };
}

/** All numbers and all texts of a recorded value, in order. */
function leavesOf(value: Recorded): [number[], string[]] {
  const numbers: number[] = [];
  const texts: string[] = [];
  const walk = (part: Recorded): void => {
    if (typeof part === 'number') numbers.push(part);
    else if (typeof part === 'object' && part !== null) {
      if (!Array.isArray(part)) texts.push(Object.keys(part).join(' '));
      Object.values(part).forEach(walk);
    } else texts.push(String(part));
  };
  walk(value);
  return [numbers, texts];
}

/** The differences of two recorded values, one line each: place, recorded value, present value. */
export function differences(before: Recorded, now: Recorded, place = 'result'): string[] {
  if (typeof before === 'number' && typeof now === 'number')
    return isClose(before, now, ROUNDING) ? [] : [changed(place, before, now)];
  if (Array.isArray(before) && Array.isArray(now)) {
    if (before.length !== now.length) return [changed(`${place}.length`, before.length, now.length)];
    const room = LIST_TOLERANCE * Math.max(...largestOf(before), ...largestOf(now));
    return before.flatMap((value: Recorded, index) => {
      const other: Recorded = now[index];
      if (typeof value !== 'number' || typeof other !== 'number')
        return differences(value, other, `${place}[${index}]`);
      return isClose(value, other, room) ? [] : [changed(`${place}[${index}]`, value, other)];
    });
  }
  if (isRecord(before) && isRecord(now))
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) => {
      if (!(key in now)) return [`${place}.${key} is gone`];
      return key in before
        ? differences(before[key], now[key], `${place}.${key}`)
        : [`${place}.${key} is new`];
    });
  return before === now ? [] : [changed(place, before, now)];
}

function isClose(a: number, b: number, room: number): boolean {
  return Math.abs(a - b) <= Math.max(RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b)), room);
}

function largestOf(list: readonly Recorded[]): number[] {
  return [0, ...list.filter((value) => typeof value === 'number').map(Math.abs)];
}

function isRecord(value: Recorded): value is { readonly [key: string]: Recorded } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function changed(place: string, before: Recorded, now: Recorded): string {
  return `${place}: ${JSON.stringify(before)} is now ${JSON.stringify(now)}`;
}

const LINE_MAX = 120;

/** JSON as in the recorded files: lists of numbers and short values are on one line. */
export function textOf(value: Recorded, indent = ''): string {
  const deeper = `${indent} `;
  const short = JSON.stringify(value);
  if (short.length <= LINE_MAX) return short;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'number')) return short;
    const lines = value.map((item: Recorded) => deeper + textOf(item, deeper));
    return `[\n${lines.join(',\n')}\n${indent}]`;
  }
  if (!isRecord(value)) return short;
  const lines = Object.entries(value).map(([key, part]) => `${deeper}"${key}": ${textOf(part, deeper)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
