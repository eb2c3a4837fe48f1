import type { Clock } from '../../../firmware-protocol/clock.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import type { FieldDifference } from './compare-fields.js';
import type { RunComparison } from './compare-runs.js';
import type { Verdict } from './judge.js';
import type { FirstDifference } from './run-samples.js';

/** How samples are compared. */
export type VerifyMode = 'exact' | 'statistical';

export interface VerifyOptions {
  /** How often a sound board of the same kind may raise an alarm, for the whole file. Default 1e-3. */
  readonly rate?: number;
  /**
   * `exact`: every code must be equal. `statistical`: samples may differ as noise differs. Default: exact
   * where recorded and other board are the same die of the same digital model, else statistical.
   */
  readonly mode?: VerifyMode;
  /** Names new noise: the runs get other run seeds, so that a digital board is compared statistically. */
  readonly freshNoise?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called after each recorded message, with its number. */
  readonly onProgress?: (message: number) => void;
}

/** A board run in both sessions. */
export interface VerifiedRun {
  /** Number of the recorded `start`. */
  readonly message: number;
  readonly cells: number;
  readonly recordedSamples: number;
  readonly foundSamples: number;
  /** Time from one sample to the next, in τ. */
  readonly spacingTau: number;
  readonly firstDifference: FirstDifference | undefined;
  /** Whether its samples are part of a comparison of statistics. */
  readonly compared: boolean;
}

/** Runs whose statistics were compared as one: of one program, or too short to be compared by program. */
export interface ComparedSamples extends RunComparison {
  /** Which runs, as places in `runs`. */
  readonly runs: readonly number[];
  /** Whether they are runs of one program, read at the same interval. */
  readonly isOneProgram: boolean;
}

export interface VerifyResult {
  readonly mode: VerifyMode;
  /** Why this mode. */
  readonly reason: string;
  readonly recorded: DeviceIdentity;
  readonly found: DeviceIdentity;
  /** How many commands were sent, and how many messages of the board were compared. */
  readonly commands: number;
  readonly replies: number;
  readonly samples: number;
  readonly runs: readonly VerifiedRun[];
  /** Differences in what is digital. */
  readonly differences: readonly FieldDifference[];
  /** How many samples are not equal, bit for bit: runs that have one. */
  readonly runsThatDiffer: number;
  readonly comparisons: readonly ComparedSamples[];
  readonly verdict: Verdict;
  /** Runs with samples of which nothing could be said, because they are too few or too correlated. */
  readonly runsNotCompared: number;
  /** The trace ended in the middle of something: these many runs have no end in it. */
  readonly runsWithoutEnd: number;
  readonly passed: boolean;
}
