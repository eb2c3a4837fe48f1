import type { SolverCost } from '../board/cost.js';
import type { Figures } from './problem/contract.js';

/**
 * Host time of one step in milliseconds, by part. Whatever depends on the clock is in a field `timing`, and
 * nothing else is.
 */
export interface StepTiming {
  /**
   * Forward and backward pass over the batch. Where another thread does it, only the time that nothing but
   * the gradient was waited for.
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

/** What every step leaves, whatever is trained. */
export interface StepFacts {
  /** Steps taken before this one. */
  readonly step: number;
  /** The loss before the update, in the problem's unit; for a classifier the mean over the batch in nat. */
  readonly loss: number;
  readonly uploadBytes: number;
  /** Modelled: ticks × h × τ. */
  readonly boardSeconds: number;
  readonly ticks: number;
  /** How many board runs were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** How often a program or a board run that was lost was done again, with the same bits. */
  readonly repeats: number;
  /** Coupling and noise codes that the board clamped, the most of any commit. */
  readonly clampedCodes: number;
  readonly timing: StepTiming;
}

/** What a step of a classifier says beside its loss. */
export type ClassificationMeasures = {
  /** Which pass over the training examples, counted from 0. */
  readonly epoch: number;
  /** Share of the batch classified rightly, before the update, 0 … 1. */
  readonly accuracy: number;
};

/**
 * One line of metrics.jsonl: a training step. `Measures` are the problem's own figures; `test` is what the
 * parameters after the step were worth, where they were tested.
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
  /** How many board runs were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** How often a program or a board run that was lost was done again, with the same bits. */
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

/** The solver's share of a step's timing. */
export function solverTiming(
  cost: SolverCost,
): Pick<StepTiming, 'mapMs' | 'uploadMs' | 'boardMs' | 'readoutMs'> {
  return { mapMs: cost.mapMs, uploadMs: cost.uploadMs, boardMs: cost.boardMs, readoutMs: cost.readoutMs };
}

/** What is known of a classifier in the end. */
export type ClassificationTest = {
  /** Share of all test examples classified rightly by the final parameters, 0 … 1. */
  readonly testAccuracy: number;
  /** Mean loss over all test examples, in units of nat. */
  readonly testLoss: number;
  /**
   * Mean loss of the final parameters over the first `trainLossExamples` training examples, in units of nat.
   * It can be compared between optimizers. A running mean can not, since the parameters change under it.
   */
  readonly trainLoss: number;
  readonly trainLossExamples: number;
};

/** What a finished training reports; also the content of summary.json. `Test` are the problem's figures. */
export type TrainingSummary<Test extends Figures = ClassificationTest> = Test & TrainingFacts;

/** What every finished training reports. */
export interface TrainingFacts {
  /** Steps taken. */
  readonly iterations: number;
  readonly parameterCount: number;
  /** Modelled time of the board in all steps: ticks × h × τ. */
  readonly boardSeconds: number;
  readonly ticks: number;
  readonly uploadBytes: number;
  readonly uploadBytesPerStep: number;
  /** How many board runs were repeated at another scale because a cell ran into its rail. */
  readonly overloadRetries: number;
  /** How often a program or a board run that was lost was done again, with the same bits. */
  readonly repeats: number;
  /** Everything that the results depend on. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly timing: {
    /** Wall time of the whole training with its final evaluation, and of the steps before a resume. */
    readonly hostSeconds: number;
    /** Host time per step, in milliseconds. */
    readonly breakdown: StepTiming;
  };
}
