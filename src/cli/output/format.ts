const NOT_A_NUMBER = 'NaN';

/** One SI prefix per factor of 1000. */
const TIME_UNITS = ['ns', 'µs', 'ms', 's'];
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A count with separators: `1,234,567`. */
export function formatCount(count: number): string {
  return special(count) ?? Math.round(count).toLocaleString('en-US');
}

/** A count with its noun: `1 pass`, `1,234 passes`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}

/**
 * A number with `digits` ≥ 1 significant digits: `0.123`, `12.3`, `1,230`; with an exponent below 1e-4 and from 1e6 on.
 * What is not finite shows as `NaN`, `∞` or `-∞`, here and in all functions of this file.
 */
export function formatNumber(value: number, digits = 3): string {
  const name = special(value);
  if (name !== undefined) return name;
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size === 0) return '0';
  if (size < 1e-4 || size >= 1e6) return rounded.toExponential(digits - 1).replace('e+', 'e');
  return size < 10 ** digits ? rounded.toPrecision(digits) : rounded.toLocaleString('en-US');
}

/** Bytes with three significant digits and a decimal prefix: `812 B`, `12.3 kB`. */
export function formatBytes(bytes: number): string {
  if (Math.round(Math.abs(bytes)) < 1000) return `${special(bytes) ?? Math.round(bytes)} B`;
  return withPrefix(bytes, BYTE_UNITS);
}

/** A duration, given in seconds, with three significant digits and an SI prefix: `12.3 µs`, `4.56 s`, `789 s`. */
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
  return `${special(fraction) ?? (100 * fraction).toFixed(decimals)} %`;
}

/** `value` in the first of `units` (each 1000 times the one before) in which it is below 1000, or in the last. */
function withPrefix(value: number, units: readonly string[]): string {
  const name = special(value);
  if (name !== undefined) return `${name} ${units[units.length - 1]}`;
  let unit = 0;
  // On the rounded number, so that 999.9 ms reads 1.00 s and not 1000 ms.
  while (unit < units.length - 1 && Math.abs(Number(value.toPrecision(3))) >= 1000) {
    value /= 1000;
    unit++;
  }
  return `${formatNumber(value)} ${units[unit]}`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '∞' : '-∞';
}
