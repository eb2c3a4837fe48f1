import { checkObject } from '../argument-checks.js';
import type { Characterization } from './characterize.js';
import { type Estimates, type Summary, summarize } from './estimates.js';
import { quantitiesOf } from './quantities.js';

/** Version of the format. Every change that affects readers of records increases it. */
export const RECORD_VERSION = 1;

/** Null if a number is not finite, because JSON has no such numbers. */
type Numbers = readonly (number | null)[];

/** Estimates as JSON. */
export interface RecordedEstimates {
  readonly values: Numbers;
  /** One standard deviation of the estimate. */
  readonly standardErrors: Numbers;
}

/**
 * A characterization as JSON. Entry i of a list belongs to cell i, or to crosspoint (rows[i], columns[i]).
 * Each number has its unit beside it.
 */
export interface CharacterizationRecord {
  readonly schema: 'thermolink-characterization';
  readonly version: typeof RECORD_VERSION;
  /** Time of the measurement by the clock of the host, ISO 8601. */
  readonly measuredAt: string;
  readonly board: Characterization['identity'];
  readonly method: { readonly seed: number; readonly samples: number };
  readonly quantities: Readonly<
    Record<
      string,
      RecordedEstimates & {
        readonly unit: string;
        readonly nominal: number;
        readonly summary: RecordedSummary;
      }
    >
  >;
  /** Whether the noise is white; see `NoiseColour`. */
  readonly noiseColour: {
    readonly excessCorrelation: number | null;
    readonly standardError: number | null;
    readonly isColoured: boolean;
  };
  /** Null if the board has no dense array, or if no crosspoints were requested. */
  readonly couplingErrors:
    | (RecordedEstimates & {
        readonly rows: readonly number[];
        readonly columns: readonly number[];
        readonly summary: RecordedSummary;
      })
    | null;
  readonly adcHistograms: readonly {
    readonly firstCode: number;
    readonly counts: readonly number[];
    readonly missing: readonly number[];
    readonly widthSpreadLsb: number | null;
    readonly stuckAt: number | null;
  }[];
  readonly silent: readonly number[];
  readonly overloaded: readonly number[];
}

/** A summary as JSON. A number that is not finite is null. */
export type RecordedSummary = Readonly<Record<keyof Summary, number | null>>;

/** The record of a characterization that was made at `measuredAt`. Errors: BAD_ARGUMENT. */
export function recordOf(measured: Characterization, measuredAt: Date): CharacterizationRecord {
  checkObject(
    'measured',
    measured,
    'await characterize(device, { seed: 0, samples: 20000, crosspointsPerRow: 16 })',
  );
  const { identity, seed, samples, noiseColour, couplings, histograms, silent, overloaded } = measured;
  return {
    schema: 'thermolink-characterization',
    version: RECORD_VERSION,
    measuredAt: measuredAt.toISOString(),
    board: identity,
    method: { seed, samples },
    quantities: Object.fromEntries(
      quantitiesOf(measured).map(({ key, unit, nominal, estimates }) => [
        key,
        { unit, nominal, summary: summaryOf(estimates, nominal), ...recorded(estimates) },
      ]),
    ),
    noiseColour: {
      excessCorrelation: finite(noiseColour.excessCorrelation),
      standardError: finite(noiseColour.standardError),
      isColoured: noiseColour.isColoured,
    },
    couplingErrors:
      couplings === undefined
        ? null
        : {
            rows: [...couplings.rows],
            columns: [...couplings.columns],
            summary: summaryOf(couplings.errors, 0),
            ...recorded(couplings.errors),
          },
    adcHistograms: histograms.map(({ firstCode, counts, missing, widthSpreadLsb, stuckAt }) => ({
      firstCode,
      counts: [...counts],
      missing,
      widthSpreadLsb: finite(widthSpreadLsb),
      stuckAt: stuckAt ?? null,
    })),
    silent,
    overloaded,
  };
}

function recorded({ values, standardErrors }: Estimates): RecordedEstimates {
  return { values: Array.from(values, finite), standardErrors: Array.from(standardErrors, finite) };
}

function summaryOf(estimates: Estimates, nominal: number): RecordedSummary {
  const { measured, mean, spread, standardError, ownSpread, worst } = summarize(estimates, nominal);
  return {
    measured,
    mean: finite(mean),
    spread: finite(spread),
    standardError: finite(standardError),
    ownSpread: finite(ownSpread),
    worst: worst < 0 ? null : worst,
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
