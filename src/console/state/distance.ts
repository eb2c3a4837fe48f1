/**
 * ‖measured − expected‖ / ‖expected‖ in the Euclidean norm, over the places that both lists have; NaN if this
 * is not a number, for example if all expected values are zero.
 */
export function relativeDistance(measured: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < Math.min(measured.length, expected.length); i++) {
    difference += (measured[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return size > 0 ? Math.sqrt(difference / size) : Number.NaN;
}
