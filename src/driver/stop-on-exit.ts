/** A process that ends waits at most this long for its boards to be safe. */
const STOP_MS = 500;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const SIGNAL_NAMES = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];

/** Options for stopping boards when the process ends. */
export interface StopOnExitOptions {
  /**
   * Whether SIGINT, SIGTERM and SIGHUP end the process. Default true. Pass false if the program
   * has listeners for them.
   */
  readonly signals?: boolean;
  /** Reports an exception that nobody caught. Default: prints its stack on standard error. */
  readonly report?: (error: unknown) => void;
}

/**
 * Number of calls of `stopBoardsOnExit` that want each report, and number that want signals to end the
 * process.
 */
const reports = new Map<(error: unknown) => void, number>();
let callsWithSignals = 0;
let ending = false;

/**
 * Stops every open board before the process ends by an uncaught exception, an unhandled rejection or a
 * signal. It waits at most 500 ms; then the process exits with 1, or with 128 + the number of the signal.
 * It may be called any number of times: all calls share their listeners, and each different report is called
 * once. The returned function undoes one call. When a process is killed outright, the watchdog of the board
 * ends its run. Errors: none.
 */
export function stopBoardsOnExit(options: StopOnExitOptions = {}): () => void {
  const { signals = true, report = printError } = options;
  if (reports.size === 0) process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash);
  reports.set(report, (reports.get(report) ?? 0) + 1);
  if (signals && callsWithSignals++ === 0) for (const name of SIGNAL_NAMES) process.on(name, onSignal);
  let undone = false;
  return () => {
    if (undone) return;
    undone = true;
    const calls = reports.get(report)! - 1;
    if (calls > 0) reports.set(report, calls);
    else reports.delete(report);
    if (reports.size === 0) process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
    if (signals && --callsWithSignals === 0) for (const name of SIGNAL_NAMES) process.off(name, onSignal);
  };
}

function printError(error: unknown): void {
  console.error(error);
}

function onCrash(error: unknown): void {
  end(1);
  for (const report of reports.keys())
    try {
      report(error);
    } catch {
      // An error of the report must not keep the boards running.
    }
}

function onSignal(signal: NodeJS.Signals): void {
  end(SIGNALS[signal as keyof typeof SIGNALS]);
}

function end(exitCode: number): void {
  if (ending) return;
  ending = true;
  // The process ends even if stopping fails or hangs.
  setTimeout(() => process.exit(exitCode), 2 * STOP_MS).unref();
  void stopOpenDevices(STOP_MS).finally(() => process.exit(exitCode));
}

/** A board that is stopped before the process ends. */
export interface Stoppable {
  stop(options: { readonly timeoutMs: number }): Promise<void>;
}

/** The open boards of this process. */
const open = new Set<Stoppable>();

/** Adds `device` to the open boards. The returned function removes it. */
export function noteOpen(device: Stoppable): () => void {
  open.add(device);
  return () => void open.delete(device);
}

/** Stops every open board, each for at most `timeoutMs`. Never throws. */
export async function stopOpenDevices(timeoutMs: number): Promise<void> {
  await Promise.allSettled([...open].map((device) => device.stop({ timeoutMs })));
}
