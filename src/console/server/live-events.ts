import type { HubEvent } from '../../hub/api.js';
import { type ConnectionStatus, retryMs } from '../state/connection-text.js';

/**
 * Codes with which the server closes the WebSocket of an observer without a good token: 4000 plus the HTTP
 * status.
 */
const TOKEN_CLOSE_CODES: readonly number[] = [4401, 4403];
/** A server that was silent for this time is asked whether it still runs. */
const SILENCE_MS = 10_000;
const PROBE_DEADLINE_MS = 5000;
/** A connection that is not open after this time is given up. */
const OPEN_DEADLINE_MS = 10_000;
/** Largest message. The server sends no longer ones. */
const MESSAGE_CHARS_MAX = 8_000_000;

export interface LiveEventsOptions {
  /** The address of the page's server. */
  readonly base: URL;
  readonly token: () => string;
  readonly onEvent: (event: HubEvent) => void;
  readonly onStatus: (status: ConnectionStatus) => void;
}

/** The stream of the server's events. It is opened anew whenever it breaks, until `close`. */
export class LiveEvents {
  readonly #options: LiveEventsOptions;
  #socket: WebSocket | undefined;
  #failures = 0;
  #refusals = 0;
  #lostSinceMs: number | undefined;
  #heardMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #watch: ReturnType<typeof setInterval>;

  constructor(options: LiveEventsOptions) {
    this.#options = options;
    this.#watch = setInterval(() => void this.#probe(), SILENCE_MS);
    this.#open();
  }

  /** Tries at once, with the token as it is now. */
  retryNow(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#open();
  }

  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#drop();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #open(): void {
    const { base, token, onEvent, onStatus } = this.#options;
    const url = new URL('api/events', base);
    url.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.#lostSinceMs === undefined) onStatus({ kind: 'connecting' });
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.close(), OPEN_DEADLINE_MS);
    socket.addEventListener('open', () => socket.send(JSON.stringify({ token: token() })));
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardMs = Date.now();
      const event = parseEvent(data);
      if (!event) return;
      if (event.type === 'hello') {
        clearTimeout(this.#timer);
        this.#failures = 0;
        this.#lostSinceMs = undefined;
        onStatus({ kind: 'open' });
      }
      onEvent(event);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#socket = undefined;
      clearTimeout(this.#timer);
      if (TOKEN_CLOSE_CODES.includes(code)) {
        this.#lostSinceMs = undefined;
        const message = reason || 'The server wants a token.';
        onStatus({ kind: 'refused', message, refusals: ++this.#refusals });
      } else this.#retryLater();
    });
  }

  #retryLater(): void {
    this.#lostSinceMs ??= Date.now();
    const wait = retryMs(++this.#failures);
    this.#options.onStatus({ kind: 'lost', sinceMs: this.#lostSinceMs, retryMs: wait });
    this.#timer = setTimeout(() => this.#open(), wait);
  }

  /** A server whose machine was cut off sends nothing, not even a close. */
  async #probe(): Promise<void> {
    const socket = this.#socket;
    if (!socket || Date.now() - this.#heardMs < SILENCE_MS) return;
    try {
      await fetch(new URL('healthz', this.#options.base), {
        cache: 'no-store',
        signal: AbortSignal.timeout(PROBE_DEADLINE_MS),
      });
    } catch {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#retryLater();
    }
  }
}

/**
 * The event in a message; undefined if the message is not an event. The server made it, so its fields are
 * trusted.
 */
function parseEvent(data: unknown): HubEvent | undefined {
  if (typeof data !== 'string' || data.length > MESSAGE_CHARS_MAX) return undefined;
  try {
    const event = JSON.parse(data) as HubEvent | null;
    return typeof event?.type === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}
