/** Numbers as a file holds them: all finite, row-major; a 1-D array of n is n rows and 1 column. */
export interface NumericArray {
  readonly dimensions: 1 | 2;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}
