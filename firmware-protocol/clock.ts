/** Where time comes from; tests pass a virtual one, so nothing sleeps. */
export interface Clock {
  /** Milliseconds since some moment; never runs backwards. */
  nowMs(): number;
  /** Calls `callback` once when `delayMs` have passed; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Calls `callback` one turn later: after what has already arrived, and before any time passes. */
  defer(callback: () => void): void;
}
