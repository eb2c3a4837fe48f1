import { setTimeout as delay } from 'node:timers/promises';
import { ThermolinkError } from '../../../errors.js';
import type { FarmClient, SubmittedJob } from '../../../farm/index.js';

/** A server that does not answer in this time keeps the jobs that were to be withdrawn. */
const WITHDRAW_MS = 5000;

/**
 * Waits for jobs by `work`. When it fails, also by Ctrl-C, the jobs are withdrawn: those that are not done
 * leave the queue, and boards stop them within seconds. The hint of the error ends with `wayOn`.
 */
export async function whileWaiting<T>(
  client: FarmClient,
  jobs: readonly SubmittedJob[],
  signal: AbortSignal,
  work: () => Promise<T>,
  wayOn = '',
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const deadline = AbortSignal.timeout(WITHDRAW_MS);
    const isWithdrawn = await Promise.race([
      client.withdraw(jobs, deadline).then(
        () => true,
        () => false,
      ),
      delay(WITHDRAW_MS, false, { ref: false }),
    ]);
    if (!signal.aborted || !(error instanceof ThermolinkError)) throw error;
    const where = isWithdrawn
      ? 'Unfinished jobs have left the queue; results stay for a week.'
      : 'The server did not answer: the jobs stay in its queue.';
    throw new ThermolinkError('ABORTED', error.message, {
      cause: error,
      hint: `${where} ${wayOn}`.trimEnd(),
    });
  }
}
