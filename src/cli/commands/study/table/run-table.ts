import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError, throwIfAborted } from '../../../../errors.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { formatNumber } from '../../../../number-text.js';
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
  /** The boards of the study, where they can be chosen; else one empty name. */
  readonly uris: readonly string[];
  readonly quiet: boolean;
  /** Called when the boards are known to fit, before anything is run. */
  readonly begin?: () => void;
}

/** Errors of a run that are results; the study goes on after them. */
const RESULTS_OF_A_RUN: ReadonlySet<string> = new Set([
  'DIVERGED',
  'SAMPLER_STUCK',
  'TOLERANCE_NOT_MET',
  'OVERLOAD',
]);

/**
 * Does every run of the study that was not done before, one at a time on each board, and stores each at once.
 * Several boards give the same results as one if they are equal to the bit.
 *
 * Errors: those of the runs, except errors that are results; BAD_FILE if the runs can't be read or written;
 * BAD_ARGUMENT for boards of different models.
 */
export async function runTable(request: TableRequest, signal: AbortSignal): Promise<TableRun[]> {
  const { study, scale, out, uris, quiet, begin } = request;
  const planned = study.runs(scale);
  const file = join(out, STUDY_FILES.runs);
  const stored = new Map(readRuns(file).map((run) => [keyOf(run), run]));
  const inOrder = (): TableRun[] => planned.flatMap((run) => stored.get(keyOf(run)) ?? []);
  const missing = [...planned.keys()].filter((index) => !stored.has(keyOf(planned[index])));
  const progress = new StudyProgress(
    missing.map((index) => progressOf(planned[index])),
    { silent: quiet, noun: 'run', boards: uris.length },
  );
  const places = uris.map((uri) => new LabPlace({ signal, directory: out, uri, ownThread: uris.length > 1 }));
  const doOne = async (index: number, place: LabPlace, ended: AbortSignal): Promise<void> => {
    throwIfAborted(ended);
    const run = planned[index];
    const at = missing.indexOf(index);
    progress.begin(at, 0);
    const lab: Lab = {
      signal: ended,
      done: inOrder().filter(({ part }) => study.sharing === undefined || part === study.sharing.first),
      board: (wanted) => place.board(wanted),
    };
    const result = await measureOne(study, run, lab, scale);
    stored.set(keyOf(run), result);
    // Stored runs of other seeds stay in the file.
    const others = [...stored.values()].filter((one) => !isPlanned.has(keyOf(one)));
    replaceFile(file, runsText([...inOrder(), ...others]));
    progress.step(at, 1);
    progress.end(at);
    progress.print(`${progressOf(run).label}: ${outcomeText(study, result)}`);
  };
  const isPlanned = new Set(planned.map(keyOf));
  try {
    if (places.length > 1 || (study.device !== undefined && missing.length > 0))
      refuseUnlike(await Promise.all(places.map((place) => place.board())));
    begin?.();
    for (const pieces of phasesOf(study, planned, missing))
      await shareOut(places, pieces, signal, {
        isFor: () => true,
        isOfWorker: isOfBoard,
        leftOut: ({ uri }, error, index) =>
          progress.print(
            `${uri} is left out, and ${progressOf(planned[index]).label} goes to another board: ${error.message}`,
          ),
        work: (index, place, { ended }) => doOne(index, place, ended),
      });
    progress.complete();
  } finally {
    progress.finish();
    await Promise.all(places.map((place) => place.close()));
  }
  return inOrder();
}

/** The missing runs, those of the first part before the others. */
function phasesOf(
  { sharing }: TableStudy,
  planned: readonly PlannedRun[],
  missing: readonly number[],
): readonly (readonly number[])[] {
  const isFirst = (index: number): boolean => planned[index].part === sharing?.first;
  return [missing.filter(isFirst), missing.filter((index) => !isFirst(index))];
}

async function measureOne(study: TableStudy, run: PlannedRun, lab: Lab, scale: Scale): Promise<TableRun> {
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

/** The runs as JSON, one on a line, so that a difference of two studies can be read. */
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
