import type { ServerRequests } from './server/requests.js';
import type { ConnectionStatus } from './state/connection-text.js';
import { ConsoleState } from './state/console-state.js';

/** Least time between two updates of the page. */
const REDRAW_MS = 100;

/** The result of the person's last request to a board. */
export interface Answer {
  readonly kind: 'waiting' | 'done' | 'failed';
  readonly text: string;
}

/** The state that the page shows, with listeners for changes. */
export class Store {
  readonly state = new ConsoleState();
  status: ConnectionStatus = { kind: 'connecting' };
  /** By the name of the board. */
  readonly answers = new Map<string, Answer>();
  readonly requests: ServerRequests;
  #listener: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(requests: ServerRequests) {
    this.requests = requests;
    document.addEventListener('visibilitychange', () => this.changed());
  }

  /** Calls `listener` after changes. A hidden page is drawn when it becomes visible again. */
  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = () => undefined;
    };
  }

  changed(): void {
    if (this.#timer !== undefined || document.hidden) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#listener();
    }, REDRAW_MS);
  }

  setStatus(status: ConnectionStatus): void {
    this.status = status;
    this.changed();
  }

  async stop(board: string): Promise<void> {
    await this.#ask(board, 'Stopping …', async () => {
      const state = await this.requests.stop(board);
      return `Stopped. The board is ${state}.`;
    });
  }

  async record(board: string, on: boolean): Promise<void> {
    await this.#ask(board, on ? 'Beginning to record …' : 'Ending the recording …', async () => {
      await this.requests.record(board, on);
      return on ? 'Recording.' : 'The recording has ended and can be downloaded.';
    });
  }

  /** Gives the newest trace of a board to the browser as a file. */
  async downloadTrace(board: string): Promise<void> {
    await this.#ask(board, 'Downloading the trace …', async () => {
      const url = URL.createObjectURL(await this.requests.trace(board));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${board}.mcap`;
      link.click();
      // The browser has begun to copy it by then.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      return 'The trace was downloaded.';
    });
  }

  async #ask(board: string, waiting: string, act: () => Promise<string>): Promise<void> {
    this.#answer(board, { kind: 'waiting', text: waiting });
    try {
      this.#answer(board, { kind: 'done', text: await act() });
    } catch (error) {
      this.#answer(board, { kind: 'failed', text: (error as Error).message });
    }
  }

  #answer(board: string, answer: Answer): void {
    this.answers.set(board, answer);
    this.changed();
  }
}
