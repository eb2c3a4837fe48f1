import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { TOKEN_MESSAGE } from './api.js';
import { Refusal, refusalOf } from './refusal.js';
import type { Gate, Identity } from './tokens.js';

/** Time that a WebSocket has to send its token. */
export const TOKEN_MS = 5000;
/** Close codes of an application are 4000 to 4999. */
const CLOSE_CODE = 4000;
const REASON_BYTES_MAX = 123;

/** Opens a WebSocket on a connection that asks for one. */
export function acceptWebSocket(
  server: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<WebSocket> {
  return new Promise((resolve) =>
    server.handleUpgrade(request, socket, head, (opened) => {
      // The listener is added at once, because bytes after the request are read before this promise is
      // awaited, and they may be an error. Users of the WebSocket notice its end by `close`.
      opened.on('error', () => undefined);
      resolve(opened);
    }),
  );
}

/** The token that a request carries. */
export function bearerToken({ headers }: IncomingMessage): string | undefined {
  const match = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '');
  return match?.[1];
}

/**
 * Identifies the client of a WebSocket by the token of its request, or by the token of its first message if
 * the request has none. Throws a `Refusal`.
 */
export function identifySocket(socket: WebSocket, request: IncomingMessage, gate: Gate): Promise<Identity> {
  const token = bearerToken(request);
  const address = request.socket.remoteAddress ?? '';
  if (!gate.asks || token !== undefined) return Promise.resolve(gate.enter(token, address));
  if (socket.readyState !== socket.OPEN) return Promise.reject(gone());
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('message', onMessage);
      socket.off('close', onClose);
    };
    const onClose = (): void => {
      settle();
      reject(gone());
    };
    const onMessage = (data: unknown): void => {
      settle();
      try {
        resolve(gate.enter(tokenIn(String(data)), address));
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      settle();
      reject(
        new Refusal(
          401,
          'NOT_ALLOWED',
          'No token came in time.',
          `Send {"token": …} within ${TOKEN_MS / 1000} s.`,
        ),
      );
    }, TOKEN_MS);
    socket.once('message', onMessage);
    socket.once('close', onClose);
  });
}

function gone(): Refusal {
  return new Refusal(499, 'ABORTED', 'The client has gone.', 'Nobody reads this.');
}

function tokenIn(text: string): string | undefined {
  try {
    return TOKEN_MESSAGE.parse(JSON.parse(text)).token;
  } catch {
    return undefined;
  }
}

/** Tells a WebSocket why it is refused: as a text message, and as the code and reason of its closing. */
export function refuseSocket(socket: WebSocket, error: unknown): void {
  const { body, status } = refusalOf(error);
  socket.send(JSON.stringify(body));
  socket.close(CLOSE_CODE + status, shortened(body.message));
}

/** Shortens a text to the length that the reason of a closing may have. */
function shortened(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > REASON_BYTES_MAX) short = short.slice(0, -1);
  return short;
}
