import { linearTicks, logTicks, type Tick, type TickFormat } from './ticks.js';

export type ScaleKind = 'linear' | 'log';

/** One axis of a chart. */
export interface AxisSpec {
  readonly label: string;
  /** Default linear. On a logarithmic axis values ≤ 0 become gaps. */
  readonly scale?: ScaleKind;
  /** Values that the axis must reach, such as 0 and 1 for an accuracy. */
  readonly include?: readonly number[];
  /** Writes the ticks. Default: round decimal numbers. */
  readonly format?: TickFormat;
}

/** Places values along an axis. */
export interface Scale {
  readonly kind: ScaleKind;
  /** The least and the greatest value of the axis. Both are finite, and the first is below the second. */
  readonly low: number;
  readonly high: number;
  /** Whether the value can be drawn: finite, and positive on a logarithmic axis. */
  canPlace(value: number): boolean;
  /** The place of a value: 0 at `low`, 1 at `high`. The values that the scale was made for lie in between. */
  place(value: number): number;
  /** Round values from `low` to `high`, about `count` of them with a label. */
  ticks(count: number): Tick[];
}

/**
 * Largest magnitude of a value that can be drawn; on a logarithmic axis the inverse is the least value.
 * Differences and ratios of other values may overflow.
 */
const SIZE_MAX = 1e250;

/** Values that differ by less are drawn as equal: float64 keeps only some digits of such a difference. */
const DIFFERENCE_MIN = 1e-290;

/**
 * The scale of an axis that shows `include` and those of `values` that can be drawn. `padding` is the part of
 * the range that is added at each end, unless the end is an included value. A linear axis without padding
 * begins at 0 if its values begin near 0. Panels that begin at step 1 and at step 100 are then aligned.
 */
export function makeScale(spec: AxisSpec, values: Iterable<number>, padding: number): Scale {
  const kind = spec.scale ?? 'linear';
  const isLog = kind === 'log';
  function canPlace(value: number): boolean {
    return Math.abs(value) <= SIZE_MAX && (!isLog || value >= 1 / SIZE_MAX);
  }
  const included = (spec.include ?? []).filter(canPlace);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let isWhole = true;
  for (const value of values) {
    if (!canPlace(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    isWhole &&= Number.isInteger(value);
  }
  for (const value of included) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!isLog && padding === 0 && low > 0 && low <= high / 10) low = 0;
  if (low > high) [low, high] = isLog ? [0.1, 1] : [0, 1];
  const ends = isLog ? paddedLog(low, high, padding, included) : padded(low, high, padding, included);
  return isLog ? logScale(ends, canPlace, spec.format) : linearScale(ends, canPlace, isWhole, spec.format);
}

type Ends = readonly [low: number, high: number];

function linearScale(
  [low, high]: Ends,
  canPlace: (value: number) => boolean,
  isWhole: boolean,
  format: TickFormat | undefined,
): Scale {
  return {
    kind: 'linear',
    low,
    high,
    canPlace,
    place: (value) => clampToUnit((value - low) / (high - low)),
    ticks: (count) => linearTicks(low, high, count, { isWhole, format }),
  };
}

function logScale(
  [low, high]: Ends,
  canPlace: (value: number) => boolean,
  format: TickFormat | undefined,
): Scale {
  const [logLow, logHigh] = [Math.log10(low), Math.log10(high)];
  return {
    kind: 'log',
    low,
    high,
    canPlace,
    place: (value) => clampToUnit((Math.log10(value) - logLow) / (logHigh - logLow)),
    ticks: (count) => logTicks(low, high, count, format),
  };
}

/** The end of the axis with a little room, because rounding may put a value just outside. */
function clampToUnit(position: number): number {
  return Math.min(1, Math.max(0, position));
}

function padded(low: number, high: number, padding: number, included: readonly number[]): Ends {
  const size = Math.max(Math.abs(low), Math.abs(high));
  // All values are equal, or differ so little that float64 has no digits for ticks between them.
  if (high - low <= Math.max(size * 1e-12, DIFFERENCE_MIN)) {
    const half = size > DIFFERENCE_MIN ? size / 10 : 1;
    return [included.includes(low) ? low : low - half, high + half];
  }
  const margin = (high - low) * padding;
  return [included.includes(low) ? low : low - margin, included.includes(high) ? high : high + margin];
}

function paddedLog(low: number, high: number, padding: number, included: readonly number[]): Ends {
  if (high / low < 1 + 1e-9) return [low / 2, high * 2];
  const factor = 10 ** ((Math.log10(high) - Math.log10(low)) * padding);
  return [included.includes(low) ? low : low / factor, included.includes(high) ? high : high * factor];
}
