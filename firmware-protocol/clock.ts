/** A source of time. Tests pass a virtual one, so nothing sleeps. */
export interface Clock {
  /** The time in ms since some moment. It never runs backwards. Errors: none. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`. The returned function cancels it. Errors: none. */
  schedule(delayMs: number, callback: () => void): () => void;
  /**
   * Calls `callback` one turn later: after everything that has arrived, and before any
   * time passes. Errors: none.
   */
  defer(callback: () => void): void;
  /**
   * For how many ms this process or its machine did not run so far, though a timer was due. Only differences
   * mean something. A clock that can't tell leaves it out. Errors: none.
   */
  stoppedMs?(): number;
}
