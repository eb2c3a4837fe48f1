import { ThermolinkError } from '../../../errors.js';
import type { AnnouncedBoard, FarmClient } from '../../../farm/index.js';

/** The requirements of a job for its board. */
export interface BoardNeeds {
  readonly cells: number;
  /** Rows of the factored array. */
  readonly rows?: number;
  /** True: dense couplings. False: a factored array. Left out: the job uses neither. */
  readonly isDense?: boolean;
  /** Left out: any model that fits. */
  readonly model?: string | undefined;
}

/**
 * The model of the smallest offered boards that fit a job. If several models are equally small, it is the one
 * with the most boards. Errors: UNSUPPORTED if no board fits, with a list of the offered boards; those of the
 * client.
 */
export async function chosenModel(
  client: FarmClient,
  needs: BoardNeeds,
  signal: AbortSignal,
): Promise<string> {
  const offered = await client.ownBoards(signal);
  const fitting = offered.filter((board) => fits(board, needs));
  const counts = new Map<string, number>();
  for (const { identity } of fitting) counts.set(identity.model, (counts.get(identity.model) ?? 0) + 1);
  const [best] = fitting.sort(
    (a, b) =>
      a.identity.cells - b.identity.cells ||
      counts.get(b.identity.model)! - counts.get(a.identity.model)! ||
      (a.identity.model < b.identity.model ? -1 : 1),
  );
  if (best !== undefined) return best.identity.model;
  throw noneFits(offered, needs);
}

function fits({ identity }: AnnouncedBoard, { cells, rows = 0, isDense, model }: BoardNeeds): boolean {
  if (model !== undefined && identity.model !== model) return false;
  if (isDense === undefined) return true;
  return (
    identity.cells >= cells && (isDense ? identity.hasDense : identity.hasFactored && identity.rows >= rows)
  );
}

function noneFits(
  offered: readonly AnnouncedBoard[],
  { cells, isDense, model }: BoardNeeds,
): ThermolinkError {
  const models = [...new Set(offered.map(({ identity }) => `${identity.model} (${identity.cells} cells)`))];
  const there = models.length === 0 ? 'No board is offered' : `Offered are ${models.join(', ')}`;
  const array = isDense ? 'dense couplings' : 'a factored array';
  const wanted = isDense === undefined ? 'any board' : `${array} for ${cells} cells`;
  return new ThermolinkError(
    'UNSUPPORTED',
    `No board of the farm fits: the job needs ${wanted}${model === undefined ? '' : ` and the model ${model}`}. ${there}.`,
    {
      retryable: true,
      hint: 'Offer one by `thermolink farm worker`; `thermolink farm status` shows what is offered.',
      data: { cells, model, offered: models },
    },
  );
}
