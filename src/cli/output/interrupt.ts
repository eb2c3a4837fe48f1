import { abortError, ThermolinkError } from '../../errors.js';

/**
 * SIGHUP says that the terminal was closed. Without a listener Node ends the process at once, even under
 * nohup, because Node resets its setting. Then the board would go on running, and the last steps would not be
 * saved.
 */
type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** The exit codes of shells: 128 plus the number of the signal. */
const EXIT_CODES: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const NAMES: Readonly<Record<Signal, string>> = {
  SIGHUP: 'SIGHUP (its terminal was closed)',
  SIGINT: 'Ctrl-C',
  SIGTERM: 'SIGTERM',
};

/**
 * A second signal within this time belongs to the same key press, milliseconds. The terminal sends a Ctrl-C
 * to every process of the group, and some launchers, such as versions of npm, pass it on to their child too.
 */
const SAME_PRESS_MS = 300;

/** The part of `process` that is used. */
export interface SignalHost {
  on(signal: Signal, listener: (signal: Signal) => void): unknown;
  off(signal: Signal, listener: (signal: Signal) => void): unknown;
  exit(exitCode: number): unknown;
}

export interface InterruptOptions {
  /** Called once, at the first signal. It can say that the board is being stopped. */
  readonly onInterrupt?: (signal: Signal) => void;
  /** Default `process`. */
  readonly host?: SignalHost;
  /** Milliseconds from any start. Default `performance.now`. */
  readonly clock?: () => number;
}

/**
 * Runs `work` with a signal that Ctrl-C, SIGTERM and SIGHUP abort with `ABORTED`, so that `work` can stop the
 * board before it rejects. A second signal ends the process at once.
 *
 * If `work` resolves after a signal, its result is returned. If it rejects, the error is `ABORTED` with
 * `data.signal`, from which `reportError` takes the exit code. It keeps the hint and the data that `work`
 * gave, and names what went wrong while stopping. Bugs pass through.
 */
export async function withInterrupt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: InterruptOptions = {},
): Promise<T> {
  const { onInterrupt, host = process, clock = () => performance.now() } = options;
  const controller = new AbortController();
  let firstMs = 0;
  function listener(signal: Signal): void {
    if (!controller.signal.aborted) {
      firstMs = clock();
      controller.abort(interrupted(signal));
      onInterrupt?.(signal);
    } else if (clock() - firstMs >= SAME_PRESS_MS) host.exit(EXIT_CODES[signal]);
  }
  const signals = Object.keys(EXIT_CODES) as Signal[];
  for (const signal of signals) host.on(signal, listener);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? afterInterrupt(abortError(controller.signal), error) : error;
  } finally {
    for (const signal of signals) host.off(signal, listener);
  }
}

/** The exit code after `signal`; undefined if that is not the name of a signal that interrupts. */
export function exitCodeOfSignal(signal: unknown): number | undefined {
  return Object.hasOwn(EXIT_CODES, String(signal)) ? EXIT_CODES[signal as Signal] : undefined;
}

function interrupted(signal: Signal): ThermolinkError {
  return new ThermolinkError('ABORTED', `interrupted by ${NAMES[signal]}`, { data: { signal } });
}

function afterInterrupt(reason: ThermolinkError, error: unknown): unknown {
  // Node's own functions reject with an `AbortError`.
  if (error instanceof Error && error.name === 'AbortError') return reason;
  if (!(error instanceof ThermolinkError)) return error;
  const isClean = error.code === 'ABORTED';
  const message = isClean
    ? reason.message
    : `${reason.message}; while stopping, ${error.code}: ${error.message}`;
  return new ThermolinkError('ABORTED', message, {
    ...(isClean ? {} : { cause: error }),
    data: { ...error.data, ...reason.data },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
