import type { BoardProfile, Die, DynamicFault } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject, checkOptionalFunction, checkSeed, checkSignal, checkText } from '../argument-checks.js';
import { Device, type OpenOptions } from '../driver/device.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { ThreadPort } from '../transport/thread-port.js';
import { channelEnd } from './channel-end.js';

/**
 * Longest wait for the start of a worker. The start takes 0.1 s on an idle machine, and much longer over a
 * slow network.
 */
const START_TIMEOUT_MS = 30_000;

/**
 * The data for a new worker. The worker looks up the name of a profile, so the page need not load the
 * profiles.
 */
export interface BoardWorkerData extends Omit<Die, 'profile'> {
  readonly profile: string | BoardProfile;
  readonly name: string;
  readonly port: MessagePort;
}

/** The only answer of a worker: its board is ready, or the profile is unknown and these names exist. */
export type BoardWorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unknown'; readonly names: string[] };

/** Options of an emulated board in a worker. */
export interface WorkerBoardOptions {
  /** A board type by its name, or its description. Default `ideal-8`. */
  readonly profile?: string | BoardProfile;
  /** Die seed: selects one fabricated board of the type; 0 … 2³² − 1. Default 1. */
  readonly dieSeed?: number;
  /** Faults that occur while the board works. */
  readonly faults?: readonly DynamicFault[];
  /**
   * Makes the worker. Default: a module worker from `board-worker-main.js` beside this file, which bundlers
   * find and pack by themselves.
   */
  readonly makeWorker?: () => Worker;
  readonly signal?: AbortSignal;
}

/**
 * Starts an emulated board in a Web Worker and opens a session with it. The results are those of the same die
 * in Node, bit for bit. Closing the device ends the worker.
 *
 * Errors: those of `openWorkerPort` and of `Device.open`. After an error nothing stays open.
 */
export async function connectWorker(
  options: WorkerBoardOptions & Omit<OpenOptions, 'reconnect'> = {},
): Promise<Device> {
  return Device.open(await openWorkerPort(options), options);
}

/**
 * Starts an emulated board in a Web Worker. Closing the port ends the worker at once. If the worker breaks,
 * the port closes with the reason.
 *
 * Errors: BAD_ARGUMENT; UNKNOWN_PROFILE; CANNOT_CONNECT when the worker does not start within 30 s; ABORTED.
 */
export async function openWorkerPort(options: WorkerBoardOptions = {}): Promise<Port> {
  checkObject('options', options, "{ profile: 'ideal-8' }");
  const { profile = 'ideal-8', dieSeed = 1, faults, makeWorker = defaultWorker, signal } = options;
  if (typeof profile === 'string') checkText('profile', profile);
  else checkObject('profile', profile, "findProfile('ideal-8')");
  checkSeed('dieSeed', dieSeed);
  checkOptionalFunction('makeWorker', makeWorker);
  checkSignal(signal);
  throwIfAborted(signal);
  const name = `worker:${typeof profile === 'string' ? profile : profile.name}`;
  const worker = made(makeWorker, name);
  const { port1, port2 } = new MessageChannel();
  const ended = new Promise<Error>((resolve) => {
    worker.addEventListener('error', (event) => {
      // The page reports the error of the port; without this line the browser would report it again.
      event.preventDefault();
      resolve(new Error(event.message || 'its program could not be loaded'));
    });
  });
  try {
    const data: BoardWorkerData = { profile, dieSeed, faults, name, port: port2 };
    const answering = answered(worker, ended, name, signal);
    worker.postMessage(data, [port2]);
    const answer = await answering;
    if (answer.kind === 'unknown') throw unknownError(name, answer.names);
  } catch (error) {
    port1.close();
    worker.terminate();
    throw error;
  }
  return new ThreadPort(name, channelEnd(port1, ended), {
    release: () => Promise.resolve(worker.terminate()),
    reason: async () => brokenError(name, await ended),
  });
}

function unknownError(name: string, names: readonly string[]): ThermolinkError {
  return new ThermolinkError('UNKNOWN_PROFILE', `The emulator has no profile for ${name}.`, {
    hint: `Choose one of ${names.join(', ')}.`,
  });
}

function defaultWorker(): Worker {
  return new Worker(new URL('./board-worker-main.js', import.meta.url), { type: 'module' });
}

/**
 * Makes a worker. This throws at once if the page was opened as a file and the browser then allows no
 * workers.
 */
function made(makeWorker: () => Worker, name: string): Worker {
  try {
    return makeWorker();
  } catch (cause) {
    throw startError(name, cause);
  }
}

/** Resolves to the answer of the worker. */
function answered(
  worker: Worker,
  ended: Promise<Error>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<BoardWorkerAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: BoardWorkerAnswer | ThermolinkError): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (outcome instanceof ThermolinkError) reject(outcome);
      else resolve(outcome);
    };
    const onAbort = (): void => settle(abortError(signal!));
    const timer = setTimeout(() => settle(startError(name)), START_TIMEOUT_MS);
    signal?.addEventListener('abort', onAbort, { once: true });
    const onAnswer = ({ data }: MessageEvent<BoardWorkerAnswer>): void => settle(data);
    worker.addEventListener('message', onAnswer, { once: true });
    void ended.then((cause) => settle(startError(name, cause)));
  });
}

function startError(name: string, cause?: unknown): ThermolinkError {
  const why = cause instanceof Error ? `: ${cause.message}` : '.';
  return new ThermolinkError('CANNOT_CONNECT', `The worker of ${name} did not start${why}`, {
    cause,
    retryable: true,
    hint: 'A page opened as a file has no workers: serve its folder, for example by python3 -m http.server.',
  });
}

function brokenError(name: string, cause: Error): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The worker of ${name} ended: ${cause.message}`, {
    cause,
    hint: 'Connect again; if it happens again, this is a bug of the emulator.',
  });
}
