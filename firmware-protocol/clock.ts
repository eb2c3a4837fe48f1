/** Where time comes from; tests pass a virtual one, so nothing sleeps. */
export interface Clock {
  /** The time in ms since some moment; never runs backwards. Errors: none. */
  nowMs(): number;
  /** Calls `callback` once when `delayMs` have passed; the returned function cancels it. Errors: none. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Calls `callback` one turn later: after what has already arrived, and before any time passes. Errors: none. */
  defer(callback: () => void): void;
}
