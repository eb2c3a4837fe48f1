import { settledOrAborted } from '../errors.js';

/** A use of a device that others wait for. Its promises are never broken. */
interface Turn {
  /** Kept when it and all before it have ended. */
  readonly ended: Promise<void>;
  /** True when it lends the other bank, and false when it has ended without. */
  readonly lends: Promise<boolean>;
}

const NO_TURN: Turn = { ended: Promise.resolve(), lends: Promise.resolve(false) };

/** For each device its last use so far. */
const lastTurns = new WeakMap<object, Turn>();

/**
 * Runs `work` when every use that asked for `device` before has ended, in whatever way. A use leaves its
 * program and state on the board between two commands, so another use in between would change its answer.
 *
 * `work` may call `lend` when from there on it leaves the bank alone that it does not use itself. The next
 * use, if it has `ahead`, then does that at once, while this one goes on; nobody else is on the board.
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
  // The next use waits for both: when this one gives up waiting, the next must still wait for those before.
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
