/**
 * The cost of one call, without lost work that was done again. Board time is modelled (ticks × h × τ). Every
 * `…Ms` is host time and never enters a result.
 */
export interface SolverCost {
  readonly boardSeconds: number;
  readonly ticks: number;
  readonly uploadBytes: number;
  /** Runs repeated because a cell or row ran into its rail. */
  readonly overloadRetries: number;
  /** How often a program or a board run was done again because the line, the session or the board lost it. */
  readonly repeats: number;
  /**
   * Largest number of coupling and noise codes that the board clamped to its range in one commit; 0 on an
   * ideal board.
   */
  readonly clampedCodes: number;
  /** Host time: checking, scaling and rounding. */
  readonly mapMs: number;
  /** Host time until the program was in the board. */
  readonly uploadMs: number;
  /** Host time waiting for the board to run. */
  readonly boardMs: number;
  /** Host time receiving and averaging samples. */
  readonly readoutMs: number;
}

export const ZERO_COST: SolverCost = Object.freeze({
  boardSeconds: 0,
  ticks: 0,
  uploadBytes: 0,
  overloadRetries: 0,
  repeats: 0,
  clampedCodes: 0,
  mapMs: 0,
  uploadMs: 0,
  boardMs: 0,
  readoutMs: 0,
});

export function addCost(a: SolverCost, b: SolverCost): SolverCost {
  return {
    boardSeconds: a.boardSeconds + b.boardSeconds,
    ticks: a.ticks + b.ticks,
    uploadBytes: a.uploadBytes + b.uploadBytes,
    overloadRetries: a.overloadRetries + b.overloadRetries,
    repeats: a.repeats + b.repeats,
    clampedCodes: Math.max(a.clampedCodes, b.clampedCodes),
    mapMs: a.mapMs + b.mapMs,
    uploadMs: a.uploadMs + b.uploadMs,
    boardMs: a.boardMs + b.boardMs,
    readoutMs: a.readoutMs + b.readoutMs,
  };
}
