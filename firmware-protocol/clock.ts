/** A source of time. Tests pass a virtual clock, so they need not wait. */
export interface Clock {
  /** The time in ms since some moment. It never runs backwards. Errors: none. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`. The returned function cancels it. Errors: none. */
  schedule(delayMs: number, callback: () => void): () => void;
  /**
   * Calls `callback` one turn later: after all input that has arrived is handled, and before any time passes.
   * Errors: none.
   */
  defer(callback: () => void): void;
  /**
   * The total time in ms during which a timer was due but this process or its machine did not run. Only
   * differences of two values have a meaning. A clock that can't measure this leaves it out. Errors: none.
   */
  stoppedMs?(): number;
}
