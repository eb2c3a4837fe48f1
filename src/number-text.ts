/**
 * Numbers as texts for people: in errors, tables and figures. The minus sign is the hyphen, so a number can
 * be copied into a program. A zero has no sign. Numbers that are not finite are written `NaN`, `∞` and `-∞`.
 */

/** One SI prefix for each power of 1000. */
const TIME_UNITS = ['ns', 'µs', 'ms', 's'];
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Sizes outside of these limits are written with an exponent. */
const PLAIN_MIN = 1e-4;
const PLAIN_LIMIT = 1e6;

/** More significant digits than these are noise of float64. */
const DIGITS_MAX = 15;

/** A count with separators: `1,234,567`. */
export function formatCount(count: number): string {
  return special(count) ?? Math.round(count).toLocaleString('en-US');
}

/** A count with its noun: `1 pass`, `1,234 passes`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}

/**
 * A number with `digits` ≥ 1 significant digits: `0.123`, `12.3`, `1,230`; `1.23e-5` below 1e-4
 * and from 1e6 on.
 */
export function formatNumber(value: number, digits = 3): string {
  const name = special(value);
  if (name !== undefined) return name;
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size === 0) return '0';
  if (size < PLAIN_MIN || size >= PLAIN_LIMIT) return rounded.toExponential(digits - 1).replace('e+', 'e');
  return size < 10 ** digits ? rounded.toPrecision(digits) : rounded.toLocaleString('en-US');
}

/**
 * A number with the fewest digits that are read back to the same bits: `0.01`, `1e-9`. It is for numbers that
 * a person or a table has given.
 */
export function formatExact(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const size = Math.abs(value);
  if (size === 0) return '0';
  return size < PLAIN_MIN || size >= PLAIN_LIMIT
    ? value.toExponential().replace('e+', 'e')
    : value.toLocaleString('en-US', { maximumFractionDigits: 20 });
}

/** A measured value and its standard error, in texts whose last digits have the same place. */
export interface MeasuredText {
  readonly value: string;
  readonly error: string;
}

/**
 * A value with all digits that are meaningful for its standard `error`. The error is shown with two digits:
 * 0.0909 and 0.0012, 0.090909091 and 1.2e-8, 9.09e-9 and 0.12e-9. Without a finite error above 0 the value
 * has six digits.
 */
export function formatMeasured(value: number, error: number): MeasuredText {
  const step = lastPlace(error);
  if (!Number.isFinite(value) || step === undefined)
    return { value: formatNumber(value, 6), error: formatNumber(error, 2) };
  const place = Math.max(step, orderOf(Math.max(Math.abs(value), error)) - DIGITS_MAX + 1);
  const size = Math.max(Math.abs(value), error);
  if (size < PLAIN_MIN || size >= PLAIN_LIMIT) {
    const order = orderOf(size);
    const scaled = (x: number) => `${shift(x, -order, order - place)}e${order}`;
    return { value: scaled(value), error: scaled(error) };
  }
  if (place > 0) return { value: rounded(value, place), error: rounded(error, place) };
  return {
    value: fixed(value, -place),
    error: error < PLAIN_MIN ? formatNumber(error, 2) : fixed(error, -place),
  };
}

/** Bytes with three significant digits and a decimal prefix: `812 B`, `12.3 kB`. */
export function formatBytes(bytes: number): string {
  if (Math.round(Math.abs(bytes)) < 1000) return `${special(bytes) ?? Math.round(bytes)} B`;
  return withPrefix(bytes, BYTE_UNITS);
}

/**
 * A duration, given in seconds, with three significant digits and an SI prefix: `12.3 µs`, `4.56 s`, `789 s`.
 */
export function formatSeconds(seconds: number): string {
  return seconds === 0 ? '0 s' : withPrefix(seconds * 1e9, TIME_UNITS);
}

/** A duration, given in seconds, as on a clock: `0:07`, `12:34`, `1:02:03`; whole seconds, rounded down. */
export function formatClock(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '-:--';
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, '0');
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, '0')}:${tail}`;
}

/** A fraction as a percentage with fixed decimals: 0.9754 is `97.5 %`. */
export function formatPercent(fraction: number, decimals = 1): string {
  return `${special(fraction) ?? withoutMinusZero((100 * fraction).toFixed(decimals))} %`;
}

/**
 * The power of ten of the second significant digit of `error`, after rounding to two digits; undefined if
 * `error` is 0 or not finite.
 */
function lastPlace(error: number): number | undefined {
  if (!Number.isFinite(error) || error <= 0) return undefined;
  return orderOf(Number(error.toPrecision(2))) - 1;
}

/** The power of ten of the first significant digit. */
function orderOf(value: number): number {
  return Number(value.toExponential().replace(/.*e/, ''));
}

/** `value` · 10^`power` with fixed decimals. It shifts the decimal text, so no digit is changed. */
function shift(value: number, power: number, decimals: number): string {
  const [mantissa, exponent] = value.toExponential().split('e');
  return withoutMinusZero(Number(`${mantissa}e${Number(exponent) + power}`).toFixed(decimals));
}

function fixed(value: number, decimals: number): string {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return withoutMinusZero(value.toLocaleString('en-US', digits));
}

/** `value` rounded to a multiple of 10^`place`, with separators. */
function rounded(value: number, place: number): string {
  return (Math.round(value / 10 ** place) * 10 ** place + 0).toLocaleString('en-US');
}

function withoutMinusZero(text: string): string {
  return /^-[0.]+$/.test(text) ? text.slice(1) : text;
}

/**
 * `value` in the first of `units` (each 1000 times the one before) in which it is below 1000, or in the last.
 */
function withPrefix(value: number, units: readonly string[]): string {
  const name = special(value);
  if (name !== undefined) return `${name} ${units[units.length - 1]}`;
  let unit = 0;
  // The rounded number chooses the unit, so 999.9 ms is written 1.00 s and not 1000 ms.
  while (unit < units.length - 1 && Math.abs(Number(value.toPrecision(3))) >= 1000) {
    value /= 1000;
    unit++;
  }
  return `${formatNumber(value)} ${units[unit]}`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '∞' : '-∞';
}
