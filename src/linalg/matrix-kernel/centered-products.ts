import { F64_BYTES } from './matrix-module.js';
import type { PlainBlock, ProductMatrix } from './product-matrix.js';

/** The place and the factors of outer products. With m = p.length: */
export interface CenteredProducts {
  /** Index of a group of m rows. */
  readonly group: number;
  /** Index of a block without `stretches`; it has outputs × inputs columns. */
  readonly block: number;
  /** p, length m. */
  readonly weights: Float64Array;
  /** roots of `addCenteredProducts`, length m. */
  readonly roots: Float64Array;
  /** δ, [position][output][m]. */
  readonly deltas: Float32Array;
  /** a, [position][input]. */
  readonly activations: Float32Array;
  readonly positions: number;
  readonly outputs: number;
  readonly inputs: number;
}

const F32_BYTES = 4;

/** Bytes of scratch memory that a matrix must have for `addCenteredProducts`. */
export function centeredProductsBytes(
  m: number,
  { positions, outputs, inputs }: Pick<CenteredProducts, 'positions' | 'outputs' | 'inputs'>,
): number {
  const doubles = 2 * m + (m + 2) * positions + outputs * m + positions * inputs;
  return F64_BYTES * doubles + F32_BYTES * positions * outputs * m;
}

/**
 * For each position and output o, with x_i = roots_i · (δ_i − Σ_k p_k δ_k): adds x ⊗ a to the m rows and
 * `inputs` columns of that output. Returns Σ_position x, [output][m], which is valid until the next call. If
 * δ is zero, nothing is added.
 */
export function addCenteredProducts(matrix: ProductMatrix, products: CenteredProducts): Float64Array {
  const target = matrix.plainBlock(products.group, products.block);
  return addByModule(matrix, target, products) ?? addHere(target, products);
}

function addByModule(
  { module, scratch }: ProductMatrix,
  target: PlainBlock,
  products: CenteredProducts,
): Float64Array | undefined {
  const { weights, roots, deltas, activations, positions, outputs, inputs } = products;
  const m = weights.length;
  if (module === undefined || scratch.length < centeredProductsBytes(m, products)) return undefined;
  const { exports, buffer } = module;
  let at = scratch.byteOffset;
  const doubles = (length: number): Float64Array => {
    const view = new Float64Array(buffer, at, length);
    at += F64_BYTES * length;
    return view;
  };
  const p = doubles(m);
  const r = doubles(m);
  const work = doubles((m + 2) * positions);
  const sums = doubles(outputs * m);
  const a = doubles(positions * inputs);
  const d = new Float32Array(buffer, at, deltas.length);
  p.set(weights);
  r.set(roots);
  sums.fill(0);
  a.set(activations);
  d.set(deltas);
  exports.addCenteredProducts(
    F64_BYTES * target.start,
    target.stride,
    sums.byteOffset,
    p.byteOffset,
    r.byteOffset,
    work.byteOffset,
    m,
    d.byteOffset,
    positions,
    outputs,
    a.byteOffset,
    inputs,
  );
  return sums;
}

function addHere({ data, start, stride }: PlainBlock, products: CenteredProducts): Float64Array {
  const { weights, roots, deltas, activations, positions, outputs, inputs } = products;
  const m = weights.length;
  const x = new Float64Array(m);
  const sums = new Float64Array(outputs * m);
  for (let position = 0; position < positions; position++) {
    const a = activations.subarray(position * inputs, (position + 1) * inputs);
    for (let o = 0; o < outputs; o++) {
      const from = (position * outputs + o) * m;
      if (isZero(deltas, from, from + m)) continue;
      centered(deltas, from, weights, roots, x);
      for (let i = 0; i < m; i++) {
        sums[o * m + i] += x[i];
        const to = start + i * stride + o * inputs;
        for (let j = 0; j < inputs; j++) data[to + j] += x[i] * a[j];
      }
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
