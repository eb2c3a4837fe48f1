/** How long an ending process waits for its boards to be safe. */
const STOP_MS = 500;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export interface StopOnExitOptions {
  /** Whether to end on SIGINT, SIGTERM and SIGHUP too. Default true; false for a program that has listeners of its own. */
  readonly signals?: boolean;
  /** Tells of an exception that nobody caught. Default: its stack on the standard error. */
  readonly report?: (error: unknown) => void;
}

/**
 * Before the process ends by an exception or a rejection that nobody handles, or by a signal, every board that it has open
 * is stopped, for at most 500 ms; then the process exits with 1, or with 128 + the signal's number. Returns a function that
 * takes all of it back. A process that is killed outright leaves that to the board's watchdog.
 */
export function stopBoardsOnExit(options: StopOnExitOptions = {}): () => void {
  const { signals = true, report = (error) => console.error(error) } = options;
  let ending = false;
  const end = (exitCode: number): void => {
    if (ending) return;
    ending = true;
    // Whatever stopping runs into, the process ends.
    setTimeout(() => process.exit(exitCode), 2 * STOP_MS).unref();
    void stopOpenDevices(STOP_MS).finally(() => process.exit(exitCode));
  };
  const onCrash = (error: unknown): void => {
    end(1);
    try {
      report(error);
    } catch {
      // What can't be told must not keep the boards running.
    }
  };
  const onSignal = (signal: NodeJS.Signals): void => end(SIGNALS[signal as keyof typeof SIGNALS]);
  const names = signals ? (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) : [];
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash);
  for (const name of names) process.on(name, onSignal);
  return () => {
    process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
    for (const name of names) process.off(name, onSignal);
  };
}

/** What stops when the process dies of an exception. */
export interface Stoppable {
  stop(options: { readonly timeoutMs: number }): Promise<void>;
}

/** Devices of this process that are open. */
const open = new Set<Stoppable>();

/** Counts `device` among the open ones; the returned function takes it out again. */
export function noteOpen(device: Stoppable): () => void {
  open.add(device);
  return () => void open.delete(device);
}

/** Stops every open board, each for at most `timeoutMs`. Never throws. */
export async function stopOpenDevices(timeoutMs: number): Promise<void> {
  await Promise.allSettled([...open].map((device) => device.stop({ timeoutMs })));
}
