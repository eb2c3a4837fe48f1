/**
 * A mark on an axis. `label` is empty if it has no text. `exponent` is a superscript after the label: for
 * 2×10⁻⁵ they are `2×10` and `−5`.
 */
export interface Tick {
  readonly value: number;
  readonly label: string;
  readonly exponent?: string;
}

/** Writes the value of a tick in the format of the caller, for example as a percentage. */
export type TickFormat = (value: number) => string;

/**
 * Ticks at round values in [low, high]. Their step is 1, 2 or 5 times a power of ten, chosen to give about
 * `count` of them. With `isWhole` the step is at least 1.
 */
export function linearTicks(
  low: number,
  high: number,
  count: number,
  options: { readonly isWhole?: boolean; readonly format?: TickFormat | undefined } = {},
): Tick[] {
  const step = niceStep((high - low) / Math.max(1, count), options.isWhole ?? false);
  if (!(step > 0) || !Number.isFinite(step)) return [];
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks: Tick[] = [];
  // A round step gives about `count` ticks. The bound of 100 protects against a step that rounding makes
  // useless.
  for (let i = first; i <= last && ticks.length < 100; i++) {
    // Division by a whole number gives the nearest float64; multiplication by 0.1 may not.
    const value = step < 1 ? i / Math.round(1 / step) : i * step;
    const exact = step < 1e-9 ? i * step : value;
    ticks.push(
      options.format ? { value: exact, label: options.format(exact) } : label(exact, step, low, high),
    );
  }
  return ticks;
}

/** The step of 1, 2 or 5 times a power of ten that is nearest to `raw` by its ratio. */
function niceStep(raw: number, isWhole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const ratio = raw / power;
  // The bounds are the geometric means of neighbours: √2, √10, √50.
  const factor = ratio < 1.415 ? 1 : ratio < 3.163 ? 2 : ratio < 7.072 ? 5 : 10;
  return Math.max(factor * power, isWhole ? 1 : 0);
}

function label(value: number, step: number, low: number, high: number): Tick {
  if (value === 0) return { value, label: '0' };
  const size = Math.max(Math.abs(low), Math.abs(high));
  const stepDigits = Math.floor(Math.log10(step) + 1e-9);
  if (size < 1e7 && stepDigits >= -5) return { value, label: plain(value, Math.max(0, -stepDigits)) };
  // The number of digits that distinguishes neighbours.
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const digits = Math.min(15, Math.max(0, exponent - stepDigits));
  const mantissa = value.toExponential(digits).replace(/e.*/, '');
  return { value, label: `${minus(mantissa)}×10`, exponent: minus(String(exponent)) };
}

/**
 * Ticks of a logarithmic axis from `low` > 0 to `high`. Every power of ten is a tick. If the axis has more
 * than `count` decades, only every second power has a label, or every third one, and so on. Up to four
 * decades, the multiples 2 to 9 of each power are ticks too; 2 and 5 have a label if `count` labels leave
 * room. Above four decades the multiples are no ticks. An axis of less than a decade has ticks at round
 * values instead.
 */
export function logTicks(low: number, high: number, count: number, format?: TickFormat): Tick[] {
  const decades = Math.log10(high) - Math.log10(low);
  const firstPower = Math.floor(Math.log10(low) + 1e-9);
  const lastPower = Math.ceil(Math.log10(high) - 1e-9);
  if (decades < 1) return linearTicks(low, high, count, { format });
  const stride = Math.max(1, Math.ceil(decades / count));
  const labelled = decades * 3 <= count * 1.2 ? [1, 2, 5] : [1];
  const multiples = decades <= 4 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1];
  const isPlain = firstPower >= -3 && lastPower <= 4;
  const ticks: Tick[] = [];
  for (let power = firstPower; power <= lastPower; power++)
    for (const multiple of multiples) {
      // The number is read from text, because 3 * 10 ** -1 is not 0.3.
      const value = Number(`${multiple}e${power}`);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      const isLabelled = labelled.includes(multiple) && power % stride === 0;
      if (!isLabelled) ticks.push({ value, label: '' });
      else if (format) ticks.push({ value, label: format(value) });
      else if (isPlain) ticks.push({ value, label: plain(value, Math.max(0, -power)) });
      else ticks.push(powerOfTen(value, multiple, power));
    }
  return ticks;
}

function powerOfTen(value: number, multiple: number, power: number): Tick {
  return { value, label: multiple === 1 ? '10' : `${multiple}×10`, exponent: minus(String(power)) };
}

function plain(value: number, decimals: number): string {
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return minus(value.toLocaleString('en-US', options));
}

/** Replaces the hyphen by a minus sign, which is as wide as a plus. */
function minus(text: string): string {
  return text.replaceAll('-', '\u2212');
}
