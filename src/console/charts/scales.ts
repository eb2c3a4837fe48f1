/** A colour as red, green and blue of 0 … 255. */
export type Rgb = readonly [number, number, number];

/** The three colours of a map around zero: its negative end, zero, and its positive end. */
export interface DivergingColors {
  readonly negative: Rgb;
  readonly zero: Rgb;
  readonly positive: Rgb;
}

/** The least size of a range whose values are all zero, so that nothing is divided by zero. */
const SIZE_MIN = 1e-30;

/** The largest finite |value| of the lists; a tiny number > 0 if there is no such value. */
export function largestSize(...lists: readonly (ArrayLike<number> | undefined)[]): number {
  let largest = 0;
  for (const list of lists)
    for (let i = 0; i < (list?.length ?? 0); i++) {
      const size = Math.abs(list![i]);
      if (size > largest && Number.isFinite(size)) largest = size;
    }
  return Math.max(largest, SIZE_MIN);
}

/**
 * The colour of `value` on a map from −`limit` to `limit`. Values outside have the colour of the nearest end.
 */
export function divergingColor(value: number, limit: number, colors: DivergingColors): Rgb {
  const place = Math.max(-1, Math.min(1, value / limit));
  const end = place < 0 ? colors.negative : colors.positive;
  const share = Math.abs(place);
  return colors.zero.map((zero, i) => Math.round(zero + share * (end[i] - zero))) as unknown as Rgb;
}

/** The row-major cell of an n × n map under a pointer at `x`, `y` in 0 … 1; undefined outside of it. */
export function cellAt(x: number, y: number, n: number): { row: number; column: number } | undefined {
  const [column, row] = [Math.floor(x * n), Math.floor(y * n)];
  return row >= 0 && row < n && column >= 0 && column < n ? { row, column } : undefined;
}
