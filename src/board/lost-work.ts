import type { BoardDevice, RunReport } from '../driver/device-api.js';
import { type ErrorCode, ThermolinkError, throwIfAborted } from '../errors.js';

/**
 * A program or a board run that is lost is done again at most so many times in a row. On a line that is cut
 * every few seconds and damages one byte in a thousand, a program of 650 KB takes 50.
 */
const REPEATS_MAX = 200;

/** Errors that say that the line, the session or the board lost something, and nothing about the work. */
const LOSSES: ReadonlySet<ErrorCode> = new Set([
  'LINK_LOST',
  'SESSION_LOST',
  'OUTCOME_UNKNOWN',
  'TIMEOUT',
  'SAMPLES_LOST',
  'DIGEST_MISMATCH',
]);

/**
 * Whether a call on a board failed because something was lost, so that the same call may succeed once the
 * board is ready again. `sessionCount` is that of the session in which the program was loaded: a board that
 * was lost and found between two calls refuses the second one. A board run that somebody stopped was not
 * lost; one that the watchdog ended was.
 */
export function isLoss(
  error: unknown,
  device: BoardDevice,
  sessionCount: number | undefined,
): error is ThermolinkError {
  if (!(error instanceof ThermolinkError)) return false;
  if (error.code === 'RUN_ENDED')
    return (error.data['report'] as RunReport | undefined)?.outcome === 'watchdog';
  if (error.code === 'DEVICE_REFUSED') return device.sessionCount !== sessionCount;
  return LOSSES.has(error.code);
}

/** The last loss, which says that it was one of too many. */
function tooOftenError(loss: ThermolinkError): ThermolinkError {
  const { code, message, hint, data } = loss;
  return new ThermolinkError(
    code,
    `The same work was lost ${REPEATS_MAX + 1} times in a row, at last so: ${message}`,
    {
      cause: loss,
      retryable: true,
      hint: `The line or the board is too bad for this work: check cable, baud rate and power.${hint === undefined ? '' : ` ${hint}`}`,
      data: { ...data, repeats: REPEATS_MAX },
    },
  );
}

/** Work on a board that may be lost. */
export interface LosableWork<Result> {
  readonly work: () => Promise<Result>;
  /** Brings a board that was made ready to where `work` begins. */
  readonly restore: () => Promise<void>;
  /** The session in which the board got its program. */
  readonly sessionCount: () => number | undefined;
}

/**
 * Does `work`. After a loss it makes the board ready, restores, and does `work` again, REPEATS_MAX times at
 * most. A device without `recover` gets no second chance. Errors: the last one, when `work` was lost too
 * often, with a message that says so; any error that is no loss; ABORTED.
 */
export async function repeated<Result>(
  device: BoardDevice,
  signal: AbortSignal | undefined,
  { work, restore, sessionCount }: LosableWork<Result>,
): Promise<Result> {
  let loss: ThermolinkError | undefined;
  for (let repeats = 0; ; repeats++) {
    try {
      if (loss !== undefined) {
        await device.recover?.(loss, { signal });
        await restore();
      }
      return await work();
    } catch (error) {
      const isLost = isLoss(error, device, sessionCount());
      // The device ends with one error when the search for its board gave up.
      if (device.recover === undefined || !isLost || error === loss) throw error;
      if (repeats === REPEATS_MAX) throw tooOftenError(error);
      throwIfAborted(signal);
      loss = error;
    }
  }
}
