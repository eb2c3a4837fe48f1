import { settledOrAborted } from '../errors.js';

/** A use of a device that other uses wait for. Its promises never reject. */
interface Turn {
  /** Resolves when this use and all earlier ones have ended. */
  readonly ended: Promise<void>;
  /** Resolves to true when this use lends the other bank, and to false when it has ended without lending. */
  readonly lends: Promise<boolean>;
}

const NO_TURN: Turn = { ended: Promise.resolve(), lends: Promise.resolve(false) };

/** The last use of each device so far. */
const lastTurns = new WeakMap<object, Turn>();

/**
 * Runs `work` after every earlier use of `device` has ended. A use may also end by an error. A use has its
 * program and state on the board between its commands, so another use in between would change its answer.
 *
 * `work` may call `lend` if it does not touch the second bank any more. The next use, if it has `ahead`, then
 * runs `ahead` at once, while this use goes on. No other use is on the board at that time.
 */
export async function takeTurn<Result>(
  device: object,
  signal: AbortSignal | undefined,
  work: (lend: () => void) => Promise<Result>,
  ahead?: () => Promise<void>,
): Promise<Result> {
  const before = lastTurns.get(device) ?? NO_TURN;
  let done: () => void = () => undefined;
  let lend: (lends: boolean) => void = () => undefined;
  const own = new Promise<void>((resolve) => {
    done = resolve;
  });
  const lends = new Promise<boolean>((resolve) => {
    lend = resolve;
  });
  // The next use waits for both. If this use gives up waiting, the next one must still wait for the earlier
  // uses.
  lastTurns.set(device, { ended: before.ended.then(() => own), lends });
  try {
    if (ahead !== undefined && (await settledOrAborted(before.lends, signal))) await ahead();
    await settledOrAborted(before.ended, signal);
    return await work(() => lend(true));
  } finally {
    lend(false);
    done();
  }
}
