import type { TraceMessage } from '../traces/trace-message.js';

/**
 * Largest number of unanswered commands that are kept. A host has fewer. It bounds the memory if a board
 * answers nothing.
 */
const PENDING_MAX = 256;

/** A command that was answered. */
export interface RoundTrip {
  readonly command: string;
  readonly requestId: number;
  /** Whether the board refused it. */
  readonly refused: boolean;
  /** Time from the command at the board's port to its answer there. */
  readonly seconds: number;
}

/**
 * Joins commands with their answers by session and request (protocol.md, "Messages"). A command that comes
 * again before its answer counts from its first time.
 */
export class RoundTrips {
  readonly #nowMs: () => number;
  readonly #tell: (trip: RoundTrip) => void;
  readonly #pending = new Map<number, { readonly command: string; readonly sinceMs: number }>();
  #session = 0;

  constructor(nowMs: () => number, tell: (trip: RoundTrip) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  /** Takes a message that passed. */
  take({ kind, name, session, requestId }: TraceMessage): void {
    if (session !== this.#session) this.#pending.clear();
    this.#session = session;
    if (requestId === 0) return;
    if (kind === 'command') {
      if (this.#pending.size >= PENDING_MAX) this.#pending.delete(this.#pending.keys().next().value!);
      if (!this.#pending.has(requestId))
        this.#pending.set(requestId, { command: name, sinceMs: this.#nowMs() });
      return;
    }
    const asked = this.#pending.get(requestId);
    if (asked === undefined) return;
    this.#pending.delete(requestId);
    const { command, sinceMs } = asked;
    const refused = name === 'refusal';
    this.#tell({ command, requestId, refused, seconds: (this.#nowMs() - sinceMs) / 1000 });
  }
}
