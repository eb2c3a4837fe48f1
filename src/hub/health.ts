import type { BoardView, HubHealth } from './api.js';
import { wholeParameter } from './http-requests.js';
import { Refusal } from './refusal.js';

/** The question: `board=NAME` for one board, `all=1` for every board, no parameter for any board. */
export function healthOf(
  boards: readonly Pick<BoardView, 'name' | 'health'>[],
  parameters: URLSearchParams,
  { version, mayObserve }: { readonly version: string; readonly mayObserve: boolean },
): HubHealth {
  const name = parameters.get('board');
  const needsAll = wholeParameter(parameters, 'all', 1) === 1;
  if (name !== null && needsAll)
    throw new Refusal(400, 'BAD_ARGUMENT', '`board` and `all` exclude each other.', 'Give one of them.');
  const asked = name === null ? boards : boards.filter((board) => board.name === name);
  // A client that may not observe must not learn which names exist. For such a client, an unknown board looks
  // like a board that is not reached.
  if (asked.length === 0 && mayObserve)
    throw new Refusal(404, 'PORT_NOT_FOUND', 'There is no board of that name here.', 'See /api/boards.');
  const boardsGood = asked.filter(({ health }) => health === 'good').length;
  return {
    ok: needsAll ? boardsGood === asked.length : boardsGood > 0,
    boards: asked.length,
    boardsGood,
    version,
    ...(mayObserve && { states: Object.fromEntries(asked.map((board) => [board.name, board.health])) }),
  };
}
