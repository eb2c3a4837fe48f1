/**
 * The nearest-rank percentile: the smallest value that is not exceeded by at least `fraction` of the values.
 * NaN if there are none.
 */
export function percentile(values: readonly number[], fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
}
