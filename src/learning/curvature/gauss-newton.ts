import { ThermolinkError } from '../../errors.js';
import type { Matrix } from '../../linalg/matrix.js';
import {
  addCenteredProducts,
  centered,
  centeredProductsBytes,
} from '../../linalg/matrix-kernel/centered-products.js';
import {
  type ColumnBlock,
  type PlainBlock,
  ProductMatrix,
} from '../../linalg/matrix-kernel/product-matrix.js';
import type { Examples, LayerFactors, LayerShape, Network, PerExampleFactors } from '../network/contract.js';

/**
 * The factor K (m × P, m = b·d_z) of the generalized Gauss–Newton matrix of softmax cross-entropy on b
 * examples,
 *
 * KᵀK = G = (1/b) Σ_e J_eᵀ H_e J_e, H = diag(p) − ppᵀ,
 *
 * which is also the true Fisher information. Row e·d_z + i of K is row i of H½J_e/√b, with the root
 *
 * H½ = diag(√p)(I − 1pᵀ), that is √p_i (J_i − Σ_k p_k J_k),
 *
 * which is not symmetric. It satisfies H½ᵀH½ = H exactly, and two passes over the row replace an
 * eigendecomposition.
 *
 * Cost: one forward pass over b columns and one backward pass over b·d_z columns. Layers with several
 * positions also need the sum over the positions. Rows of other layers are outer products; the matrix
 * computes them when it is measured, rounded or read. Unit of G: nat per parameter². If `room` is given, the
 * result lies in its matrix.
 *
 * Errors: BAD_ARGUMENT when the room has another shape; those of `perExampleFactors`.
 * Source: Martens, "New insights and perspectives on the natural gradient method", 2020; arXiv 2405.13817,
 * section 3.
 */
export function gaussNewtonFactor(
  network: Network,
  parameters: Float64Array,
  examples: Examples,
  room?: FactorRoom,
): Matrix {
  const factors = network.perExampleFactors(parameters, examples, room?.factors);
  if (room !== undefined) room.factors = factors;
  return factorOf(network.layers, network.parameterCount, factors, room);
}

/** Memory in which factors are computed, one after another. */
export interface FactorRoom {
  readonly matrix: ProductMatrix;
  readonly places: readonly LayerPlace[];
  factors: PerExampleFactors | undefined;
}

/** Indices of the column blocks that belong to one layer. */
interface LayerPlace {
  readonly weights: number;
  readonly biases: number;
}

type Sizes = Pick<Network, 'outputCount' | 'parameterCount' | 'layers'>;

/** Allocates memory for the factor of `count` examples. Each new factor overwrites the one before. */
export function factorRoom(sizes: Sizes, count: number): FactorRoom {
  return newRoom(sizes, count, true);
}

function newRoom(
  { outputCount, parameterCount, layers }: Sizes,
  count: number,
  isUsedAgain: boolean,
): FactorRoom {
  const scratchBytes = layers
    .filter(({ positions }) => positions > 1)
    .reduce((most, layer) => Math.max(most, centeredProductsBytes(outputCount, layer)), 0);
  const { blocks, places } = columnBlocks(layers, parameterCount);
  const shape = { groups: count, rowsPerGroup: outputCount, blocks, scratchBytes };
  return { matrix: new ProductMatrix(shape, isUsedAgain), places, factors: undefined };
}

/**
 * Cuts the columns, one per parameter, into blocks: the weights and biases of each layer, and any columns
 * between them.
 */
function columnBlocks(
  layers: readonly LayerShape[],
  parameterCount: number,
): { blocks: ColumnBlock[]; places: LayerPlace[] } {
  const parts = layers.flatMap(({ outputs, inputs, positions, weightOffset, biasOffset }) => [
    {
      offset: weightOffset,
      block: positions === 1 ? { columns: inputs, stretches: outputs } : { columns: outputs * inputs },
    },
    { offset: biasOffset, block: { columns: outputs } },
  ]);
  const blocks: ColumnBlock[] = [];
  const indices: number[] = [];
  let column = 0;
  const fillUpTo = (offset: number): void => {
    if (offset > column) blocks.push({ columns: offset - column });
    column = offset;
  };
  for (const part of [...parts].sort((a, b) => a.offset - b.offset)) {
    const { columns, stretches = 1 } = part.block;
    fillUpTo(part.offset);
    indices[parts.indexOf(part)] = blocks.push(part.block) - 1;
    column += columns * stretches;
  }
  fillUpTo(parameterCount);
  return { blocks, places: layers.map((_, l) => ({ weights: indices[2 * l], biases: indices[2 * l + 1] })) };
}

/** Like `gaussNewtonFactor`, from per-example factors that were computed before. */
export function factorOf(
  layers: readonly LayerShape[],
  parameterCount: number,
  factors: PerExampleFactors,
  given?: FactorRoom,
): Matrix {
  const { count, outputs, probabilities } = factors;
  const room = given ?? newRoom({ outputCount: outputs, parameterCount, layers }, count, false);
  const { rows, columns } = room.matrix;
  if (rows !== count * outputs || columns !== parameterCount)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `The room is for a factor of ${rows} × ${columns}; this one is ${count * outputs} × ${parameterCount}.`,
    );
  for (let example = 0; example < count; example++) {
    const p = probabilities.subarray(example * outputs, (example + 1) * outputs);
    const roots = p.map((probability) => Math.sqrt(probability / count));
    layers.forEach((layer, l) => {
      const part = { layer, place: room.places[l], factors: factors.layers[l], example, p, roots };
      if (layer.positions === 1) fillProducts(room.matrix, part);
      else fillSummed(room.matrix, part);
    });
  }
  return room.matrix;
}

/** The entries of K in the rows of one example and the columns of one layer. */
interface LayerPart {
  readonly layer: LayerShape;
  readonly place: LayerPlace;
  readonly factors: LayerFactors;
  readonly example: number;
  readonly p: Float64Array;
  /** √(p_i/b). */
  readonly roots: Float64Array;
}

/** A layer with one position: each entry of K is one product, δ · a or δ · 1. */
function fillProducts(matrix: ProductMatrix, { layer, place, factors, example, p, roots }: LayerPart): void {
  const { inputs, outputs } = layer;
  const x = new Float64Array(outputs * p.length);
  for (let o = 0; o < outputs; o++)
    centered(
      factors.deltas,
      (example * outputs + o) * p.length,
      p,
      roots,
      x.subarray(o * p.length, (o + 1) * p.length),
    );
  matrix.setProducts(example, place.weights, x, ofExample(factors.activations, example, inputs));
  setColumns(matrix.plainBlock(example, place.biases), outputs, x);
}

/** A layer with several positions: adds up δ ⊗ (a, 1) over them. */
function fillSummed(matrix: ProductMatrix, { layer, place, factors, example, p, roots }: LayerPart): void {
  const { inputs, outputs, positions } = layer;
  const { data, start, stride } = matrix.plainBlock(example, place.weights);
  for (let i = 0; i < p.length; i++) data.fill(0, start + i * stride, start + i * stride + outputs * inputs);
  const biases = addCenteredProducts(matrix, {
    group: example,
    block: place.weights,
    weights: p,
    roots,
    deltas: ofExample(factors.deltas, example, positions * outputs * p.length),
    activations: ofExample(factors.activations, example, positions * inputs),
    positions,
    outputs,
    inputs,
  });
  setColumns(matrix.plainBlock(example, place.biases), outputs, biases);
}

function ofExample(values: Float32Array, example: number, length: number): Float32Array {
  return values.subarray(example * length, (example + 1) * length);
}

/** Writes `columns` consecutive columns of a row; −0 is written as 0. */
function setColumns({ data, start, stride }: PlainBlock, columns: number, values: Float64Array): void {
  const rows = values.length / columns;
  for (let column = 0; column < columns; column++)
    for (let i = 0; i < rows; i++) data[start + i * stride + column] = 0 + values[column * rows + i];
}
