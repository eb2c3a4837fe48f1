import type { IncomingMessage } from 'node:http';
import type { RawData } from 'ws';
import { abortError, ThermolinkError, throwIfAborted } from '../../errors.js';
import {
  type HubAddress,
  hubConnectError,
  hubCredentials,
  refusalError,
  refusalOf,
} from '../../transport/hub-port.js';
import { EVENT, type HubEvent, REFUSAL_BODY, type RefusalBody } from '../api.js';

/** The server must take the WebSocket within this time. */
const OPEN_MS = 5000;
/** The server pings every 20 s. One that says nothing for this time has gone. */
const SILENCE_MS = 60_000;
/** While this number of events is unread, nothing more is read from the connection. */
const EVENTS_WAITING_MAX = 64;
/** Longest message: notes of a board, or its moments. */
const MESSAGE_BYTES_MAX = 8 << 20;
/** The server closes a refused WebSocket with the code CLOSE_CODE plus the HTTP status of the refusal. */
const CLOSE_CODE = 4000;

/** The stream of events of a server (see `HubClient.events`). The connection ends with the generator. */
export async function* hubEvents(
  address: HubAddress,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<HubEvent, void, undefined> {
  throwIfAborted(signal);
  const { headers, ca } = await hubCredentials(address);
  const { WebSocket } = await import('ws');
  throwIfAborted(signal);
  const socket = new WebSocket(`${name.replace(/^hub/, 'ws')}/api/events`, {
    headers,
    ...(ca && { ca }),
    handshakeTimeout: OPEN_MS,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  const waiting: HubEvent[] = [];
  let failure: ThermolinkError | undefined;
  let refusal: RefusalBody | undefined;
  let wake: () => void = () => undefined;
  const fail = (error: ThermolinkError): void => {
    failure ??= error;
    wake();
  };
  const onAbort = (): void => fail(abortError(signal!));
  const silence = setInterval(() => {
    if (!socket.isPaused) fail(lost(name, `it said nothing for ${SILENCE_MS / 1000} s`));
  }, SILENCE_MS);
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.on('error', (cause) => fail(hubConnectError(name, cause)));
  socket.on(
    'unexpected-response',
    (_, response: IncomingMessage) => void refusalOf(name, response).then(fail),
  );
  socket.on('close', (code, reason) =>
    fail(
      refusal === undefined
        ? lost(name, reason.toString() || `it closed the connection (${code})`)
        : refusalError(name, code - CLOSE_CODE, refusal),
    ),
  );
  socket.on('ping', () => silence.refresh());
  socket.on('message', (data) => {
    silence.refresh();
    const message = parsed(data);
    const event = EVENT.safeParse(message);
    if (event.success) {
      waiting.push(event.data);
      if (waiting.length >= EVENTS_WAITING_MAX) socket.pause();
      wake();
    } else refusal = REFUSAL_BODY.safeParse(message).data;
  });
  try {
    for (;;) {
      if (signal?.aborted) throw abortError(signal);
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else if (failure !== undefined) throw failure;
      else {
        if (socket.isPaused) {
          silence.refresh();
          socket.resume();
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    clearInterval(silence);
    signal?.removeEventListener('abort', onAbort);
    socket.terminate();
  }
}

/** A message as JSON; undefined if it is not JSON. */
function parsed(data: RawData): unknown {
  try {
    return JSON.parse((data as Buffer).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function lost(name: string, why: string): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The events of ${name} ended: ${why}.`, {
    retryable: true,
    hint: 'Ask for them again.',
  });
}
