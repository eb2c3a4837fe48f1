import { addOuterProduct, kernelOf, type MatrixRoom } from './matrix-room.js';

/** Where outer products go, and what they are made of. With m = p.length: */
export interface CenteredProducts {
  /** First of the m rows that are added to. */
  readonly row: number;
  /** First of the outputs × inputs columns that are added to. */
  readonly column: number;
  /** p, length m. */
  readonly weights: Float64Array;
  /** Length m. */
  readonly roots: Float64Array;
  /** δ, [position][output][m]. */
  readonly deltas: Float32Array;
  /** a, [position][input]. */
  readonly activations: Float32Array;
  readonly positions: number;
  readonly outputs: number;
  readonly inputs: number;
}

const F64_BYTES = 8;
const F32_BYTES = 4;

/** What `addCenteredProducts` needs of the scratch of a room. */
export function centeredProductsBytes(
  m: number,
  { positions, outputs, inputs }: Pick<CenteredProducts, 'positions' | 'outputs' | 'inputs'>,
): number {
  const doubles = 2 * m + outputs * m + positions * inputs;
  return F64_BYTES * doubles + F32_BYTES * positions * outputs * m;
}

/**
 * For each position and output o, with x_i = roots_i · (δ_i − Σ_k p_k δ_k): adds x ⊗ a to the m rows and
 * `inputs` columns of that output. Returns Σ_position x, [output][m], good until the next call. A δ of zeros
 * adds nothing.
 */
export function addCenteredProducts(room: MatrixRoom, products: CenteredProducts): Float64Array {
  return addByModule(room, products) ?? addHere(room, products);
}

function addByModule(room: MatrixRoom, products: CenteredProducts): Float64Array | undefined {
  const { matrix, left, right, scratch } = room;
  const { row, column, weights, roots, deltas, activations, positions, outputs, inputs } = products;
  const m = weights.length;
  const kernel = kernelOf(matrix.data, left, right);
  if (kernel === undefined || scratch.length < centeredProductsBytes(m, products)) return undefined;
  let at = scratch.byteOffset;
  const doubles = (length: number): Float64Array => {
    const view = new Float64Array(kernel.buffer, at, length);
    at += F64_BYTES * length;
    return view;
  };
  const p = doubles(m);
  const r = doubles(m);
  const sums = doubles(outputs * m);
  const a = doubles(positions * inputs);
  const d = new Float32Array(kernel.buffer, at, deltas.length);
  p.set(weights);
  r.set(roots);
  sums.fill(0);
  a.set(activations);
  d.set(deltas);
  kernel.addCenteredProducts(
    F64_BYTES * (row * matrix.columns + column),
    matrix.columns,
    sums.byteOffset,
    p.byteOffset,
    r.byteOffset,
    left.byteOffset,
    m,
    d.byteOffset,
    positions,
    outputs,
    a.byteOffset,
    inputs,
  );
  return sums;
}

function addHere({ matrix, left, right }: MatrixRoom, products: CenteredProducts): Float64Array {
  const { row, column, weights, roots, deltas, activations, positions, outputs, inputs } = products;
  const m = weights.length;
  const x = left.subarray(0, m);
  const y = right.subarray(0, inputs);
  const sums = new Float64Array(outputs * m);
  for (let position = 0; position < positions; position++) {
    y.set(activations.subarray(position * inputs, (position + 1) * inputs));
    for (let o = 0; o < outputs; o++) {
      const start = (position * outputs + o) * m;
      if (isZero(deltas, start, start + m)) continue;
      centered(deltas, start, weights, roots, x);
      for (let i = 0; i < m; i++) sums[o * m + i] += x[i];
      addOuterProduct(matrix, { row, column: column + o * inputs, x, y });
    }
  }
  return sums;
}

/** x_i = roots_i · (δ_i − Σ_k p_k δ_k), where δ begins at `start`. */
export function centered(
  deltas: Float32Array,
  start: number,
  weights: Float64Array,
  roots: Float64Array,
  x: Float64Array,
): void {
  let mean = 0;
  for (let k = 0; k < x.length; k++) mean += weights[k] * deltas[start + k];
  for (let i = 0; i < x.length; i++) x[i] = roots[i] * (deltas[start + i] - mean);
}

function isZero(values: Float32Array, from: number, to: number): boolean {
  for (let j = from; j < to; j++) if (values[j] !== 0) return false;
  return true;
}
