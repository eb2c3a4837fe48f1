import { ThermolinkError } from '../errors.js';

/** Codes of the errors with which a connection to a booting board may fail. */
const STILL_BOOTING: ReadonlySet<string> = new Set([
  'PORT_NOT_FOUND',
  'PORT_BUSY',
  'PORT_DENIED',
  'CANNOT_CONNECT',
  'NO_ANSWER',
  'NOT_A_BOARD',
  'LINK_LOST',
  'BUSY',
]);
const TRY_AGAIN_MS = 200;

/**
 * Tries to connect until a restarting board is back, for at most `waitSeconds`. Errors: that of the last try
 * if the board does not come back; any other error at once.
 */
export async function waitForBoard<T>(connect: () => Promise<T>, waitSeconds: number): Promise<T> {
  const untilMs = performance.now() + waitSeconds * 1000;
  for (;;)
    try {
      return await connect();
    } catch (error) {
      const isBooting = error instanceof ThermolinkError && STILL_BOOTING.has(error.code);
      if (!isBooting || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
}
