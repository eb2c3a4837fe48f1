import type { BoardDevice } from '../driver/device-api.js';
import { abortError } from '../errors.js';

/** When the last call that asked for a device is done with it; never rejects. */
const lastTurns = new WeakMap<BoardDevice, Promise<void>>();

/**
 * Runs `work` when every call that asked for `device` before has ended, however it ended: a solver call leaves program
 * and state on the board between its commands, and another call's in between would change its answer. First come, first
 * served; `work` may not ask for the same device again.
 *
 * Errors: ABORTED while it waits, without ever touching the board; those of `work`.
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
  // Behind both: a call that gives up waiting must not let the next one pass those before it.
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

function settledOrAborted(before: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return before;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void before.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
