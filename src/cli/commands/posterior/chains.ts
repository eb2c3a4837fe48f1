import type { PosteriorChain } from '../../../algorithms/posterior/chain.js';
import { addCost, type SolverCost, ZERO_COST } from '../../../board/cost.js';
import type { RunAddress } from '../../../board/run-seed.js';
import type { Device } from '../../../driver/device.js';
import { counted } from '../../../number-text.js';
import type { OnBoard } from '../../board-command.js';

/** The board and options of one chain. */
export interface ChainUse {
  readonly address: RunAddress;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** The chains of a posterior and how they came about. */
export interface DrawnChains<Chain> {
  readonly chains: readonly Chain[];
  /** The URI of each chain's board. */
  readonly boards: readonly string[];
  readonly cost: SolverCost;
  readonly hostSeconds: number;
  readonly repeats: number;
}

/**
 * Draws one chain after the other, each on its board. A board that several chains name is opened once. Chain
 * k uses the blocks 2k and 2k + 1 of the seed.
 */
export async function drawChains<Chain extends Pick<PosteriorChain, 'cost'>>(
  onBoard: OnBoard,
  boards: readonly string[],
  draws: number,
  seed: number,
  draw: (board: Device, use: ChainUse) => Promise<Chain>,
): Promise<DrawnChains<Chain>> {
  const chains: Chain[] = [];
  let [hostSeconds, repeats, finished] = [0, 0, 0];
  for (const [index, uri] of [...new Set(boards)].entries()) {
    const numbers = boards.flatMap((board, k) => (board === uri ? [k] : []));
    const worked = await onBoard(
      async (board, { signal, show }) => {
        for (const k of numbers) {
          const before = finished;
          chains[k] = await draw(board, {
            address: { seed, step: 0, block: 2 * k },
            signal,
            onProgress: (done) => show(before + done, `draws, chain ${k + 1} of ${boards.length}`),
          });
          finished += draws;
        }
      },
      { uri, boardNumber: index + 1, total: draws * boards.length },
    );
    hostSeconds += worked.hostSeconds;
    repeats += worked.repeats;
  }
  const cost = chains.reduce((sum, chain) => addCost(sum, chain.cost), ZERO_COST);
  return { chains, boards, cost, hostSeconds, repeats };
}

/** `4 boards, from emulator:ideal-8 on`. */
export function boardsText(boards: readonly string[]): string {
  const distinct = new Set(boards);
  return distinct.size === 1 ? boards[0] : `${counted(distinct.size, 'board')}, from ${boards[0]} on`;
}
