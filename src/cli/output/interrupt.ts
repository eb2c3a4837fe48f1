import { ThermolinkError } from '../../errors.js';

/**
 * SIGHUP says that the terminal was closed. Without a listener Node ends the process at once, even under
 * nohup, because Node resets its setting. Then the board would go on running, and the last steps would not be
 * saved.
 */
type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** The value of `data.signal` if the reader of the output has gone. It has no exit code of its own. */
export const CLOSED_PIPE = 'SIGPIPE';

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

/** Why work ends early: the reason of its signal, and the failure to report at its end, if there is one. */
interface Interruption {
  readonly reason: ThermolinkError;
  readonly failure?: ThermolinkError;
}

/** One function for each work that runs now. It interrupts the work, or returns false if it did so before. */
const running = new Set<(interruption: Interruption) => boolean>();

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
 * gave, and adds the error of the stop. Bugs pass through. `interruptRunning` ends `work` too.
 */
export async function withInterrupt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: InterruptOptions = {},
): Promise<T> {
  const { onInterrupt, host = process, clock = () => performance.now() } = options;
  const controller = new AbortController();
  let firstMs = 0;
  let first: Interruption | undefined;
  function interrupt(interruption: Interruption): boolean {
    if (first !== undefined) return false;
    first = interruption;
    firstMs = clock();
    controller.abort(interruption.reason);
    return true;
  }
  function listener(signal: Signal): void {
    if (interrupt({ reason: interrupted(signal) })) onInterrupt?.(signal);
    else if (clock() - firstMs >= SAME_PRESS_MS) host.exit(EXIT_CODES[signal]);
  }
  const signals = Object.keys(EXIT_CODES) as Signal[];
  for (const signal of signals) host.on(signal, listener);
  running.add(interrupt);
  try {
    const result = await work(controller.signal);
    throwFailure(first);
    return result;
  } catch (error) {
    throw first === undefined ? error : afterInterrupt(first, error);
  } finally {
    running.delete(interrupt);
    for (const signal of signals) host.off(signal, listener);
  }
}

/**
 * Interrupts the work in `withInterrupt` for another cause than a signal. If `failure` is given, the work
 * ends in that error even if it resolves. Returns `begun` for the first interruption, `ending` if the work is
 * ending already for an earlier cause, and `idle` if no work runs.
 */
export function interruptRunning(
  reason: ThermolinkError,
  failure?: ThermolinkError,
): 'idle' | 'begun' | 'ending' {
  if (running.size === 0) return 'idle';
  const begun = [...running].map((interrupt) => interrupt({ reason, ...(failure && { failure }) }));
  return begun.includes(true) ? 'begun' : 'ending';
}

/** The exit code after `signal`; undefined if that is not the name of a signal that interrupts. */
export function exitCodeOfSignal(signal: unknown): number | undefined {
  return Object.hasOwn(EXIT_CODES, String(signal)) ? EXIT_CODES[signal as Signal] : undefined;
}

function interrupted(signal: Signal): ThermolinkError {
  return new ThermolinkError('ABORTED', `interrupted by ${NAMES[signal]}`, { data: { signal } });
}

function throwFailure(interruption: Interruption | undefined): void {
  if (interruption?.failure) throw interruption.failure;
}

function afterInterrupt({ reason, failure = reason }: Interruption, error: unknown): unknown {
  // Node's own functions reject with an `AbortError`.
  if (error instanceof Error && error.name === 'AbortError') return failure;
  // If the output failed, `work` may have waited until the output takes more bytes, and has got the same
  // error.
  if (reason.cause instanceof Error && error instanceof Error && error.message === reason.cause.message)
    return failure;
  if (!(error instanceof ThermolinkError)) return error;
  const isClean = error.code === 'ABORTED' || error === failure;
  const message = isClean
    ? failure.message
    : `${failure.message.replace(/\.$/, '')}; while stopping, ${error.code}: ${error.message}`;
  const cause = isClean ? failure.cause : error;
  const hint = error.hint ?? failure.hint;
  return new ThermolinkError(failure.code, message, {
    ...(cause === undefined ? {} : { cause }),
    data: { ...error.data, ...failure.data },
    ...(hint === undefined ? {} : { hint }),
  });
}
