import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Port } from '../../firmware-protocol/port.js';
import { abortError, ERROR_CODES, type ErrorCode, ThermolinkError, throwIfAborted } from '../errors.js';
import { StreamPort } from './stream-port.js';
import { connectError, KEEP_ALIVE_MS, parseHostPort } from './tcp-port.js';
import {
  BadUri,
  flag,
  type OpenPortOptions,
  readParameters,
  type Transport,
  wholeNumber,
} from './transport.js';

/** The environment variable with the token for hubs. A token in a URI would appear in logs. */
export const TOKEN_VARIABLE = 'THERMOLINK_TOKEN';
/** Longest time that a client waits for the lease, in s. */
export const LEASE_WAIT_SECONDS_MAX = 86_400;
/** The protocol name of the HTTP upgrade. After it the connection carries the bytes of the board. */
export const LINK_UPGRADE = 'thermolink';
/** Headers of the answer with the limits of the port of the board (see `Port`). */
export const FRAME_BYTES_HEADER = 'thermolink-frame-bytes-max';
export const IN_FLIGHT_BYTES_HEADER = 'thermolink-in-flight-bytes-max';
/** Header of the answer with the name of the lease. The name occurs in the logs of both sides. */
export const LEASE_HEADER = 'thermolink-lease';

/** Default deadline for opening the port, in addition to the wait for the lease. */
const OPEN_TIMEOUT_MS = 15_000;
const FRAME_BYTES_MAX = 65536;
const FRAME_BYTES_MIN = 256;
/** Largest number of bytes of a refusal. A longer body does not come from a hub. */
const REFUSAL_BYTES_MAX = 16_384;
/** HTTP statuses of refusals for which a retry makes sense. */
const RETRYABLE = [409, 429, 503];

/** A board that a hub shares. */
export interface HubAddress {
  readonly kind: 'hub' | 'hubs';
  readonly host: string;
  readonly port: number;
  /** The name of the board on the server. */
  readonly board: string;
  /** How long to wait for the lease, in s. Default 0. */
  readonly waitSeconds?: number;
  /** Whether to take the lease from a program of the same owner. */
  readonly takeOver?: boolean;
  /** The file that holds the token. It replaces the environment variable. */
  readonly tokenFile?: string;
  /** Certificates (PEM) that are trusted beside those of the system. */
  readonly caFile?: string;
}

/** Boards that a hub shares (`thermolink serve`), without encryption. */
export const hubTransport = transport('hub');
/** Boards that a hub shares by TLS. */
export const hubsTransport = transport('hubs');

function transport(scheme: 'hub' | 'hubs'): Transport<HubAddress> {
  const form = `${scheme}://HOST:PORT/BOARD`;
  return {
    scheme,
    form: `${form}[?wait_s=…&takeover=1&token_file=…${scheme === 'hubs' ? '&ca_file=…' : ''}]`,
    parse({ path, parameters }) {
      for (const name of ['token', 'password'])
        if (parameters.has(name))
          throw new BadUri(`a token must not stand in a URI: set ${TOKEN_VARIABLE}, or give token_file=PATH`);
      const values = readParameters(parameters, {
        wait_s: wholeNumber({ min: 0, max: LEASE_WAIT_SECONDS_MAX }),
        takeover: flag,
        token_file: filePath,
        ...(scheme === 'hubs' ? { ca_file: filePath } : {}),
      });
      const match = /^\/\/([^/]+)\/([a-zA-Z0-9][a-zA-Z0-9._-]{0,63})\/?$/.exec(path);
      const address = match && parseHostPort(match[1]);
      if (!match || !address || address.port === 0) throw new BadUri(`the URI of a shared board is ${form}`);
      return {
        kind: scheme,
        ...address,
        board: match[2],
        waitSeconds: values.wait_s,
        takeOver: values.takeover,
        tokenFile: values.token_file,
        caFile: values.ca_file as string | undefined,
      };
    },
    open: openHubPort,
    // A program that lost its lease to another program does not take the lease back.
    rediscover: (address) => Promise.resolve({ ...address, takeOver: false }),
  };
}

function filePath(text: string, name: string): string {
  if (text === '') throw new BadUri(`${name} is empty`);
  return text;
}

/** Writes `hub://host:port/board`, for errors and logs. */
function hubUri({ kind, host, port, board }: HubAddress): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}/${board}`;
}

/**
 * Takes the lease of a shared board and opens a port to it. Errors: NOT_ALLOWED, BUSY, and other refusals of
 * the server; BAD_FILE for token or certificates; CANNOT_CONNECT, NO_ANSWER (deadline), ABORTED. After an
 * error nothing stays open.
 */
async function openHubPort(address: HubAddress, options: OpenPortOptions): Promise<Port> {
  const { signal, timeoutMs = OPEN_TIMEOUT_MS } = options;
  throwIfAborted(signal);
  const { waitSeconds = 0 } = address;
  const query = `?wait_s=${waitSeconds}${address.takeOver ? '&takeover=1' : ''}`;
  const request = await hubRequest(address, `/api/boards/${address.board}/link${query}`, {
    method: 'GET',
    headers: { Connection: 'Upgrade', Upgrade: LINK_UPGRADE },
  });
  const name = hubUri(address);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      settle();
      // Nobody needs a later error of this request, but Node would throw it if it had no listener.
      request.on('error', () => undefined);
      request.destroy();
      reject(error);
    };
    const deadlineMs = timeoutMs + 1000 * waitSeconds;
    const onAbort = (): void => fail(abortError(signal!));
    const timer = setTimeout(() => fail(noAnswer(name, deadlineMs)), deadlineMs);
    // If the abort came while the token was read, the signal does not fire again.
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    request.on('error', (cause) => fail(hubConnectError(name, cause)));
    request.on('response', (response) => void refusalOf(name, response).then(fail, fail));
    request.on('upgrade', (response, socket, head) => {
      settle();
      if (head.length > 0) socket.unshift(head);
      resolve(linkPort(socket, name, response));
    });
    request.end();
  });
}

const UNTRUSTED = [
  'its certificate has no issuer that this machine trusts',
  'Name the certificate of the server, or of its issuer, by ca_file=PATH.',
] as const;
const NOT_TLS = ['it does not speak TLS', 'Write hub:// for a server without a certificate.'] as const;

/** Reasons and hints for errors of the connection to a hub. */
const HINTS: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: [
    'nothing listens there',
    'Start `thermolink serve --device URI --listen HOST:PORT` there, or check host and port.',
  ],
  ECONNRESET: [
    'it closed the connection',
    'Write hubs:// for a server with a certificate, else hub://. A full server closes connections: try again.',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another host name',
    'Use the name that the certificate is for.',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  EPROTO: NOT_TLS,
};

/** The error of a connection to a hub that failed: CANNOT_CONNECT with the reason. */
export function hubConnectError(name: string, cause: Error): ThermolinkError {
  return connectError(name, cause, HINTS);
}

/**
 * Makes a request to a hub, with the token. The caller sends the request and handles its events. Errors:
 * BAD_FILE. Errors of the connection are events of the request.
 */
export async function hubRequest(
  address: HubAddress,
  path: string,
  options: RequestOptions,
): Promise<ClientRequest> {
  const { host, port, kind } = address;
  const { headers: own, ca } = await hubCredentials(address);
  const all = { ...options, host, port, path, headers: { ...options.headers, ...own } };
  if (kind === 'hub') return (await import('node:http')).request({ ...all, agent: false });
  const { request, Agent } = await import('node:https');
  return request({ ...all, ca, agent: new Agent({ keepAlive: false }) });
}

/** What a client shows, and whom it trusts: the header with the token, and certificates (PEM). */
export interface HubCredentials {
  readonly headers: { readonly Authorization?: string };
  /** The trusted certificates. Undefined: those of the system. */
  readonly ca: string[] | undefined;
}

/** Reads token and certificates. Errors: BAD_FILE. */
export async function hubCredentials(address: HubAddress): Promise<HubCredentials> {
  const { kind, caFile } = address;
  const token = await tokenOf(address);
  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  if (kind === 'hub' || caFile === undefined) return { headers, ca: undefined };
  const { rootCertificates } = await import('node:tls');
  return { headers, ca: [...rootCertificates, await readText(caFile)] };
}

/** The token for a hub; empty if there is no token. */
async function tokenOf({ tokenFile }: HubAddress): Promise<string> {
  const text = tokenFile === undefined ? (process.env[TOKEN_VARIABLE] ?? '') : await readText(tokenFile);
  const token = text.trim();
  // Other characters would end the header, or separate several tokens.
  if (/^[\x21-\x7e]*$/.test(token)) return token;
  const source = tokenFile ?? `The environment variable ${TOKEN_VARIABLE}`;
  throw new ThermolinkError('BAD_FILE', `${source} holds no token: a token has no blanks and no line ends.`, {
    hint: 'The file or variable must hold only the token that you got from the owner of the server.',
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ThermolinkError('BAD_FILE', `${path} can't be read: ${code}.`, { cause, data: { path } });
  }
}

function linkPort(socket: Duplex, name: string, { headers }: IncomingMessage): Port {
  const stream = socket as Duplex & {
    setNoDelay?(on: boolean): void;
    setKeepAlive?(on: boolean, ms: number): void;
  };
  stream.setNoDelay?.(true);
  stream.setKeepAlive?.(true, KEEP_ALIVE_MS);
  return new StreamPort(socket, {
    name,
    frameBytesMax: sizeIn(headers[FRAME_BYTES_HEADER]) ?? FRAME_BYTES_MAX,
    inFlightBytesMax: sizeIn(headers[IN_FLIGHT_BYTES_HEADER]),
    lease: leaseIn(headers[LEASE_HEADER]),
    finish: () => socket.end(),
    destroy: () => socket.destroy(),
  });
}

/** The name of a lease; undefined if the header is not one. */
function leaseIn(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[0-9a-f]{1,32}$/.test(header) ? header : undefined;
}

/** A size from the server; undefined if it is missing or impossible. */
function sizeIn(header: string | readonly string[] | undefined): number | undefined {
  const size = Number(header);
  return Number.isInteger(size) && size >= FRAME_BYTES_MIN ? size : undefined;
}

/** The error in the answer of a hub. */
export async function refusalOf(name: string, response: IncomingMessage): Promise<ThermolinkError> {
  const { statusCode = 0 } = response;
  return refusalError(name, statusCode, await readBody(response));
}

/** The error for an answer with an HTTP status. `body` is undefined if the body is not a hub's refusal. */
export function refusalError(
  name: string,
  statusCode: number,
  body: { readonly code: string; readonly message: string; readonly remedy: string } | undefined,
): ThermolinkError {
  const retryable = RETRYABLE.includes(statusCode);
  if (body === undefined)
    return new ThermolinkError('CANNOT_CONNECT', `${name} answered with HTTP status ${statusCode}.`, {
      hint: 'The server is not `thermolink serve`, or it has another version.',
      retryable,
      data: { statusCode },
    });
  const code = Object.hasOwn(ERROR_CODES, body.code) ? (body.code as ErrorCode) : 'CANNOT_CONNECT';
  return new ThermolinkError(code, `${name}: ${body.message}`, {
    hint: body.remedy,
    retryable,
    data: { statusCode, reason: body.code },
  });
}

/** The body of a refusal; undefined if the body is not a refusal. */
async function readBody(
  response: IncomingMessage,
): Promise<{ readonly code: string; readonly message: string; readonly remedy: string } | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > REFUSAL_BYTES_MAX) return undefined;
      chunks.push(chunk);
    }
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const { code, message, remedy } = body as Record<string, unknown>;
    const isRefusal = [code, message, remedy].every((text) => typeof text === 'string');
    return isRefusal ? (body as { code: string; message: string; remedy: string }) : undefined;
  } catch {
    return undefined;
  }
}

function noAnswer(name: string, timeoutMs: number): ThermolinkError {
  return new ThermolinkError('NO_ANSWER', `${name} gave no board within ${timeoutMs / 1000} s.`, {
    retryable: true,
    hint: 'Check the address, that no firewall drops the connection, and which program uses the board.',
  });
}
