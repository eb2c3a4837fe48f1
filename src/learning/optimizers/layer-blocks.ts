import type { RelaxationSolver, RelaxRequest, RelaxResult } from '../../algorithms/contract.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { LayerPlace } from '../problem/contract.js';

/** How a system with the curvature is solved: as a whole, or each layer separately. */
export type Blocks = 'whole' | 'layers';

/**
 * Number of consecutive `block` numbers that one layer uses in the addresses of its board runs: one for its
 * relaxation and one for its delay.
 */
const ADDRESSES_OF_LAYER = 2;

/**
 * A solver that relaxes each layer separately. It uses only the diagonal blocks of G, and scales each block
 * separately on the board. With a single layer it gives the results of `solver`, bit for bit. A board needs
 * cells only for its largest layer. The layers are distributed over the boards of `solver`; each board takes
 * its layers one after another. The system must be factored, and its columns must be the parameters.
 *
 * If one board fails, the others are stopped first; then its error is thrown.
 */
export function inLayerBlocks(solver: RelaxationSolver, places: readonly LayerPlace[]): RelaxationSolver {
  const boards = solver.boards ?? [solver];
  const shares = sharesOf(places.map(sizeOf), boards.length);
  return {
    name: solver.name,
    relax: async (request) => {
      const answers: RelaxResult[] = [];
      const others = new AbortController();
      const signal =
        request.signal === undefined ? others.signal : AbortSignal.any([request.signal, others.signal]);
      let failure: { readonly error: unknown } | undefined;
      const takeShare = async (board: RelaxationSolver, share: readonly number[]): Promise<void> => {
        try {
          for (const l of share)
            answers[l] = await board.relax(blockOf({ ...request, signal }, l, places[l]));
        } catch (error) {
          failure ??= { error };
          others.abort();
        }
      };
      await Promise.all(boards.map((board, k) => takeShare(board, shares[k])));
      if (failure !== undefined) throw failure.error;
      const x = new Float64Array(request.initial.length);
      let cost: SolverCost = ZERO_COST;
      for (const [l, answer] of answers.entries()) {
        x.set(answer.x, startOf(places[l]));
        cost = addCost(cost, answer.cost);
      }
      return { x, cost };
    },
  };
}

/**
 * The layers of each board, ascending. The largest remaining layer always goes to the board with the fewest
 * parameters.
 */
export function sharesOf(sizes: readonly number[], boards: number): number[][] {
  const shares = Array.from({ length: boards }, (): number[] => []);
  const loads = shares.map(() => 0);
  const largestFirst = sizes.map((_, l) => l).sort((a, b) => sizes[b] - sizes[a] || a - b);
  for (const l of largestFirst) {
    const board = loads.indexOf(Math.min(...loads));
    shares[board].push(l);
    loads[board] += sizes[l];
  }
  return shares.map((share) => share.sort((a, b) => a - b));
}

/** Number of parameters of a layer, which is also the number of unknowns on the board. */
export function sizeOf({ outputs, inputs }: LayerPlace): number {
  return outputs * (inputs + 1);
}

function startOf({ weightOffset, biasOffset }: LayerPlace): number {
  return Math.min(weightOffset, biasOffset);
}

function blockOf(request: RelaxRequest, l: number, place: LayerPlace): RelaxRequest {
  const start = startOf(place);
  const end = start + sizeOf(place);
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
