import type { RelaxationSolver, RelaxRequest, RelaxResult } from '../../algorithms/contract.js';
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
 * and each has scales of its own on the board. With a single layer it is `solver`, bit for bit. A board needs
 * cells for its largest layer only. Layers are shared out over the boards of `solver`, and a board takes its
 * own one after the other. For a factored system whose columns are the parameters.
 *
 * When a board fails, the others are stopped before its error is thrown.
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
 * The layers of each board, ascending: the largest layer that is left goes to the board with the fewest
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

/** Parameters of a layer: the unknowns that a board needs for it. */
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
