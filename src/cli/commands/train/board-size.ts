import { refuseTooLarge } from '../../../board/checked-system.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { type Blocks, sizeOf } from '../../../learning/optimizers/layer-blocks.js';
import type { LayerPlace } from '../../../learning/problem/contract.js';
import type { ResolvedRequest } from '../../../learning/train-request.js';
import { counted } from '../../../number-text.js';

/** The requirements of a training for its board. */
export interface BoardShape {
  readonly cells: number;
  /** Rows of the factored array. */
  readonly rows?: number;
  /** True: dense couplings. False: a factored array. */
  readonly isDense: boolean;
}

/** The largest factor K of a classifier: one row for each class of each curvature example. */
export function classifierShape(
  { network, curvatureExamples, curvature }: Omit<ResolvedRequest, 'optimizer'>,
  blocks: Blocks = 'whole',
): { readonly parameterCount: number; readonly curvatureRows: number; readonly classes: number } {
  const { outputCount, layers } = network;
  const parameterCount = blocks === 'layers' ? Math.max(...layers.map(sizeOf)) : network.parameterCount;
  const classes = curvature === 'monte-carlo' ? 1 : outputCount;
  return { parameterCount, curvatureRows: curvatureExamples * classes, classes };
}

/** The unknowns of the largest Kronecker factor of these layers. */
export function largestFactor(layers: readonly LayerPlace[]): number {
  return layers.reduce((most, { inputs, outputs }) => Math.max(most, inputs + 1, outputs), 0);
}

/**
 * Refuses a problem that is too large for the board before anything is overwritten; the solver would refuse
 * it in the first step. The factor K has one row for each class of each curvature example, and one column for
 * each parameter; if the layers are solved one by one, the board has one layer at a time.
 *
 * Errors: TOO_LARGE, which names the largest number of curvature examples that fits if they are too many;
 * UNSUPPORTED.
 */
export function refuseTooLargeForBoard(
  request: Omit<ResolvedRequest, 'optimizer'>,
  board: DeviceIdentity,
  blocks: Blocks = 'whole',
): void {
  const { batch, curvatureExamples } = request;
  const { classes, ...shape } = classifierShape(request, blocks);
  const examplesMax = Math.min(batch, Math.floor(board.rows / classes));
  refuseTooLargeShape(shape, board, {
    hint:
      `Each curvature example takes ${counted(classes, 'row')}${classes === 1 ? '' : ', one for each class'}: ` +
      `lower --curvature-examples to ${examplesMax} at most, or choose a larger board.`,
    fits: examplesMax >= 1,
    data: { curvatureExamples, curvatureExamplesMax: examplesMax },
  });
}

/**
 * Refuses layers whose Kronecker factors are too large for the board, which inverts one at a time: a factor
 * has inputs + 1 or outputs unknowns. Errors: TOO_LARGE; UNSUPPORTED for a board without dense couplings.
 */
export function refuseTooLargeLayers(layers: readonly LayerPlace[], board: DeviceIdentity): void {
  refuseTooLargeDense(largestFactor(layers), board);
}

/**
 * Refuses a dense matrix with this number of unknowns if it is too large for the board. Errors: TOO_LARGE;
 * UNSUPPORTED for a board without dense couplings.
 */
export function refuseTooLargeDense(unknowns: number, board: DeviceIdentity): void {
  // The check does not look at the entries.
  const matrix = { rows: unknowns, columns: unknowns, data: new Float64Array(0) };
  refuseTooLarge({ kind: 'dense', matrix }, board);
}

/** Advice for a factor with too many rows. */
export interface FewerRows {
  readonly hint: string;
  /** False if even the smallest number of rows is too many for the board. */
  readonly fits: boolean;
  readonly data: Readonly<Record<string, number>>;
}

/**
 * Refuses a factor of this shape that is too large for the board. Errors: TOO_LARGE, with `fewerRows` if only
 * the rows are too many; UNSUPPORTED.
 */
export function refuseTooLargeShape(
  { parameterCount, curvatureRows }: { readonly parameterCount: number; readonly curvatureRows: number },
  board: DeviceIdentity,
  fewerRows?: FewerRows,
): void {
  try {
    // The check does not look at the entries.
    const factor = { rows: curvatureRows, columns: parameterCount, data: new Float64Array(0) };
    refuseTooLarge({ kind: 'factored', factor, damping: 0 }, board);
  } catch (error) {
    const isByRows = parameterCount <= board.cells && fewerRows?.fits === true;
    if (!(error instanceof ThermolinkError) || error.code !== 'TOO_LARGE' || !isByRows) throw error;
    throw new ThermolinkError('TOO_LARGE', error.message, {
      hint: fewerRows.hint,
      data: { ...error.data, ...fewerRows.data },
    });
  }
}
