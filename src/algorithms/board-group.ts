import { badArgument } from '../argument-checks.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { createAnalogSolver } from './board-solver.js';
import type { AnalogSolverOptions, RelaxationSolver } from './contract.js';

/** A larger number of boards is of no use, because networks have fewer layers. */
const BOARDS_MAX = 64;

/**
 * A solver over several boards of one model. An optimizer that cuts its curvature into layers (`blocks:
 * 'layers'`) gives each board layers of its own, and the boards relax at the same time. Scales, codes and
 * seeds of a layer do not depend on its board. So several boards of one die give the same parameters as one
 * board of this die, bit for bit. Couplings that stay on a board are sent less often. A system that is not
 * cut goes to the first board.
 *
 * When a board fails, the other boards are stopped first. The error then names the board that failed;
 * `data.boardNumber` is its number, counted from 0.
 *
 * Errors: BAD_ARGUMENT for no board, the same device twice, more than 64, or boards of several models; those
 * of `createAnalogSolver`.
 */
export function createBoardGroupSolver(
  devices: readonly BoardDevice[],
  options: AnalogSolverOptions = {},
): RelaxationSolver {
  if (!Array.isArray(devices) || devices.length < 1 || devices.length > BOARDS_MAX)
    throw badArgument('devices', devices, `a list of 1 to ${BOARDS_MAX} connected boards`);
  const solvers = devices.map((device: BoardDevice) => createAnalogSolver(device, options));
  if (new Set(devices).size < devices.length)
    throw new ThermolinkError('BAD_ARGUMENT', 'The list of devices has a board twice.', {
      hint: 'Name each board once.',
    });
  const models = [...new Set(devices.map(({ identity }) => identity.model))];
  if (models.length > 1)
    throw new ThermolinkError('BAD_ARGUMENT', `The boards are of several models: ${models.join(', ')}.`, {
      hint: 'Use boards of one model, because the result of a layer must not depend on its board.',
      data: { models },
    });
  const boards = solvers.map(
    (solver, k): RelaxationSolver => ({
      name: solver.name,
      relax: async (request) => {
        try {
          return await solver.relax(request);
        } catch (error) {
          throw namingBoard(error, devices[k], k, devices.length);
        }
      },
    }),
  );
  return { name: 'analog', relax: (request) => boards[0].relax(request), boards };
}

function namingBoard(error: unknown, { identity }: BoardDevice, k: number, count: number): unknown {
  if (!(error instanceof ThermolinkError) || error.code === 'ABORTED' || count === 1) return error;
  const { code, message, cause, hint, retryable, data } = error;
  const { model, serialNumber } = identity;
  const board = `Board ${k + 1} of ${count} (${model}, ${serialNumber}) failed`;
  return new ThermolinkError(code, `${board}: ${message}`, {
    ...{ cause, hint, retryable },
    data: { ...data, boardNumber: k, serialNumber },
  });
}
