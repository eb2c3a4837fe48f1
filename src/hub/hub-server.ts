import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../../firmware-protocol/clock.js';
import { badArgument, checkObject, checkText, checkWhole } from '../argument-checks.js';
import type { openPort } from '../connect.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { ThermolinkError } from '../errors.js';
import { isLoopback, listenAt, resolveHost, shownHost } from '../serve/listening.js';
import {
  FRAME_BYTES_HEADER,
  IN_FLIGHT_BYTES_HEADER,
  LEASE_WAIT_SECONDS_MAX,
  LINK_UPGRADE,
} from '../transport/hub-port.js';
import { BOARD_NAME, type HubEvent, type Right } from './api.js';
import { ConnectionGuard } from './connection-guard.js';
import { answerJson, answerRefusal, refuseUpgrade } from './http-answers.js';
import { HubBoard } from './hub-board.js';
import type { Lease } from './lease.js';
import { bridge } from './link-bridge.js';
import { Observers } from './observers.js';
import { Origins } from './origin.js';
import { Refusal, refusalOf } from './refusal.js';
import { socketStream } from './socket-stream.js';
import { acceptWebSocket, bearerToken, identifySocket, refuseSocket } from './sockets.js';
import { allows, Gate, type Identity, type Tokens } from './tokens.js';

/** Boards of one server. */
const BOARDS_MAX = 64;
/** The head of a request must come within this time, and the whole of it within REQUEST_MS. */
const HEAD_MS = 5000;
const REQUEST_MS = 10_000;
/** How often the server looks for connections whose time is over. */
const LOOK_MS = 1000;
/** A connection without a request is closed after this time. */
const IDLE_MS = 5000;
const HEAD_BYTES_MAX = 16_384;
const HEADERS_MAX = 64;
/** All connections, those that are being closed included. */
const CONNECTIONS_MAX = 512;
/** Longest message of a WebSocket: a frame of the protocol with room to spare, or a token. */
const LINK_MESSAGE_BYTES_MAX = 1 << 20;
const EVENT_MESSAGE_BYTES_MAX = 4096;
/** So long a vanished machine goes unnoticed: after 10 s without traffic the system asks, for 10 s. */
const KEEP_ALIVE_MS = 10_000;
/** Default of `silenceMs`. */
export const SILENCE_MS = 60_000;

/** A board to share. */
export interface SharedDevice {
  /** Its name on the server. */
  readonly name: string;
  /** Its device URI. */
  readonly uri: string;
}

/** How boards are shared. */
export interface HubOptions {
  readonly devices: readonly SharedDevice[];
  /** Default 127.0.0.1. An address that other machines can reach needs tokens. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** Who may do what. Without tokens everybody who reaches the server may do everything. */
  readonly tokens?: Tokens;
  /** Certificate chain and key, in PEM. Without them nothing is encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Pages of other origins that may ask, such as `https://lab.example`. */
  readonly origins?: readonly string[];
  /** A holder that is silent for so long loses the board when somebody waits for it, ms. Default 60 s. */
  readonly silenceMs?: number;
  readonly clock?: Clock;
  /** Called with everything that observers are told. */
  readonly onEvent?: (event: HubEvent) => void;
  /** Opens the port of a board; tests give their own. */
  readonly openPort?: typeof openPort;
  readonly version: string;
}

/** A server that shares boards. */
export interface Hub {
  /** Where it is reached, such as `http://127.0.0.1:8100`. */
  readonly url: string;
  /** The device URI of each board, by its name. */
  readonly uris: ReadonlyMap<string, string>;
  /** Ends all leases, leaves the boards safe, closes everything. Errors: none. */
  close(): Promise<void>;
}

/** Shares boards. Errors: BAD_ARGUMENT, CANNOT_LISTEN; those of `parseDeviceUri`. */
export async function startHub(options: HubOptions): Promise<Hub> {
  checkObject('options', options, "{ devices: [{ name: 'a', uri: 'emulator:ideal-8' }] }");
  const { host = '127.0.0.1', port = 0, devices, tokens, tls } = options;
  checkText('host', host);
  checkWhole('port', port, 0, 65_535);
  checkDevices(devices);
  const address = { host, port };
  const resolved = await resolveHost(address);
  if (!isLoopback(resolved) && tokens === undefined)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${host} can be reached from other machines, and there are no tokens: whoever connects would drive the boards.`,
      {
        hint: 'Give `tokens`: a token file, or one token in the environment variable THERMOLINK_TOKEN. Or use 127.0.0.1.',
        data: { host: resolved },
      },
    );
  const server = new HubServer(options, host);
  let bound: number;
  try {
    bound = await listenAt(server.http, resolved, address);
  } catch (error) {
    await server.close();
    throw error;
  }
  const shown = shownHost(resolved);
  const place = `${shown.includes(':') ? `[${shown}]` : shown}:${bound}`;
  return {
    url: `${tls ? 'https' : 'http'}://${place}`,
    uris: new Map(devices.map(({ name }) => [name, `${tls ? 'hubs' : 'hub'}://${place}/${name}`])),
    close: () => server.close(),
  };
}

function checkDevices(devices: readonly SharedDevice[]): void {
  if (!Array.isArray(devices) || devices.length === 0)
    throw badArgument('devices', devices, 'a list of at least one board');
  if (devices.length > BOARDS_MAX)
    throw badArgument('devices', devices.length, `at most ${BOARDS_MAX} boards`);
  const names = new Set<string>();
  for (const { name } of devices as readonly SharedDevice[]) {
    if (!BOARD_NAME.safeParse(name).success)
      throw badArgument('name', name, 'a name of letters, digits and . _ -');
    if (names.has(name)) throw badArgument('name', name, 'a name that no other board has');
    names.add(name);
  }
}

/** The HTTP side of a hub: it knows who asks, and hands each request to its board. */
class HubServer {
  readonly http: Server;
  readonly #boards: ReadonlyMap<string, HubBoard>;
  readonly #gate: Gate;
  readonly #origins: Origins;
  readonly #observers = new Observers();
  readonly #guard = new ConnectionGuard();
  readonly #links = socketServer(LINK_MESSAGE_BYTES_MAX);
  readonly #events = socketServer(EVENT_MESSAGE_BYTES_MAX);
  readonly #sockets = new Set<Socket>();
  readonly #clock: Clock;
  readonly #version: string;

  constructor(options: HubOptions, host: string) {
    const { devices, tokens, tls, origins = [], silenceMs = SILENCE_MS, clock = SYSTEM_CLOCK } = options;
    this.#clock = clock;
    this.#version = options.version;
    this.#gate = new Gate(tokens, clock);
    this.#origins = new Origins(host, origins);
    const tell = (event: HubEvent): void => {
      this.#observers.tell(event);
      options.onEvent?.(event);
    };
    const { openPort } = options;
    this.#boards = new Map(
      devices.map(({ name, uri }) => [name, new HubBoard(name, uri, { clock, silenceMs, openPort, tell })]),
    );
    const settings = {
      headersTimeout: HEAD_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: LOOK_MS,
      maxHeaderSize: HEAD_BYTES_MAX,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
    this.http = tls
      ? createTlsServer({ ...settings, ...tls, handshakeTimeout: HEAD_MS })
      : createServer(settings);
    this.http.maxHeadersCount = HEADERS_MAX;
    this.http.maxConnections = CONNECTIONS_MAX;
    this.http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      this.#guard.add(socket);
    });
    this.http.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) =>
        answerRefusal(response, this.#refusal(error)),
      );
    });
    this.http.on('upgrade', (request, socket, head) => {
      socket.on('error', () => undefined);
      this.#upgrade(request, socket, head).catch((error: unknown) =>
        refuseUpgrade(socket, this.#refusal(error)),
      );
    });
    // Not HTTP, or too long: there is nobody to answer.
    this.http.on('clientError', (_, socket) => socket.destroy());
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    await Promise.all([...this.#boards.values()].map((board) => board.close()));
    this.#observers.close();
    this.http.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#origins.check(request);
    const { pathname } = urlOf(request);
    if (pathname === '/healthz') {
      allowMethod(request, 'GET');
      const boards = [...this.#boards.values()].map(({ view }) => view);
      const boardsGood = boards.filter(({ health }) => health === 'good').length;
      const health = { ok: boardsGood > 0, boards: boards.length, boardsGood, version: this.#version };
      answerJson(response, health, health.ok ? 200 : 503);
      return;
    }
    if (pathname === '/api/boards') {
      allowMethod(request, 'GET');
      this.#enter(request, 'observe');
      answerJson(response, { boards: this.#views() });
      return;
    }
    if (/^\/api\/(events|boards\/[^/]+\/link)$/.test(pathname)) throw upgradeNeeded();
    throw notFound(pathname);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#origins.check(request);
    const { pathname, searchParams } = urlOf(request);
    const kind = request.headers.upgrade?.toLowerCase();
    const board = /^\/api\/boards\/([^/]+)\/link$/.exec(pathname)?.[1];
    if (board !== undefined && kind === LINK_UPGRADE) {
      const identity = this.#enter(request, 'drive');
      await this.#linkRaw(this.#boardNamed(board), identity, request, socket, head, searchParams);
    } else if (board !== undefined && kind === 'websocket')
      await this.#linkSocket(this.#boardNamed(board), request, socket, head, searchParams);
    else if (pathname === '/api/events' && kind === 'websocket') await this.#observe(request, socket, head);
    else throw board === undefined && pathname !== '/api/events' ? notFound(pathname) : upgradeNeeded();
  }

  /** The board's own bytes on the bare connection. */
  async #linkRaw(
    board: HubBoard,
    identity: Identity,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    parameters: URLSearchParams,
  ): Promise<void> {
    if (head.length > 0) throw tooEarly();
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    const onEarly = (): void => leave();
    // A connection that is not read does not tell that its other end has gone.
    socket.on('data', onEarly).on('end', leave).on('close', leave);
    const lease = await this.#lease(board, identity, request, parameters, gone.signal);
    socket.pause();
    socket.off('data', onEarly).off('end', leave).off('close', leave);
    const port = board.line.attach();
    if (port === undefined) {
      await lease.release();
      board.checkUsable();
      throw new Refusal(503, 'NO_ANSWER', 'The board was lost just now.', 'Try again.', 1);
    }
    const limits = [
      `${FRAME_BYTES_HEADER}: ${port.frameBytesMax}\r\n`,
      board.line.limits?.inFlightBytesMax === undefined
        ? ''
        : `${IN_FLIGHT_BYTES_HEADER}: ${board.line.limits.inFlightBytesMax}\r\n`,
    ];
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_UPGRADE}\r\n${limits.join('')}\r\n`,
    );
    await bridge(socket, port, lease, () => this.#clock.nowMs());
    await lease.release();
  }

  /** The same as binary messages of a WebSocket. */
  async #linkSocket(
    board: HubBoard,
    request: IncomingMessage,
    connection: Duplex,
    head: Buffer,
    parameters: URLSearchParams,
  ): Promise<void> {
    const socket = await acceptWebSocket(this.#links, request, connection, head);
    socket.on('error', () => undefined);
    const gone = new AbortController();
    socket.on('close', () => gone.abort());
    let lease: Lease | undefined;
    try {
      const identity = await identifySocket(socket, request, this.#gate);
      this.#require(identity, 'drive', request);
      lease = await this.#lease(board, identity, request, parameters, gone.signal);
      const port = board.line.attach();
      if (port === undefined)
        throw new Refusal(503, 'NO_ANSWER', 'The board was lost just now.', 'Try again.', 1);
      const stream = socketStream(socket);
      const ready = {
        ready: true,
        frameBytesMax: port.frameBytesMax,
        inFlightBytesMax: board.line.limits?.inFlightBytesMax ?? null,
      };
      socket.send(JSON.stringify(ready));
      await bridge(stream, port, lease, () => this.#clock.nowMs());
    } catch (error) {
      refuseSocket(socket, this.#refusal(error));
    } finally {
      await lease?.release();
    }
  }

  async #observe(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    this.#observers.checkRoom();
    const socket = await acceptWebSocket(this.#events, request, connection, head);
    socket.on('error', () => undefined);
    try {
      const identity = await identifySocket(socket, request, this.#gate);
      this.#require(identity, 'observe', request);
      this.#observers.checkRoom();
      const { owner, right } = identity;
      this.#observers.add(socket, [
        { type: 'hello', timeMs: Date.now(), version: this.#version, owner, right, boards: this.#views() },
      ]);
    } catch (error) {
      refuseSocket(socket, this.#refusal(error));
    }
  }

  #lease(
    board: HubBoard,
    identity: Identity,
    request: IncomingMessage,
    parameters: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Lease> {
    board.checkUsable();
    return board.leases.acquire({
      ...identity,
      client: addressOf(request),
      waitMs: 1000 * wholeParameter(parameters, 'wait_s', LEASE_WAIT_SECONDS_MAX),
      takeOver: wholeParameter(parameters, 'takeover', 1) === 1,
      signal,
    });
  }

  #enter(request: IncomingMessage, right: Right): Identity {
    const identity = this.#gate.enter(bearerToken(request), request.socket.remoteAddress ?? '');
    this.#require(identity, right, request);
    return identity;
  }

  #require(identity: Identity, right: Right, { socket }: IncomingMessage): void {
    if (!allows(identity, right))
      throw new Refusal(
        403,
        'NOT_ALLOWED',
        `The token of ${identity.owner} has the right \`${identity.right}\`; this takes \`${right}\`.`,
        'Who runs the server gives rights, in its token file.',
      );
    this.#guard.admit(socket);
  }

  #boardNamed(name: string): HubBoard {
    const board = this.#boards.get(name);
    if (board !== undefined) return board;
    throw new Refusal(
      404,
      'PORT_NOT_FOUND',
      `There is no board ${JSON.stringify(name.slice(0, 64))} here.`,
      `There is ${[...this.#boards.keys()].join(', ')}.`,
    );
  }

  #views() {
    return [...this.#boards.values()].map(({ view }) => view);
  }

  /** A bug is printed here, and answered without its text. */
  #refusal(error: unknown): Refusal {
    if (!(error instanceof Refusal)) process.stderr.write(`A request failed: ${String(error)}\n`);
    return refusalOf(error);
  }
}

/** Closing waits so long for answers to be read. */
const CLOSE_MS = 1500;

function socketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false, clientTracking: false });
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  const text = `http://hub${url}`;
  if (!url.startsWith('/') || !URL.canParse(text)) throw notFound(url);
  return new URL(text);
}

function addressOf({ socket }: IncomingMessage): string {
  const { remoteAddress = 'unknown', remotePort = 0 } = socket;
  return `${remoteAddress.replace(/^::ffff:/, '')}:${remotePort}`;
}

function allowMethod({ method }: IncomingMessage, wanted: 'GET' | 'POST'): void {
  if (method !== wanted)
    throw new Refusal(
      405,
      'BAD_ARGUMENT',
      `This takes ${wanted}.`,
      'See the table of requests in the documents.',
    );
}

function wholeParameter(parameters: URLSearchParams, name: string, max: number): number {
  const text = parameters.get(name) ?? '0';
  if (!/^\d{1,6}$/.test(text) || Number(text) > max)
    throw new Refusal(
      400,
      'BAD_ARGUMENT',
      `${name} is no whole number from 0 to ${max}.`,
      'Write digits only.',
    );
  return Number(text);
}

function notFound(path: string): Refusal {
  return new Refusal(
    404,
    'NOT_FOUND',
    `There is nothing at ${JSON.stringify(path.slice(0, 64))}.`,
    'Boards are at /api/boards.',
  );
}

function upgradeNeeded(): Refusal {
  return new Refusal(
    426,
    'BAD_ARGUMENT',
    'This takes an upgrade of the connection.',
    `Upgrade: ${LINK_UPGRADE}, or websocket.`,
  );
}

function tooEarly(): Refusal {
  return new Refusal(
    400,
    'BAD_ARGUMENT',
    'Bytes came before the upgrade was answered.',
    'Wait for the status 101.',
  );
}
