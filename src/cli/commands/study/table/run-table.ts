import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError, throwIfAborted } from '../../../../errors.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { formatNumber } from '../../../../number-text.js';
import { STUDY_FILES } from '../study-directory.js';
import { StudyProgress } from '../study-progress.js';
import { OpenLab } from './lab.js';
import type { Lab, PlannedRun, Scale, TableRun, TableStudy } from './table-study.js';

export interface TableRequest {
  readonly study: TableStudy;
  readonly scale: Scale;
  readonly out: string;
  /** The board of the study, where it can be chosen. */
  readonly uri: string;
  readonly quiet: boolean;
}

/** Errors of a run that are results; the study goes on after them. */
const RESULTS_OF_A_RUN: ReadonlySet<string> = new Set([
  'DIVERGED',
  'SAMPLER_STUCK',
  'TOLERANCE_NOT_MET',
  'OVERLOAD',
]);

/**
 * Does every run of the study that was not done before, one after the other, and stores each at once.
 *
 * Errors: those of the runs but for those that are results; BAD_FILE when the runs can't be read or written.
 */
export async function runTable(request: TableRequest, signal: AbortSignal): Promise<TableRun[]> {
  const { study, scale, out, uri, quiet } = request;
  const planned = study.runs(scale);
  const file = join(out, STUDY_FILES.runs);
  const stored = new Map(readRuns(file).map((run) => [keyOf(run), run]));
  const done: TableRun[] = [];
  const missing = planned.filter((run) => !stored.has(keyOf(run)));
  const progress = new StudyProgress(missing.map(progressOf), { silent: quiet, noun: 'run' });
  const lab = new OpenLab({ signal, directory: out, uri, done });
  let index = 0;
  try {
    for (const run of planned) {
      const known = stored.get(keyOf(run));
      if (known !== undefined) {
        done.push(known);
        continue;
      }
      throwIfAborted(signal);
      progress.begin(index, 0);
      const result = await measureOne(study, run, lab, scale);
      stored.set(keyOf(run), result);
      replaceFile(file, runsText([...stored.values()]));
      done.push(result);
      progress.step(index, 1);
      progress.end(index);
      progress.print(`${progressOf(run).label}: ${outcomeText(study, result)}`);
      index++;
    }
    progress.complete();
  } finally {
    progress.finish();
    await lab.close();
  }
  return done;
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
