import type { RunReport } from '../driver/device-api.js';

/** When a board run is read. */
export interface RunPlan {
  readonly burnInTicks: number;
  readonly sampleCount: number;
  readonly ticksPerSample: number;
  /**
   * Continues the board run before, of the same program: same noise, next tick, the state that the board
   * has. Default: a new board run, which starts from the program's initial state.
   */
  readonly continues?: boolean;
  /** `halt` (default) ends the board run when a cell passes its rail; `mark` lets it go on. */
  readonly onOverload?: 'halt' | 'mark';
}

/** When the samples are read that the board adds up, and in how many batches. */
export interface AveragePlan extends RunPlan {
  readonly batches: number;
  readonly secondMoments: boolean;
}

export interface Readings {
  /** sampleCount × N ADC codes; fewer rows when an overload ended the board run. */
  readonly codes: Int16Array;
  readonly overloaded: boolean;
  readonly report: RunReport;
}
