import type { RunReport } from '../driver/device-api.js';

/** The times at which a board run is read. */
export interface RunPlan {
  readonly burnInTicks: number;
  readonly sampleCount: number;
  readonly ticksPerSample: number;
  /**
   * Continues the previous board run of the same program, with the same noise, from the next tick and the
   * present state of the board. Default: a new board run, which starts from the initial state of the program.
   */
  readonly continues?: boolean;
  /** `halt` (default) ends the board run when a cell passes its rail; `mark` lets it go on. */
  readonly onOverload?: 'halt' | 'mark';
}

/** The times of the samples that the board adds up, and the number of batches. */
export interface AveragePlan extends RunPlan {
  readonly batches: number;
  readonly secondMoments: boolean;
}

export interface Readings {
  /** sampleCount × N ADC codes; fewer rows if an overload ended the board run. */
  readonly codes: Int16Array;
  readonly overloaded: boolean;
  readonly report: RunReport;
}
