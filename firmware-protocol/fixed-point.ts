export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
