import type { SolverCost } from '../board/cost.js';
import type { Figures } from './problem/contract.js';

/**
 * Host time of one step in milliseconds, by part. A field `timing` holds all values that depend on the clock,
 * and no others.
 */
export interface StepTiming {
  /**
   * Forward and backward pass over the batch. If another thread does it, only the time in which this thread
   * waited for the gradient.
   */
  readonly gradientMs: number;
  /** Per-example derivatives and the factor K. */
  readonly curvatureMs: number;
  /** Checking, scaling and rounding in the solver. */
  readonly mapMs: number;
  readonly uploadMs: number;
  /** Waiting for the board to run (an emulator computes here). */
  readonly boardMs: number;
  readonly readoutMs: number;
  /** The rest: copying the batch and the arithmetic of the optimizer. */
  readonly otherMs: number;
}

/** The record of a step that all problems have in common. */
export interface StepFacts {
  /** Steps taken before this one. */
  readonly step: number;
  /** The loss before the update, in the problem's unit; for a classifier the mean over the batch in nat. */
  readonly loss: number;
  readonly uploadBytes: number;
  /** Modelled time of the board in this step: ticks × h × τ. */
  readonly boardSeconds: number;
  readonly ticks: number;
  /** Number of board runs that were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** Number of lost programs and board runs that were repeated, with the same bits. */
  readonly repeats: number;
  /**
   * Number of coupling and noise codes that the board clamped in one commit; the largest over all commits.
   */
  readonly clampedCodes: number;
  readonly timing: StepTiming;
}

/** Figures of a step of a classifier beside its loss. */
export type ClassificationMeasures = {
  /** Number of the pass over the training examples, counted from 0. */
  readonly epoch: number;
  /** Share of the batch that was classified correctly before the update, 0 … 1. */
  readonly accuracy: number;
};

/**
 * One line of metrics.jsonl: a training step. `Measures` are the figures of the problem; `test` is the test
 * of the parameters after the step, if they were tested.
 */
export type StepRecord<
  Measures extends Figures = ClassificationMeasures,
  Test extends Figures = Figures,
> = StepFacts & Measures & { readonly test?: Test };

/** Sums over the steps so far. */
export interface TrainingTotals {
  readonly uploadBytes: number;
  readonly boardSeconds: number;
  readonly ticks: number;
  /** Number of board runs that were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** Number of lost programs and board runs that were repeated, with the same bits. */
  readonly repeats: number;
  readonly timing: StepTiming;
}

export const ZERO_TIMING: StepTiming = Object.freeze({
  gradientMs: 0,
  curvatureMs: 0,
  mapMs: 0,
  uploadMs: 0,
  boardMs: 0,
  readoutMs: 0,
  otherMs: 0,
});

export const ZERO_TOTALS: TrainingTotals = Object.freeze({
  uploadBytes: 0,
  boardSeconds: 0,
  ticks: 0,
  overloadRetries: 0,
  repeats: 0,
  timing: ZERO_TIMING,
});

export function addToTotals(totals: TrainingTotals, record: StepFacts): TrainingTotals {
  return {
    uploadBytes: totals.uploadBytes + record.uploadBytes,
    boardSeconds: totals.boardSeconds + record.boardSeconds,
    ticks: totals.ticks + record.ticks,
    overloadRetries: totals.overloadRetries + record.overloadRetries,
    repeats: totals.repeats + record.repeats,
    timing: mapTiming((part) => totals.timing[part] + record.timing[part]),
  };
}

export function mapTiming(value: (part: keyof StepTiming) => number): StepTiming {
  const entries = (Object.keys(ZERO_TIMING) as (keyof StepTiming)[]).map((part) => [part, value(part)]);
  return Object.fromEntries(entries) as Record<keyof StepTiming, number>;
}

/** The part of the timing of a step that the solver used. */
export function solverTiming(
  cost: SolverCost,
): Pick<StepTiming, 'mapMs' | 'uploadMs' | 'boardMs' | 'readoutMs'> {
  return { mapMs: cost.mapMs, uploadMs: cost.uploadMs, boardMs: cost.boardMs, readoutMs: cost.readoutMs };
}

/** Final test of a classifier. */
export type ClassificationTest = {
  /** Share of all test examples that the final parameters classify correctly, 0 … 1. */
  readonly testAccuracy: number;
  /** Mean loss over all test examples, in units of nat. */
  readonly testLoss: number;
  /**
   * Mean loss of the final parameters over the first `trainLossExamples` training examples, in units of nat.
   * It can be compared between optimizers. A running mean over the steps cannot, because the parameters
   * change during it.
   */
  readonly trainLoss: number;
  readonly trainLossExamples: number;
};

/**
 * The report of a finished training; also the content of summary.json. `Test` are the figures of the problem.
 */
export type TrainingSummary<Test extends Figures = ClassificationTest> = Test & TrainingFacts;

/** The part of the report that all trainings have in common. */
export interface TrainingFacts {
  /** Steps taken. */
  readonly iterations: number;
  readonly parameterCount: number;
  /** Modelled time of the board in all steps: ticks × h × τ. */
  readonly boardSeconds: number;
  readonly ticks: number;
  readonly uploadBytes: number;
  readonly uploadBytesPerStep: number;
  /** Number of board runs that were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** Number of lost programs and board runs that were repeated, with the same bits. */
  readonly repeats: number;
  /** All settings that affect the results. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly timing: {
    /** Wall time of the whole training, including its final evaluation and the steps before a resume. */
    readonly hostSeconds: number;
    /** Host time per step, in milliseconds. */
    readonly breakdown: StepTiming;
  };
}
