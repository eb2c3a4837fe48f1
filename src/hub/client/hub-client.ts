import type { ClientRequest, IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { badArgument, checkObject, checkSignal, checkText } from '../../argument-checks.js';
import { parseDeviceUri } from '../../connect.js';
import { abortError, ThermolinkError, throwIfAborted } from '../../errors.js';
import {
  type HubAddress,
  hubConnectError,
  hubRequest,
  refusalError,
  refusalOf,
} from '../../transport/hub-port.js';
import {
  BOARD_LIST,
  BOARD_NAME,
  type BoardView,
  HEALTH,
  type HubEvent,
  type HubHealth,
  NOTES_ANSWER,
  NOTES_REQUEST,
  type Note,
  RECORDING_VIEW,
  type RecordingView,
  STOP_ANSWER,
} from '../api.js';
import { saveBody } from './download.js';
import { hubEvents } from './hub-events.js';

/** Deadline of an answer, in ms, unless the caller gives another one. */
const ANSWER_MS = 5000;
/** Longest deadline: the longest time that a timer of JavaScript takes. */
const DEADLINE_MS_MAX = 2 ** 31 - 1;
/** A recording that sends no byte for this time has failed. */
const DOWNLOAD_SILENCE_MS = 30_000;
/** Longest answer: 64 boards with full queues are far below it. */
const ANSWER_BYTES_MAX = 4 << 20;
const OK = 200;
const UNAVAILABLE = 503;
/** Stands for a board in the URI of a server. This name never appears in a request. */
const ANY_BOARD = 'any';

/** Bounds of a request to a server. */
export interface HubRequestOptions {
  readonly signal?: AbortSignal;
  /** Deadline of the answer, in ms. Default 5000. */
  readonly timeoutMs?: number;
}

/**
 * A client of the server at `hub://HOST:PORT` or `hubs://HOST:PORT`, which may also be the URI of one of its
 * boards. The parameters `token_file` and `ca_file` are those of `connect`; without `token_file` the token is
 * in the environment variable THERMOLINK_TOKEN. It connects with each request, so there is nothing to close.
 * Errors: BAD_ARGUMENT; BAD_DEVICE_URI for other URIs.
 */
export function openHub(uri: string): HubClient {
  checkText('uri', uri);
  const server = /^(hubs?:\/\/[^/?#]+)\/?(\?[^#]*)?$/.exec(uri);
  const address = parseDeviceUri(server ? `${server[1]}/${ANY_BOARD}${server[2] ?? ''}` : uri);
  if (address.kind !== 'hub' && address.kind !== 'hubs')
    throw badArgument('uri', uri, 'hub://HOST:PORT or hubs://HOST:PORT');
  return new HubClient(address);
}

/**
 * Asks a server of shared boards. Errors of every request: BAD_ARGUMENT before anything is sent; BAD_FILE for
 * token or certificates; NOT_ALLOWED without the right that the request needs; BUSY for too many requests;
 * CANNOT_CONNECT, also for a server of another kind; NO_ANSWER at the deadline; ABORTED.
 */
export class HubClient {
  readonly #address: HubAddress;
  readonly #name: string;

  /** @internal Use `openHub`. */
  constructor(address: HubAddress) {
    this.#address = address;
    const { kind, host, port } = address;
    this.#name = `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /**
   * The boards of the server, each with state, health, lease and queue. The call needs the right `observe`.
   * Errors: those of the class.
   */
  async boards(options: HubRequestOptions = {}): Promise<readonly BoardView[]> {
    return (await this.#ask('GET', '/api/boards', BOARD_LIST, options)).boards;
  }

  /**
   * The health of the server. It is `ok` when any board is good; with `board`, when that board is good; with
   * `all`, when all boards are good. The call needs no token. A token with the right `observe` also gets the
   * state of each board. Errors: those of the class.
   */
  async health(
    options: HubRequestOptions & { readonly board?: string; readonly all?: boolean } = {},
  ): Promise<HubHealth> {
    checkObject('options', options, '{ all: true }');
    const { board, all } = options;
    if (board !== undefined && all) throw badArgument('options', options, '`board` or `all`, not both');
    const query = board !== undefined ? `?board=${checkedName(board)}` : all ? '?all=1' : '';
    return this.#ask('GET', `/healthz${query}`, HEALTH, options, undefined, [OK, UNAVAILABLE]);
  }

  /**
   * Stops a board, whoever drives it. Its driver gets RUN_ENDED. The call needs the right `stop`, and no rate
   * limit applies to it. Returns the state of the board after the stop. Errors: those of the class; those of
   * the board.
   */
  async stop(board: string, options: HubRequestOptions = {}): Promise<BoardView['state']> {
    return (await this.#ask('POST', `/api/boards/${checkedName(board)}/stop`, STOP_ANSWER, options)).state;
  }

  /**
   * Switches the recording of a board on or off. The call needs the right `drive`. Messages of a session can
   * be read only if the recording was on when the session began. Errors: those of the class.
   */
  async record(board: string, on: boolean, options: HubRequestOptions = {}): Promise<RecordingView> {
    if (typeof on !== 'boolean') throw badArgument('on', on, 'true or false');
    const path = `/api/boards/${checkedName(board)}/recording`;
    return this.#ask('POST', path, RECORDING_VIEW, options, { on });
  }

  /**
   * Writes the newest ended recording of a board to `file`, an .mcap file. The call needs the right
   * `observe`. A file of that name is replaced when all bytes are there, and not before. The deadline applies
   * to the first byte; later bytes may be 30 s apart. Errors: those of the class; CANNOT_CONNECT with the
   * reason NOT_FOUND in its data when no recording has ended; BAD_FILE if it can't be written; LINK_LOST if
   * the connection ends early.
   */
  async saveRecording(board: string, file: string, options: HubRequestOptions = {}): Promise<void> {
    checkText('file', file);
    const { signal } = options;
    const path = `/api/boards/${checkedName(board)}/trace`;
    const { response, request } = await this.#send('GET', path, options);
    if (response.statusCode !== OK) throw await refusalOf(this.#name, response);
    request.setTimeout(DOWNLOAD_SILENCE_MS, () => request.destroy(this.#silence(DOWNLOAD_SILENCE_MS)));
    await saveBody(this.#name, response, file, signal);
  }

  /**
   * Sends observers 1 to 64 points of the curves of a training. The call needs the right `drive`, and its
   * owner must be the one who drives the board or drove it last. Returns how many points were taken. Errors:
   * those of the class; BUSY if another owner has the board.
   */
  async tell(board: string, notes: readonly Note[], options: HubRequestOptions = {}): Promise<number> {
    const parsed = NOTES_REQUEST.safeParse({ notes });
    if (!parsed.success)
      throw badArgument('notes', notes, "[{ training: 'a', step: 1, values: { loss: 1 } }]");
    const path = `/api/boards/${checkedName(board)}/notes`;
    return (await this.#ask('POST', path, NOTES_ANSWER, options, parsed.data)).taken;
  }

  /**
   * The events of all boards, from now on. The first event is `hello` with the boards as they are. The call
   * needs the right `observe`. A loop that reads slowly gets fewer figures, and an event `thinned` with their
   * number. Events of types that this version does not know are left out. The loop ends by `break`, or by an
   * error: those of the class; LINK_LOST when the server ends or is silent for 60 s.
   */
  events(options: Pick<HubRequestOptions, 'signal'> = {}): AsyncGenerator<HubEvent, void, undefined> {
    checkObject('options', options, '{ signal: controller.signal }');
    checkSignal(options.signal);
    return hubEvents(this.#address, this.#name, options.signal);
  }

  async #ask<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    options: HubRequestOptions,
    body?: object,
    statuses: readonly number[] = [OK],
  ): Promise<z.infer<Schema>> {
    const { response, finish } = await this.#send(method, path, options, body);
    try {
      const { statusCode = 0 } = response;
      if (!statuses.includes(statusCode)) throw await refusalOf(this.#name, response);
      const parsed = schema.safeParse(await finish(readJson(response)));
      if (!parsed.success) throw refusalError(this.#name, statusCode, undefined);
      return parsed.data;
    } finally {
      response.destroy();
    }
  }

  /** Sends a request. `finish` waits for the rest of the answer, until the same deadline. */
  async #send(method: 'GET' | 'POST', path: string, options: HubRequestOptions, body?: object) {
    checkObject('options', options, '{ timeoutMs: 5000 }');
    const { signal, timeoutMs = ANSWER_MS } = options;
    checkSignal(signal);
    if (!(timeoutMs > 0 && timeoutMs <= DEADLINE_MS_MAX))
      throw badArgument('timeoutMs', timeoutMs, `a time from above 0 to ${DEADLINE_MS_MAX} ms`);
    throwIfAborted(signal);
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const untilMs = performance.now() + timeoutMs;
    const request = await hubRequest(this.#address, path, {
      method,
      headers: method === 'POST' ? headers : {},
    });
    request.on('error', () => undefined);
    const finish = <Value>(work: Promise<Value>): Promise<Value> =>
      this.#bounded(request, work, untilMs, timeoutMs, signal);
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    request.end(text);
    return { request, response: await finish(answered), finish };
  }

  /** Waits for a part of a request, and ends the request at the deadline and when it is aborted. */
  async #bounded<Value>(
    request: ClientRequest,
    work: Promise<Value>,
    untilMs: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    const onAbort = (): unknown => request.destroy(abortError(signal!));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    let late: ThermolinkError | undefined;
    const timer = setTimeout(() => {
      late = this.#silence(timeoutMs);
      request.destroy(late);
    }, untilMs - performance.now());
    try {
      return await work;
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (late !== undefined) throw late;
      if (error instanceof ThermolinkError) throw error;
      throw hubConnectError(this.#name, error as Error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #silence(timeoutMs: number): ThermolinkError {
    return new ThermolinkError('NO_ANSWER', `${this.#name} did not answer within ${timeoutMs / 1000} s.`, {
      retryable: true,
      hint: 'Check the address, and that no firewall drops the connection.',
    });
  }
}

function checkedName(board: string): string {
  if (BOARD_NAME.safeParse(board).success) return board;
  throw badArgument('board', board, 'a name of letters, digits and . _ -, as boards() returns it');
}

/** The body as JSON; undefined if it is not JSON, or too long. */
async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
