/** A real matrix, row-major: entry (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A zero matrix of the given shape, or one that wraps `data` (length rows × columns, not copied). */
export function matrix(
  rows: number,
  columns: number,
  data: Float64Array = new Float64Array(rows * columns),
): Matrix {
  if (data.length !== rows * columns)
    throw new RangeError(`bug: ${data.length} entries for a ${rows}×${columns} matrix`);
  return { rows, columns, data };
}
