import type { BoardDevice } from '../driver/device-api.js';
import { settledOrAborted } from '../errors.js';

/** For each device, a promise that is kept when its last use so far has ended. It is never broken. */
const lastTurns = new WeakMap<BoardDevice, Promise<void>>();

/**
 * Runs `work` when every use that asked for `device` before has ended, in whatever way. A use leaves its
 * program and state on the board between two commands, so another use in between would change its answer.
 */
export async function takeTurn<Result>(
  device: BoardDevice,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = lastTurns.get(device) ?? Promise.resolve();
  let done: () => void = () => undefined;
  const own = new Promise<void>((resolve) => {
    done = resolve;
  });
  // The next use waits for both: when this one gives up waiting, the next must still wait for those before.
  lastTurns.set(
    device,
    before.then(() => own),
  );
  try {
    await settledOrAborted(before, signal);
    return await work();
  } finally {
    done();
  }
}
