import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../../../driver/device.js';
import { ThermolinkError, throwIfAborted } from '../../../../errors.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { formatNumber } from '../../../../number-text.js';
import { refuseTooLargeShape } from '../../train/board-size.js';
import { isOfBoard, refuseUnlike } from '../several-boards.js';
import { shareOut } from '../share-out.js';
import { STUDY_FILES } from '../study-directory.js';
import { StudyProgress } from '../study-progress.js';
import { LabPlace } from './lab.js';
import type { Lab, PlannedRun, Scale, TableRun, TableStudy } from './table-study.js';

export interface TableRequest {
  readonly study: TableStudy;
  readonly scale: Scale;
  readonly out: string;
  /** The URIs of the boards. For a study whose boards can't be chosen, one empty text. */
  readonly uris: readonly string[];
  readonly quiet: boolean;
  /** Called when the boards are known to fit, before anything is run. */
  readonly begin?: () => void;
}

/** The codes of errors that become the result of a run. The study goes on after them. */
const RESULTS_OF_A_RUN: ReadonlySet<string> = new Set([
  'DIVERGED',
  'SAMPLER_STUCK',
  'TOLERANCE_NOT_MET',
  'OVERLOAD',
]);

/**
 * A place at which runs of a study are done, one at a time: a board of this process, or a place in a farm.
 */
export interface TablePlace {
  /** The URI of the board. */
  readonly uri: string;
  /** Does one run. Errors: those of `TableStudy.measure`. */
  readonly run: (run: PlannedRun, how: PlaceRun) => Promise<TableRun>;
}

/** The context of a run for a place. */
export interface PlaceRun {
  readonly signal: AbortSignal;
  /** The finished runs whose results this run may use. */
  readonly done: readonly TableRun[];
  /** Called when the run begins. */
  readonly onStart: () => void;
}

/** The planned runs of a study, and the stored results of finished runs. */
export class StudyRuns {
  readonly planned: readonly PlannedRun[];
  /** The indices of runs that are not stored. */
  readonly missing: readonly number[];
  readonly #study: TableStudy;
  readonly #file: string;
  readonly #stored: Map<string, TableRun>;

  /** Reads the runs that are stored. Errors: BAD_FILE. */
  constructor({ study, scale, out }: Pick<TableRequest, 'study' | 'scale' | 'out'>) {
    this.#study = study;
    this.#file = join(out, STUDY_FILES.runs);
    this.planned = study.runs(scale);
    this.#stored = new Map(readRuns(this.#file).map((run) => [keyOf(run), run]));
    this.missing = [...this.planned.keys()].filter((index) => !this.#stored.has(keyOf(this.planned[index])));
  }

  /** The runs that are done, in the order of the plan. */
  get done(): TableRun[] {
    return this.planned.flatMap((run) => this.#stored.get(keyOf(run)) ?? []);
  }

  /** The finished runs whose results a run may use. With `sharing` they are those of the first part. */
  get seen(): TableRun[] {
    const { sharing } = this.#study;
    return this.done.filter(({ part }) => sharing === undefined || part === sharing.first);
  }

  /** The indices of the missing runs, in two lists: those of the first part, then all others. */
  get phases(): readonly (readonly number[])[] {
    const first = this.#study.sharing?.first;
    const isFirst = (index: number): boolean => this.planned[index].part === first;
    return [this.missing.filter(isFirst), this.missing.filter((index) => !isFirst(index))];
  }

  /** Stores a run. Errors: BAD_FILE. */
  store(result: TableRun): void {
    this.#stored.set(keyOf(result), result);
    // Stored runs that this plan lacks, such as those of other seeds, stay in the file.
    const isPlanned = new Set(this.planned.map(keyOf));
    const others = [...this.#stored.values()].filter((one) => !isPlanned.has(keyOf(one)));
    replaceFile(this.#file, runsText([...this.done, ...others]));
  }
}

/**
 * Does every run of the study whose result is not stored, one at a time on each board. Each result is stored
 * as soon as its run ends. Several boards give the results of one board if they are equal to the bit.
 *
 * Errors: those of the runs, except errors that are results; BAD_FILE if the runs can't be read or written;
 * BAD_ARGUMENT for boards of different models; TOO_LARGE or UNSUPPORTED for a board that can't do the runs,
 * before `begin` is called.
 */
export async function runTable(request: TableRequest, signal: AbortSignal): Promise<TableRun[]> {
  const { study, scale, out, uris, begin } = request;
  const runs = new StudyRuns(request);
  const labs = uris.map((uri) => new LabPlace({ signal, directory: out, uri, ownThread: uris.length > 1 }));
  const places = labs.map(
    (lab): TablePlace => ({
      uri: lab.uri,
      run: (run, { signal: ended, done, onStart }) => {
        onStart();
        return measureOne(study, run, { signal: ended, done, board: (wanted) => lab.board(wanted) }, scale);
      },
    }),
  );
  try {
    if (labs.length > 1 || (study.device !== undefined && runs.missing.length > 0))
      refuseUnfit(await Promise.all(labs.map((lab) => lab.board())), request);
    begin?.();
    return await runTableAt(places, labs.length, { ...request, runs }, signal);
  } finally {
    await Promise.all(labs.map((lab) => lab.close()));
  }
}

/**
 * Errors: BAD_ARGUMENT for boards of different models; TOO_LARGE or UNSUPPORTED if a board can't do the runs.
 */
function refuseUnfit(boards: readonly Device[], { study, scale }: TableRequest): void {
  refuseUnlike(boards);
  for (const shape of study.shapes?.(scale) ?? [])
    for (const { identity } of boards) refuseTooLargeShape(shape, identity);
}

/** Like `runTable`, at the given places. `boards` is the number of boards of all places together. */
export async function runTableAt(
  places: readonly TablePlace[],
  boards: number,
  { study, runs, quiet }: Pick<TableRequest, 'study' | 'quiet'> & { readonly runs: StudyRuns },
  signal: AbortSignal,
): Promise<TableRun[]> {
  const { planned, missing } = runs;
  const progress = new StudyProgress(
    missing.map((index) => progressOf(planned[index])),
    { silent: quiet, noun: 'run', boards },
  );
  const doOne = async (index: number, place: TablePlace, ended: AbortSignal): Promise<void> => {
    throwIfAborted(ended);
    const run = planned[index];
    const at = missing.indexOf(index);
    const onStart = (): void => progress.begin(at, 0);
    const result = await place.run(run, { signal: ended, done: runs.seen, onStart });
    runs.store(result);
    progress.step(at, 1);
    progress.end(at);
    progress.print(`${labelOf(run)}: ${outcomeText(study, result)}`);
  };
  try {
    for (const pieces of runs.phases)
      await shareOut(places, pieces, signal, {
        isFor: () => true,
        isOfWorker: isOfBoard,
        leftOut: ({ uri }, error, index) =>
          progress.print(
            `${uri} is left out, and ${labelOf(planned[index])} goes to another board: ${error.message}`,
          ),
        work: (index, place, { ended }) => doOne(index, place, ended),
      });
    progress.complete();
  } finally {
    progress.finish();
  }
  return runs.done;
}

/** Does one run. An error about the run is its result. Errors: those of `TableStudy.measure`. */
export async function measureOne(
  study: TableStudy,
  run: PlannedRun,
  lab: Lab,
  scale: Scale,
): Promise<TableRun> {
  const { part, settings, seed } = run;
  const facts = { part, settings, seed };
  try {
    return { ...facts, ...(await study.measure(run, lab, scale)) };
  } catch (error) {
    if (!(error instanceof ThermolinkError) || !RESULTS_OF_A_RUN.has(error.code)) throw error;
    return { ...facts, figures: {}, failure: { code: error.code, message: error.message } };
  }
}

const keyOf = ({ part, settings, seed }: Omit<PlannedRun, 'cost'>): string =>
  JSON.stringify([part, settings, seed]);

/** Refuses a study for a farm if several boards may not share its runs. Errors: BAD_ARGUMENT. */
export function refuseAlone({ name, sharing, alone }: TableStudy): void {
  if (sharing !== undefined) return;
  throw new ThermolinkError('BAD_ARGUMENT', `A farm does not do the study ${name}.`, {
    hint: `${alone ?? 'It takes one board.'} Run it on this machine, by \`thermolink study ${name}\`.`,
  });
}

/** A run in a few words. */
export function labelOf(run: PlannedRun): string {
  return progressOf(run).label;
}

function progressOf({ part, settings, seed, cost = 1 }: PlannedRun) {
  const kind = `${part}: ${Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;
  return { kind, label: `${kind}, seed ${seed}`, steps: 1, stepCost: cost };
}

function outcomeText({ parts }: TableStudy, { part, figures, timing, failure }: TableRun): string {
  if (failure !== undefined) return `failed, ${failure.code}`;
  const { columns } = parts.find(({ name }) => name === part)!;
  return columns
    .flatMap(({ figure, title, format }) => {
      const value = figures[figure] ?? timing?.[figure];
      return value === undefined ? [] : [`${title} ${(format ?? formatNumber)(value)}`];
    })
    .join(', ');
}

/** The runs as JSON, one per line, so that people can read the diff of two files. */
export function runsText(runs: readonly TableRun[]): string {
  return `[\n${runs.map((run) => JSON.stringify(run)).join(',\n')}\n]\n`;
}

function readRuns(file: string): TableRun[] {
  if (!existsSync(file)) return [];
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TableRun[];
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${file} can't be read as the runs of a study.`, {
      cause,
      hint: 'Another program has changed it. Remove it to do all runs again, or name another directory by `out`.',
      data: { file },
    });
  }
}
