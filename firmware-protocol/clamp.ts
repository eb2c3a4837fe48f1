/** `x` if it is within [low, high]; otherwise the nearest bound. */
export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
