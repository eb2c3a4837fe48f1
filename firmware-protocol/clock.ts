/** Where time comes from; tests pass a virtual one, so nothing sleeps. */
export interface Clock {
  /** Milliseconds since some moment; never runs backwards. */
  nowMs(): number;
  /** Calls `callback` once when `delayMs` have passed; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}
