import { openTrace } from '../open-trace.js';
import { ReplayDevice, type ReplayOptions } from './replay-device.js';
import { readScript } from './script.js';

/**
 * Makes the board of a recorded session. `session` selects one of several sessions, from 1. Errors: BAD_FILE,
 * TOO_LARGE.
 */
export async function createReplay(
  file: string,
  session: number | undefined,
  options: ReplayOptions,
): Promise<ReplayDevice> {
  const trace = await openTrace(file);
  try {
    return new ReplayDevice(readScript(trace, session), options);
  } finally {
    trace.close();
  }
}
