import type { RelaxationSolver, RelaxRequest } from '../../algorithms/contract.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { LayerPlace } from '../problem/contract.js';

/** What blocks a curvature is solved in: as a whole, or layer by layer. */
export type Blocks = 'whole' | 'layers';

/** Addresses of the board runs of one layer: those of its relaxation and of its delay. */
const ADDRESSES_OF_LAYER = 2;

/**
 * A solver that relaxes the columns of each layer by themselves: of G it keeps the blocks on the diagonal,
 * and each has scales of its own on the board. With a single layer it is `solver`, bit for bit. The board
 * needs cells for the largest layer only. For a factored system whose columns are the parameters.
 */
export function inLayerBlocks(solver: RelaxationSolver, places: readonly LayerPlace[]): RelaxationSolver {
  return {
    name: solver.name,
    relax: async (request) => {
      const x = new Float64Array(request.initial.length);
      let cost: SolverCost = ZERO_COST;
      for (const [l, place] of places.entries()) {
        const start = Math.min(place.weightOffset, place.biasOffset);
        const end = start + place.outputs * (place.inputs + 1);
        const answer = await solver.relax(blockOf(request, l, start, end));
        x.set(answer.x, start);
        cost = addCost(cost, answer.cost);
      }
      return { x, cost };
    },
  };
}

function blockOf(request: RelaxRequest, l: number, start: number, end: number): RelaxRequest {
  const { system, drive, initial, address } = request;
  assert('kind' in system && system.kind === 'factored', 'only the factor of a curvature has layers');
  const stretch = (values: Float64Array): Float64Array => values.slice(start, end);
  return {
    ...request,
    system: { ...system, factor: columnsOf(system.factor, start, end) },
    drive: typeof drive === 'function' ? async () => stretch(await drive()) : stretch(drive),
    initial: stretch(initial),
    address: { ...address, block: address.block + ADDRESSES_OF_LAYER * l },
  };
}

function columnsOf({ rows, columns, data }: Matrix, start: number, end: number): Matrix {
  const part = matrix(rows, end - start);
  for (let r = 0; r < rows; r++)
    part.data.set(data.subarray(r * columns + start, r * columns + end), r * (end - start));
  return part;
}
