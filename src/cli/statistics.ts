/**
 * The nearest-rank percentile: the smallest value for which at least the share `fraction` of the values does
 * not exceed it. NaN if there are no values.
 */
export function percentile(values: readonly number[], fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
}
