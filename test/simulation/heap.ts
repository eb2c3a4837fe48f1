import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use after everything that can be collected was collected. */
export function liveBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Slope of the line through the values by least squares, per step. */
export function slope(values: readonly number[]): number {
  const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const middle = (values.length - 1) / 2;
  const average = mean(values);
  const above = values.reduce((sum, value, i) => sum + (i - middle) * (value - average), 0);
  const below = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return above / below;
}
