import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BoardView, HubEvent, Right } from '../../../src/hub/api.js';
import { PageFiles } from '../../../src/hub/page-files.js';

/** A request that the page has sent. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly token: string | undefined;
}

export interface FakeHubOptions {
  readonly boards?: readonly BoardView[];
  readonly right?: Right;
  readonly owner?: string;
  /** The token that the server asks for. Default: it asks for none. */
  readonly token?: string;
  /** Default: any free port. */
  readonly port?: number;
}

/** A server that sends the page the events of a test, in the form of the real server. */
export class FakeHub {
  readonly asked: Asked[] = [];
  /** The refusal with which requests are answered, with the status 409. Undefined: requests succeed. */
  refusal: { readonly code: string; readonly message: string; readonly remedy: string } | undefined;
  boards: readonly BoardView[];
  readonly #server: Server;
  readonly #sockets = new Set<WebSocket>();
  readonly #options: FakeHubOptions;
  #wake: () => void = () => undefined;

  private constructor(options: FakeHubOptions) {
    this.#options = options;
    this.boards = options.boards ?? [];
    const page = new PageFiles();
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url!, 'http://localhost');
      if (pathname.startsWith('/api/')) void this.#answer(pathname, request, response);
      else if (pathname === '/healthz') response.end('{"ok":true}');
      else if (!page.answer(pathname, request, response)) response.writeHead(404).end();
    });
    const events = new WebSocketServer({ server: this.#server, path: '/api/events' });
    events.on('connection', (socket) =>
      socket.once('message', (data: Buffer) => this.#greet(socket, data.toString())),
    );
  }

  static async start(options: FakeHubOptions = {}): Promise<FakeHub> {
    const hub = new FakeHub(options);
    await new Promise<void>((resolve) => hub.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return hub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Waits until a page listens. */
  async page(): Promise<void> {
    while (this.#sockets.size === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  tell(...events: readonly HubEvent[]): void {
    for (const event of events) for (const socket of this.#sockets) socket.send(JSON.stringify(event));
  }

  /**
   * Sends, and waits until the system has taken the earlier messages. A slow page therefore slows this down.
   */
  async tellSlowly(events: readonly HubEvent[]): Promise<void> {
    for (const event of events)
      for (const socket of this.#sockets)
        await new Promise<void>((resolve) => socket.send(JSON.stringify(event), () => resolve()));
  }

  /** Behaves as a killed process: every connection breaks, and nothing listens any more. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #greet(socket: WebSocket, first: string): void {
    const { token, owner = 'local', right = 'admin' } = this.#options;
    if (token !== undefined && (JSON.parse(first) as { token: string }).token !== token) {
      socket.close(4401, 'This server wants a token that it knows.');
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const hello = { timeMs: Date.now(), version: '0.1.0', owner, right, boards: [...this.boards] };
    socket.send(JSON.stringify({ type: 'hello', ...hello } satisfies HubEvent));
    this.#wake();
  }

  async #answer(pathname: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.asked.push({ method: request.method!, path: pathname, body, token: request.headers.authorization });
    if (this.refusal) response.writeHead(409).end(JSON.stringify(this.refusal));
    else if (pathname.endsWith('/stop')) response.end(JSON.stringify({ state: 'safe' }));
    else if (pathname.endsWith('/recording')) response.end('{}');
    else if (pathname.endsWith('/trace')) response.end('\x89MCAP0\r\n of a fake');
    else response.writeHead(404).end();
  }
}
