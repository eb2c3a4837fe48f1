import type { BoardProfile } from '../../../../../emulator/profiles/board-profile.js';
import type { Device } from '../../../../driver/device.js';
import type { Chart } from '../../../../plot/chart.js';
import type { OptionSpecs } from '../../../options/option.js';

/** The settings of one run, by name, without its seed. A table has a column for each setting. */
export type Settings = Readonly<Record<string, string | number>>;

/** One run that is to be done. */
export interface PlannedRun {
  /** The table that the run belongs to. */
  readonly part: string;
  readonly settings: Settings;
  readonly seed: number;
  /** Host time of this run relative to the other runs, for a first guess of the time left. Default 1. */
  readonly cost?: number;
}

/** A board type and the die seed. The type is the name of a profile or a profile of the study's own. */
export interface StudyBoard {
  readonly profile: string | BoardProfile;
  readonly die: number;
}

/** The context of the runs of a study. */
export interface Lab {
  readonly signal: AbortSignal;
  /**
   * The runs that were done before this one. A run may choose its settings by their results. In a study with
   * `sharing` they are the runs of its first part.
   */
  readonly done: readonly TableRun[];
  /**
   * Returns the board of the study, or the emulated board `wanted`. The board stays open until another board
   * is asked for. Errors: those of `connect`.
   */
  board(wanted?: string | StudyBoard): Promise<Device>;
}

/** The result of a run. */
export interface Measured {
  /** Figures that are equal on every machine. */
  readonly figures: Readonly<Record<string, number>>;
  /** Figures that depend on the clock of the machine. */
  readonly timing?: Readonly<Record<string, number>>;
}

/**
 * A finished run. If an error of `RESULTS_OF_A_RUN` (run-table.ts) ended it, it has a `failure` and no
 * figures.
 */
export interface TableRun extends Omit<PlannedRun, 'cost'>, Measured {
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A figure as a column of a table. */
export interface Column {
  /** The name of the figure in `figures` or `timing`. */
  readonly figure: string;
  readonly title: string;
  readonly format: (value: number) => string;
}

/** The verdict on a claim. */
export type ClaimVerdict =
  | 'holds'
  | 'holds in part'
  | 'does not hold'
  | 'not shown'
  | 'a digital method wins'
  | 'a tie';

/** A statement, and what the runs say about it. */
export interface Claim {
  readonly claim: string;
  /** The statement of a paper, with the number of the paper. A dash if no paper states it. */
  readonly paper: string;
  /** The result of this study. */
  readonly ours: string;
  /** How it was measured, and what is modelled. */
  readonly how: string;
  readonly verdict: ClaimVerdict;
}

/** How much of a study is run. */
export interface Scale {
  readonly quick: boolean;
  /** The seeds 1 to n. Seed 0 is left out, because settings were chosen on it. */
  readonly seeds: readonly number[];
}

/** The values of the options that only this study has, by name. They change the report, but no run. */
export type StudyOptions = Readonly<Record<string, number>>;

/** One table of a study. */
export interface TablePart {
  /** The name that `PlannedRun.part` of its runs has. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
}

/** How the runs of a study are shared out over several boards, of this machine or of a farm. */
export interface TableSharing {
  /** The part whose runs are all done before the runs of the other parts. Those can use its results. */
  readonly first?: string;
  /** The least size of a board that can do the runs. */
  readonly needs: () => { readonly cells: number; readonly rows: number };
  /**
   * Everything except the board that the figures of a run depend on, with the data. A farm compares these
   * settings, so that client and worker mean the same run.
   */
  readonly settingsOf: (run: PlannedRun, done: readonly TableRun[], quick: boolean) => object;
}

/** The size of a factor K of a curvature. K has `curvatureRows` rows and `parameterCount` columns. */
export interface FactorShape {
  readonly parameterCount: number;
  readonly curvatureRows: number;
}

/** A study whose runs are the rows of tables, and the claims that these runs test. */
export interface TableStudy {
  readonly name: string;
  readonly title: string;
  /** The question, and the way to measure it, as sentences. */
  readonly about: readonly string[];
  /** The origin of the settings, as a text. */
  readonly settingsFrom: string;
  /** Which figures are measured and which are modelled. */
  readonly modelled: string;
  /** The default board, if --device can choose another one. Left out: the study opens boards of its own. */
  readonly device?: string;
  /**
   * The sizes of the factors that the runs load. A board that can't hold one of them is refused before
   * anything is written. Left out if the board can't be chosen.
   */
  readonly shapes?: (scale: Scale) => readonly FactorShape[];
  /**
   * Defined if several boards may share the runs. Then no run measures a time, and a run uses only results of
   * the first part. Undefined: the study takes one board.
   */
  readonly sharing?: TableSharing;
  /** The reason why several boards may not share the runs, as a sentence. Left out if they may. */
  readonly alone?: string;
  readonly options?: OptionSpecs;
  readonly parts: readonly TablePart[];
  readonly runs: (scale: Scale) => readonly PlannedRun[];
  /**
   * Does one run. `quick` is the only part of the scale that may change the result. Errors: those of the
   * functions that it uses. An error of `RESULTS_OF_A_RUN` (run-table.ts) becomes a result.
   */
  readonly measure: (run: PlannedRun, lab: Lab, scale: Scale) => Promise<Measured>;
  /** Charts of the runs. Each chart is one panel of the figure. */
  readonly charts: (runs: readonly TableRun[], options: StudyOptions) => readonly Chart[];
  /** Further tables that a model computes from the runs. */
  readonly modelTables?: (runs: readonly TableRun[], options: StudyOptions) => readonly TextTable[];
  readonly claims: (runs: readonly TableRun[], options: StudyOptions) => readonly Claim[];
}

/** A table whose cells are texts. */
export interface TextTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
