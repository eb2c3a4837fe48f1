/** `x`, or the bound of [low, high] that it lies beyond. */
export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
