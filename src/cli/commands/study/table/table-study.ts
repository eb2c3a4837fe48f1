import type { BoardProfile } from '../../../../../emulator/profiles/board-profile.js';
import type { Device } from '../../../../driver/device.js';
import type { Chart } from '../../../../plot/chart.js';
import type { OptionSpecs } from '../../../options/option.js';

/** The settings of one run but its seed, by name; a table has a column for each. */
export type Settings = Readonly<Record<string, string | number>>;

/** One run that is to be done. */
export interface PlannedRun {
  /** The table that the run belongs to. */
  readonly part: string;
  readonly settings: Settings;
  readonly seed: number;
  /** Host time relative to the other runs: a first guess of the time left. Default 1. */
  readonly cost?: number;
}

/** A board type, by its name or as a study describes it, and which die of it. */
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
   * The board of the study, or an emulated one of this name or description. It stays open until another board
   * is asked for. Errors: those of `connect`.
   */
  board(wanted?: string | StudyBoard): Promise<Device>;
}

/** The result of a run. */
export interface Measured {
  /** The same on every machine. */
  readonly figures: Readonly<Record<string, number>>;
  /** Whatever depends on the clock. */
  readonly timing?: Readonly<Record<string, number>>;
}

/** A run that was done. If it failed with an error that is a result, it has a failure and no figures. */
export interface TableRun extends Omit<PlannedRun, 'cost'>, Measured {
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A figure as a column of a table. */
export interface Column {
  /** Its name in `figures` or `timing`. */
  readonly figure: string;
  readonly title: string;
  readonly format: (value: number) => string;
}

/** The verdict on a claim. If a digital method wins, it is always named. */
export type ClaimVerdict =
  | 'holds'
  | 'holds in part'
  | 'does not hold'
  | 'not shown'
  | 'a digital method wins'
  | 'a tie';

/** A sentence that the runs support or not. */
export interface Claim {
  readonly claim: string;
  /** The statement of the paper, with the paper; a dash if no paper states it. */
  readonly paper: string;
  /** The result. */
  readonly ours: string;
  /** How it was measured, and what is modelled. */
  readonly how: string;
  readonly verdict: ClaimVerdict;
}

/** How much of a study is run. */
export interface Scale {
  readonly quick: boolean;
  /** 1 to n: settings were chosen on seed 0. */
  readonly seeds: readonly number[];
}

/** Values of the options that a study has of its own, by name. They change no run. */
export type StudyOptions = Readonly<Record<string, number>>;

/** One table of a study. */
export interface TablePart {
  /** As in `PlannedRun.part`. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
}

/** How the runs of a study are shared out over several boards, of this machine or of a farm. */
export interface TableSharing {
  /** The part whose runs are all done before the others. The others can use its results. */
  readonly first?: string;
  /** The size of the boards that do the runs. */
  readonly needs: () => { readonly cells: number; readonly rows: number };
  /**
   * Everything but the board that the figures of a run depend on, the data included. A farm compares it, so
   * that client and worker mean the same run.
   */
  readonly settingsOf: (run: PlannedRun, done: readonly TableRun[], quick: boolean) => object;
}

/** The size of a factor K. */
export interface FactorShape {
  readonly parameterCount: number;
  readonly curvatureRows: number;
}

/** A study whose runs are rows of tables, and what the rows say. */
export interface TableStudy {
  readonly name: string;
  readonly title: string;
  /** The question and the way to measure it, one sentence each. */
  readonly about: readonly string[];
  /** The origin of the settings, as a text. */
  readonly settingsFrom: string;
  /** Which figures are measured and which are modelled. */
  readonly modelled: string;
  /** The board of a study whose board can be chosen by --device. Left out: it has boards of its own. */
  readonly device?: string;
  /**
   * The factors of the curvature that the runs load: a board that can't hold one is refused before anything
   * is written. Left out: the board can't be chosen.
   */
  readonly shapes?: (scale: Scale) => readonly FactorShape[];
  /**
   * Defined if several boards may share the runs: no run measures a time, and a run uses the results of no
   * other runs than those of the first part, which are done before the rest. Undefined: the study takes one
   * board.
   */
  readonly sharing?: TableSharing;
  /** Why the runs are not shared out. Left out where they are. */
  readonly alone?: string;
  readonly options?: OptionSpecs;
  readonly parts: readonly TablePart[];
  readonly runs: (scale: Scale) => readonly PlannedRun[];
  /**
   * Does one run. `quick` is the only part of the scale that may change the result. Errors: those of the
   * functions that it uses; `RESULTS_OF_A_RUN` are results.
   */
  readonly measure: (run: PlannedRun, lab: Lab, scale: Scale) => Promise<Measured>;
  /** Pictures of the runs, one panel each. */
  readonly charts: (runs: readonly TableRun[], options: StudyOptions) => readonly Chart[];
  /** Further tables that a model computes from the runs. */
  readonly modelTables?: (runs: readonly TableRun[], options: StudyOptions) => readonly TextTable[];
  readonly claims: (runs: readonly TableRun[], options: StudyOptions) => readonly Claim[];
}

/** A table whose cells are written already. */
export interface TextTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
