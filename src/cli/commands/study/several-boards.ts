import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { ENDED_FROM_OUTSIDE } from '../train/run-training.js';

/** Refuses boards of different models, because their results would differ. Errors: BAD_ARGUMENT. */
export function refuseUnlike(devices: readonly Device[]): void {
  const [first] = devices.map(({ identity }) => identity.model);
  const other = devices.find(({ identity }) => identity.model !== first);
  if (other === undefined) return;
  throw new ThermolinkError('BAD_ARGUMENT', `The boards are ${first} and ${other.identity.model}.`, {
    hint: 'The work is shared out over boards of one model only: name such boards by `device`.',
  });
}

/** Whether an error is the fault of one board, and not of the work that it was doing. */
export function isOfBoard(error: unknown): error is ThermolinkError {
  return error instanceof ThermolinkError && error.code !== 'ABORTED' && ENDED_FROM_OUTSIDE.has(error.code);
}
