import type { Clock } from '../../../firmware-protocol/clock.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import type { FieldDifference } from './compare-fields.js';
import type { RunComparison } from './compare-runs.js';
import type { Verdict } from './judge.js';
import type { FirstDifference } from './run-samples.js';

/** How samples are compared. */
export type VerifyMode = 'exact' | 'statistical';

export interface VerifyOptions {
  /**
   * False-alarm rate for the whole file: the probability that a sound board of the same kind raises an alarm.
   * Default 1e-3.
   */
  readonly rate?: number;
  /**
   * `exact`: every code must be equal. `statistical`: samples may differ by noise. Default: `exact` if both
   * boards are the same die of the same digital model, otherwise `statistical`.
   */
  readonly mode?: VerifyMode;
  /**
   * Number that selects new noise. The runs get other run seeds, and a digital board is then compared
   * statistically.
   */
  readonly freshNoise?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called after each recorded message, with the index of the message. */
  readonly onProgress?: (message: number) => void;
}

/** A board run in both sessions. */
export interface VerifiedRun {
  /** Index of the recorded `start`. */
  readonly message: number;
  readonly cells: number;
  readonly recordedSamples: number;
  readonly foundSamples: number;
  /** Time from one sample to the next, in τ. */
  readonly spacingTau: number;
  readonly firstDifference: FirstDifference | undefined;
  /** Whether its samples are part of a statistical comparison. */
  readonly compared: boolean;
}

/** Runs whose statistics were compared together: runs of one program, or short runs of several programs. */
export interface ComparedSamples extends RunComparison {
  /** Indices of the runs in `runs`. */
  readonly runs: readonly number[];
  /** Whether they are runs of one program, read at the same interval. */
  readonly isOneProgram: boolean;
}

export interface VerifyResult {
  readonly mode: VerifyMode;
  /** The reason for this mode. */
  readonly reason: string;
  readonly recorded: DeviceIdentity;
  readonly found: DeviceIdentity;
  /** Number of sent commands, and number of compared messages of the board. */
  readonly commands: number;
  readonly replies: number;
  readonly samples: number;
  readonly runs: readonly VerifiedRun[];
  /** Differences in digital values. */
  readonly differences: readonly FieldDifference[];
  /** Number of runs with at least one sample that is not equal bit for bit. */
  readonly runsThatDiffer: number;
  readonly comparisons: readonly ComparedSamples[];
  readonly verdict: Verdict;
  /** Number of runs that could not be compared, because their samples are too few or too correlated. */
  readonly runsNotCompared: number;
  /** Number of runs without an end in the trace. */
  readonly runsWithoutEnd: number;
  readonly passed: boolean;
}
