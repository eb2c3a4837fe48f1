/**
 * The inner products of the array (device-model.md, "One tick"). Couplings are int16 or int8; voltages are
 * 16-bit integers and row currents below 2¹⁷, held as doubles. Every product is below 2³² and every sum below
 * 2⁴⁵, so sums in doubles are exact in any order. Several rows are computed at a time so that each load of
 * the other factor is used more than once.
 */

/** sums_r = Σ_j coupling[r, j] · w_j. */
export function rowSums(
  couplings: Int8Array | Int16Array,
  w: Float64Array,
  rows: number,
  cells: number,
  sums: Float64Array,
): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) fourRowSums(couplings, w, r, cells, sums);
  for (; r < rows; r++) sums[r] = oneRowSum(couplings, w, r * cells, cells);
}

function fourRowSums(
  couplings: Int8Array | Int16Array,
  w: Float64Array,
  r: number,
  cells: number,
  sums: Float64Array,
): void {
  const p0 = r * cells;
  const p1 = p0 + cells;
  const p2 = p1 + cells;
  const p3 = p2 + cells;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let j = 0; j < cells; j++) {
    const x = w[j];
    s0 += couplings[p0 + j] * x;
    s1 += couplings[p1 + j] * x;
    s2 += couplings[p2 + j] * x;
    s3 += couplings[p3 + j] * x;
  }
  sums[r] = s0;
  sums[r + 1] = s1;
  sums[r + 2] = s2;
  sums[r + 3] = s3;
}

function oneRowSum(couplings: Int8Array | Int16Array, w: Float64Array, start: number, cells: number): number {
  let sum = 0;
  for (let j = 0; j < cells; j++) sum += couplings[start + j] * w[j];
  return sum;
}

/** sums_i = Σ_r coupling[r, i] · y_r, reading the array row by row. */
export function columnSums(
  couplings: Int8Array | Int16Array,
  y: Float64Array,
  rows: number,
  cells: number,
  sums: Float64Array,
): void {
  sums.fill(0, 0, cells);
  let r = 0;
  for (; r + 8 <= rows; r += 8) addEightRows(couplings, y, r, cells, sums);
  for (; r < rows; r++) addOneRow(couplings, y[r], r * cells, cells, sums);
}

function addEightRows(
  couplings: Int8Array | Int16Array,
  y: Float64Array,
  r: number,
  cells: number,
  sums: Float64Array,
): void {
  const [y0, y1, y2, y3] = [y[r], y[r + 1], y[r + 2], y[r + 3]];
  const [y4, y5, y6, y7] = [y[r + 4], y[r + 5], y[r + 6], y[r + 7]];
  const p0 = r * cells;
  const p1 = p0 + cells;
  const p2 = p1 + cells;
  const p3 = p2 + cells;
  const p4 = p3 + cells;
  const p5 = p4 + cells;
  const p6 = p5 + cells;
  const p7 = p6 + cells;
  for (let i = 0; i < cells; i++) {
    const first = couplings[p0 + i] * y0 + couplings[p1 + i] * y1;
    const second = couplings[p2 + i] * y2 + couplings[p3 + i] * y3;
    const third = couplings[p4 + i] * y4 + couplings[p5 + i] * y5;
    const fourth = couplings[p6 + i] * y6 + couplings[p7 + i] * y7;
    sums[i] += first + second + (third + fourth);
  }
}

function addOneRow(
  couplings: Int8Array | Int16Array,
  y: number,
  start: number,
  cells: number,
  sums: Float64Array,
): void {
  for (let i = 0; i < cells; i++) sums[i] += couplings[start + i] * y;
}
