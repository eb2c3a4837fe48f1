import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Die } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject, checkText } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { ThreadPort } from '../transport/thread-port.js';

/**
 * Longest wait for the start of a thread. The start takes 0.1 s on an idle machine, and much longer on a busy
 * one.
 */
const START_TIMEOUT_MS = 30_000;
/**
 * The compiled program of the thread. Tests run from the sources also need it, because Node starts threads
 * only from JavaScript.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/serve/board-thread-main.js' : 'board-thread-main.js',
  import.meta.url,
);

/** The data for a new thread. */
export interface BoardThreadData {
  readonly die: Die;
  readonly name: string;
  readonly port: MessagePort;
}

/**
 * Starts an emulated board in a separate thread; several boards can then compute in parallel. Its results are
 * those of a board in this thread, bit for bit. Closing the port ends the thread at once. Port and thread do
 * not keep the process alive. If the thread breaks, the port closes with the reason. Errors: CANNOT_CONNECT
 * when the thread does not start; ABORTED.
 */
export async function openBoardThread(
  die: Die,
  name: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Port> {
  checkObject('die', die, "{ profile: findProfile('ideal-64'), dieSeed: 1 }");
  checkText('name', name);
  throwIfAborted(signal);
  const { port1, port2 } = new MessageChannel();
  const data: BoardThreadData = { die, name, port: port2 };
  const worker = new Worker(ENTRY, {
    workerData: data,
    transferList: [port2],
    // The thread must not inherit this process's options (--input-type, --inspect-brk …).
    execArgv: [],
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.once('error', resolve);
    worker.once('exit', () => resolve(undefined));
  });
  try {
    await started(worker, ended, name, signal);
  } catch (error) {
    port1.close();
    await worker.terminate();
    throw error;
  }
  worker.unref();
  const port = new ThreadPort(name, port1, {
    release: async () => void (await worker.terminate()),
    reason: async () => {
      const cause = await ended;
      return cause && brokenError(name, cause);
    },
  });
  port1.unref();
  return port;
}

/** Resolves when the board in the thread is ready. */
async function started(
  worker: Worker,
  ended: Promise<Error | undefined>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  const until = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const failure = (cause?: unknown) =>
    new ThermolinkError('CANNOT_CONNECT', `The thread of ${name} did not start.`, {
      cause,
      retryable: true,
      hint: 'Is there memory left? A board needs a few bytes per coupling.',
    });
  const end = ended.then((cause) => {
    throw failure(cause);
  });
  try {
    await Promise.race([once(worker, 'message', { signal: until }), end]);
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    throw error instanceof ThermolinkError ? error : failure(error);
  }
}

function brokenError(name: string, cause: Error): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The thread of ${name} ended: ${cause.message}`, {
    cause,
    hint: 'Connect again; if it happens again, this is a bug of the emulator.',
  });
}
