import type { HubEventOf } from '../../hub/api.js';

type MomentsEvent = HubEventOf<'moments'>;

/** Moments of one run, or of several runs of the same program together. */
export interface ShownMoments extends MomentsEvent {
  /** The runs whose samples are counted here. */
  readonly runs: number;
}

/** Adds up the moments of runs that follow each other and have the same program. */
export class PooledMoments {
  /** The moments so far; undefined until moments came. */
  shown: ShownMoments | undefined;
  /** Moments of the runs before the newest one that had the same program. */
  #earlier: ShownMoments | undefined;
  #newest: MomentsEvent | undefined;

  /** Takes the present moments of a run. They replace its earlier moments. */
  take(event: MomentsEvent): void {
    // A restarted server counts runs from one again.
    const isNewRun = event.run !== this.#newest?.run || event.samples < this.#newest.samples;
    if (isNewRun) this.#earlier = this.shown;
    this.#newest = event;
    if (this.#earlier !== undefined && !isSameProgram(this.#earlier, event)) this.#earlier = undefined;
    const pooled = this.#earlier && pool(this.#earlier, event);
    // Until the variances of the newest run have come, the runs before it are shown.
    this.shown = pooled ?? this.#earlier ?? { ...event, runs: 1 };
  }
}

/** Programs count as the same if their expected mean and covariance are the same numbers. */
function isSameProgram(earlier: MomentsEvent, event: MomentsEvent): boolean {
  const [before, now] = [earlier.expectedMeanVolts, event.expectedMeanVolts];
  if (before === null || now === null || earlier.varianceVolts2 === null) return false;
  const [rowsBefore, rowsNow] = [earlier.expectedCovarianceVolts2, event.expectedCovarianceVolts2];
  return isEqual(before, now) && isEqual(rowsBefore?.flat() ?? [], rowsNow?.flat() ?? []);
}

const isEqual = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/**
 * Mean and sample covariance of two sets of samples together (Chan, Golub and LeVeque 1983), exact to
 * rounding: with d = mean_b − mean_a, the sums of squares add up to S_a + S_b + d·dᵀ·n_a·n_b/(n_a + n_b).
 * Undefined while the variances of `b` are not known.
 */
function pool(a: ShownMoments, b: MomentsEvent): ShownMoments | undefined {
  const isSingle = b.samples === 1;
  if (a.varianceVolts2 === null || (b.varianceVolts2 === null && !isSingle)) return undefined;
  const samples = a.samples + b.samples;
  const delta = b.meanVolts.map((mean, cell) => mean - a.meanVolts[cell]);
  const share = (a.samples * b.samples) / samples;
  // A single sample has no scatter of its own.
  const together = (ofA: number, ofB: number | undefined, product: number): number =>
    ((a.samples - 1) * ofA + (isSingle ? 0 : (b.samples - 1) * (ofB ?? 0)) + share * product) / (samples - 1);
  const hasCovariance = isSingle || b.covarianceVolts2 !== null;
  return {
    ...b,
    runs: a.runs + 1,
    samples,
    meanVolts: a.meanVolts.map((mean, cell) => mean + (delta[cell] * b.samples) / samples),
    varianceVolts2: a.varianceVolts2.map((variance, i) =>
      together(variance, b.varianceVolts2?.[i], delta[i] ** 2),
    ),
    covarianceVolts2:
      a.covarianceVolts2 !== null && hasCovariance
        ? a.covarianceVolts2.map((row, i) =>
            row.map((value, j) => together(value, b.covarianceVolts2?.[i][j], delta[i] * delta[j])),
          )
        : null,
  };
}
