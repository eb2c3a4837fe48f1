import type { BoardDevice, RunReport } from '../driver/device-api.js';
import { type ErrorCode, ThermolinkError, throwIfAborted } from '../errors.js';

/**
 * Largest number of repeats in a row of a lost program or board run. A program of 650 KB needs 50 repeats on
 * a line that is cut every few seconds and damages one byte in a thousand.
 */
const REPEATS_MAX = 200;

/** Errors of the line, the session or the board that do not concern the work itself. */
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
 * board is ready again. `sessionCount` belongs to the session in which the program was loaded. (A board that
 * was lost and found between two calls refuses the second call.) A board run that somebody stopped does not
 * count as lost; one that the watchdog ended does.
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

/** The error of the last loss, with a message that there were too many losses. */
function tooOftenError(loss: ThermolinkError): ThermolinkError {
  const { code, message, hint, data } = loss;
  return new ThermolinkError(
    code,
    `The same work was lost ${REPEATS_MAX + 1} times in a row. The last error: ${message}`,
    {
      cause: loss,
      retryable: true,
      hint: `The line or the board is too bad for this work: check cable, baud rate and power.${hint === undefined ? '' : ` ${hint}`}`,
      data: { ...data, repeats: REPEATS_MAX },
    },
  );
}

/** Work on a board that may get lost. */
export interface LosableWork<Result> {
  readonly work: () => Promise<Result>;
  /** Prepares a board that was made ready again for `work`. */
  readonly restore: () => Promise<void>;
  /** The session in which the board got its program. */
  readonly sessionCount: () => number | undefined;
}

/**
 * Does `work`. After a loss it makes the board ready, restores, and does `work` again, REPEATS_MAX times at
 * most. With a device without `recover` it tries once. Errors: the last error if `work` was lost too often,
 * with a message that says so; any error that is not a loss; ABORTED.
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
      // If the search for the board gave up, the device has ended with an error, and nothing can be repeated.
      if (device.recover === undefined || !isLost || error === loss) throw error;
      if (repeats === REPEATS_MAX) throw tooOftenError(error);
      throwIfAborted(signal);
      loss = error;
    }
  }
}
