import type { IncomingMessage } from 'node:http';
import { LINK_UPGRADE } from '../transport/hub-port.js';
import { Refusal } from './refusal.js';

/** Path and parameters of a request. Throws a `Refusal` for a malformed path. */
export function urlOf({ url = '/' }: IncomingMessage): URL {
  const text = `http://hub${url}`;
  if (!url.startsWith('/') || !URL.canParse(text)) throw notFound(url);
  return new URL(text);
}

/** The address of the client, for people. */
export function addressOf({ socket }: IncomingMessage): string {
  const { remoteAddress = 'unknown', remotePort = 0 } = socket;
  return `${remoteAddress.replace(/^::ffff:/, '')}:${remotePort}`;
}

/** Throws a `Refusal` for another method. */
export function allowMethod({ method }: IncomingMessage, wanted: 'GET' | 'POST'): void {
  if (method !== wanted)
    throw new Refusal(
      405,
      'BAD_ARGUMENT',
      `This takes ${wanted}.`,
      'See the table of requests in the documents.',
    );
}

/** A whole number from 0 to `max` in the parameters; 0 if it is missing. Throws a `Refusal`. */
export function wholeParameter(parameters: URLSearchParams, name: string, max: number): number {
  const text = parameters.get(name) ?? '0';
  if (!/^\d{1,6}$/.test(text) || Number(text) > max)
    throw new Refusal(
      400,
      'BAD_ARGUMENT',
      `${name} is not a whole number from 0 to ${max}.`,
      'Write digits only.',
    );
  return Number(text);
}

/** The refusal of a path that does not exist. */
export function notFound(path: string): Refusal {
  return new Refusal(
    404,
    'NOT_FOUND',
    `There is nothing at ${JSON.stringify(path.slice(0, 64))}.`,
    'Boards are at /api/boards.',
  );
}

/** The refusal of a plain request for a stream. */
export function upgradeNeeded(): Refusal {
  return new Refusal(
    426,
    'BAD_ARGUMENT',
    'This takes an upgrade of the connection.',
    `Upgrade: ${LINK_UPGRADE}, or websocket.`,
  );
}

/** The refusal of a client that does not wait for the answer. */
export function tooEarly(): Refusal {
  return new Refusal(
    400,
    'BAD_ARGUMENT',
    'Bytes came before the upgrade was answered.',
    'Wait for the status 101.',
  );
}
