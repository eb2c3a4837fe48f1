/** floor(x / 2^shift) of an integer |x| < 2⁵³, shift 0…30; exact, since dividing by a power of two is. */
export function floorShift(x: number, shift: number): number {
  return Math.floor(x / (1 << shift));
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
