import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../firmware-protocol/clock.js';
import { SILENT_LOGGER } from '../driver/logger.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';
import { LINK_UPGRADE } from '../transport/hub-port.js';
import { type HubEvent, NOTES_REQUEST, RECORDING_REQUEST, type Right } from './api.js';
import { ConnectionGuard } from './connection-guard.js';
import { healthOf } from './health.js';
import {
  answerFile,
  answerJson,
  answerRefusal,
  answerText,
  readJson,
  refuseUpgrade,
} from './http-answers.js';
import { allowMethod, notFound, upgradeNeeded, urlOf } from './http-requests.js';
import { HubBoard } from './hub-board.js';
import { type HubOptions, SILENCE_MS } from './hub-options.js';
import { linkConnection, linkWebSocket } from './link-requests.js';
import { HubMetrics } from './metrics.js';
import { Observers } from './observers.js';
import { Origins } from './origin.js';
import { PageFiles } from './page-files.js';
import { RateLimits } from './rates.js';
import { Refusal, refusalOf } from './refusal.js';
import { acceptWebSocket, bearerToken, identifySocket, refuseSocket } from './sockets.js';
import { allows, Gate, type Identity, networkOf } from './tokens.js';

/** The head of a request must come within this time, and the whole of it within REQUEST_MS. */
const HEAD_MS = 5000;
const REQUEST_MS = 10_000;
/** Period of the check for connections whose time is over. */
const LOOK_MS = 1000;
/** A connection without a request is closed after this time. */
const IDLE_MS = 5000;
const HEAD_BYTES_MAX = 16_384;
const HEADERS_MAX = 64;
/** Largest number of connections, including those that are being closed. */
const CONNECTIONS_MAX = 512;
/** Longest message of a WebSocket: a frame of the protocol with room to spare, or a token. */
const LINK_MESSAGE_BYTES_MAX = 1 << 20;
const EVENT_MESSAGE_BYTES_MAX = 4096;
/**
 * After 10 s without traffic the operating system asks the other machine for a sign of life, for 10 s. So a
 * vanished machine is noticed within 20 s.
 */
const KEEP_ALIVE_MS = 10_000;

/** The HTTP side of a hub. It identifies the client and passes each request to its board. */
export class HubServer {
  readonly http: Server;
  readonly #boards: ReadonlyMap<string, HubBoard>;
  readonly #gate: Gate;
  readonly #origins: Origins;
  readonly #observers: Observers;
  readonly #rates: RateLimits;
  readonly #guard = new ConnectionGuard();
  readonly #page = new PageFiles();
  readonly #links = socketServer(LINK_MESSAGE_BYTES_MAX);
  readonly #events = socketServer(EVENT_MESSAGE_BYTES_MAX);
  readonly #sockets = new Set<Socket>();
  readonly #clock: Clock;
  readonly #version: string;
  readonly #metrics: HubMetrics;

  constructor(options: HubOptions, host: string, directory: string) {
    const { devices, tokens, tls, origins = [], silenceMs = SILENCE_MS, clock = SYSTEM_CLOCK } = options;
    this.#clock = clock;
    this.#version = options.version;
    this.#gate = new Gate(tokens, clock);
    this.#rates = new RateLimits(clock);
    this.#observers = new Observers(clock);
    this.#origins = new Origins(host, origins);
    const { log = SILENT_LOGGER } = options;
    const tell = (event: HubEvent): void => {
      if (event.type === 'incident') {
        const { what, owner, text, board } = event;
        log.info({ board, what, owner, lease: this.#boards.get(board ?? '')?.leases.holder?.id }, text);
      }
      this.#observers.tell(event);
      options.onEvent?.(event);
    };
    const { openPort } = options;
    this.#boards = new Map(
      devices.map(({ name, uri }) => [
        name,
        new HubBoard(name, uri, {
          clock,
          silenceMs,
          directory,
          openPort,
          isWatched: () => this.#observers.count > 0,
          tell,
          answered: (trip, lease) => {
            this.#metrics.tookRoundTrip(name, trip.seconds);
            if (log.isLevelEnabled('debug')) log.debug({ board: name, lease, ...trip }, 'answered');
          },
        }),
      ]),
    );
    if (options.recordings !== undefined)
      for (const { recording } of this.#boards.values()) recording.keepAll();
    this.#metrics = new HubMetrics([...this.#boards.values()], () => ({
      observers: this.#observers.count,
      connections: this.#sockets.size,
    }));
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
    // The request is not HTTP, or too long, so it gets no answer.
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
    const { pathname, searchParams } = urlOf(request);
    if (pathname === '/livez') {
      allowMethod(request, 'GET');
      this.#countStranger(request);
      answerJson(response, { ok: true, version: this.#version });
      return;
    }
    if (pathname === '/healthz') {
      allowMethod(request, 'GET');
      this.#countStranger(request);
      const mayObserve = this.#mayObserve(request);
      const health = healthOf(this.#views(), searchParams, { version: this.#version, mayObserve });
      answerJson(response, health, health.ok ? 200 : 503);
      return;
    }
    if (pathname === '/metrics') {
      allowMethod(request, 'GET');
      this.#enter(request, 'observe');
      answerText(response, await this.#metrics.text(), this.#metrics.contentType);
      return;
    }
    if (pathname === '/api/boards') {
      allowMethod(request, 'GET');
      this.#enter(request, 'observe');
      answerJson(response, { boards: this.#views() });
      return;
    }
    const [, name, action] = /^\/api\/boards\/([^/]+)\/(stop|recording|trace|notes)$/.exec(pathname) ?? [];
    if (name !== undefined) {
      await this.#act(name, action as Action, request, response);
      return;
    }
    if (/^\/api\/(events|boards\/[^/]+\/link)$/.test(pathname)) throw upgradeNeeded();
    this.#countStranger(request);
    if (!this.#page.answer(pathname, request, response)) throw notFound(pathname);
  }

  /** Does the requested action on one board. */
  async #act(
    name: string,
    action: Action,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method, right } = ACTIONS[action];
    allowMethod(request, method);
    const identity = this.#enter(request, right);
    const board = this.#boardNamed(name);
    switch (action) {
      case 'stop':
        answerJson(response, {
          state: await board.stop(identity.owner, this.#rates.allows('toldStops', identity.owner)),
        });
        break;
      case 'recording': {
        const { on } = await readJson(request, RECORDING_REQUEST);
        this.#rates.take('recordings', identity.owner);
        await board.record(on, identity.owner);
        answerJson(response, board.recording.view);
        break;
      }
      case 'trace':
        await answerFile(response, board.recording.file, `${name}.mcap`);
        break;
      case 'notes': {
        if (board.notedOwner !== identity.owner)
          throw new Refusal(
            409,
            'BUSY',
            `${identity.owner} does not have the board.`,
            'Notes come from its driver.',
          );
        const { notes } = await readJson(request, NOTES_REQUEST);
        this.#rates.take('notes', identity.owner, notes.length);
        board.takeNotes(identity.owner, notes);
        answerJson(response, { taken: notes.length });
      }
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#origins.check(request);
    const { pathname, searchParams } = urlOf(request);
    const kind = request.headers.upgrade?.toLowerCase();
    const name = /^\/api\/boards\/([^/]+)\/link$/.exec(pathname)?.[1];
    if (name !== undefined && kind === LINK_UPGRADE) {
      const identity = this.#enter(request, 'drive');
      this.#rates.take('leases', identity.owner);
      const board = this.#boardNamed(name);
      await linkConnection(
        { board, identity, request, parameters: searchParams, clock: this.#clock },
        socket,
        head,
      );
    } else if (name !== undefined && kind === 'websocket') {
      await this.#overWebSocket(this.#links, 'drive', request, socket, head, (opened, identity) => {
        this.#rates.take('leases', identity.owner);
        const board = this.#boardNamed(name);
        return linkWebSocket(
          { board, identity, request, parameters: searchParams, clock: this.#clock },
          opened,
        );
      });
    } else if (pathname === '/api/events' && kind === 'websocket') {
      this.#observers.checkRoom();
      await this.#overWebSocket(this.#events, 'observe', request, socket, head, (opened, identity) =>
        this.#observe(opened, identity),
      );
    } else throw name === undefined && pathname !== '/api/events' ? notFound(pathname) : upgradeNeeded();
  }

  /** Opens a WebSocket and does `work` for a client with the right. A refusal is sent on the WebSocket. */
  async #overWebSocket(
    server: WebSocketServer,
    right: Right,
    request: IncomingMessage,
    connection: Duplex,
    head: Buffer,
    work: (opened: WebSocket, identity: Identity) => Promise<void>,
  ): Promise<void> {
    const opened = await acceptWebSocket(server, request, connection, head);
    try {
      const identity = await identifySocket(opened, request, this.#gate);
      this.#require(identity, right, request);
      await work(opened, identity);
    } catch (error) {
      refuseSocket(opened, this.#refusal(error));
    }
  }

  async #observe(opened: WebSocket, { owner, right }: Identity): Promise<void> {
    this.#observers.checkRoom(owner);
    this.#observers.add(opened, owner, this.#missed(owner, right));
  }

  /** Whether a request that needs no right has the right to observe. A wrong token is still refused. */
  #mayObserve(request: IncomingMessage): boolean {
    const token = bearerToken(request);
    if (token === undefined && this.#gate.asks) return false;
    return allows(this.#gate.enter(token, request.socket.remoteAddress ?? ''), 'observe');
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
        `The token of ${identity.owner} has the right \`${identity.right}\`; this request needs \`${right}\`.`,
        'The person who runs the server sets the rights in its token file.',
      );
    this.#guard.admit(socket);
    if (right !== 'stop') this.#rates.take('requests', identity.owner);
  }

  /** Counts a request that shows no token. */
  #countStranger({ socket }: IncomingMessage): void {
    this.#rates.take('requests', networkOf(socket.remoteAddress ?? ''));
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

  /** The events that a new observer has missed: the boards, their notes, and the counters. */
  *#missed(owner: string, right: Right): Generator<HubEvent> {
    const boards = this.#views();
    yield { type: 'hello', timeMs: Date.now(), version: this.#version, owner, right, boards };
    for (const board of this.#boards.values()) {
      const { name, notes } = board;
      if (notes.length > 0) yield { type: 'history', timeMs: Date.now(), board: name, notes: [...notes] };
      yield { type: 'link', timeMs: Date.now(), board: name, counters: board.counters };
    }
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

/** The requests about one board, with the right that each needs. */
const ACTIONS = {
  stop: { method: 'POST', right: 'stop' },
  recording: { method: 'POST', right: 'drive' },
  trace: { method: 'GET', right: 'observe' },
  notes: { method: 'POST', right: 'drive' },
} as const;
type Action = keyof typeof ACTIONS;

/** Time that closing waits for clients to read their answers. */
const CLOSE_MS = 1500;

function socketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false, clientTracking: false });
}
