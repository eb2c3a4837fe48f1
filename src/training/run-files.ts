import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../errors.js';
import {
  type Checkpoint,
  readCheckpoint,
  replaceFile,
  requireSameSettings,
  writeCheckpoint,
} from './checkpoint.js';
import type { StepRecord, TrainingSummary } from './record.js';

/** Names of the files of a run. */
export const RUN_FILES = {
  metrics: 'metrics.jsonl',
  summary: 'summary.json',
  checkpoint: 'checkpoint.bin',
} as const;

/** What to do with a directory that already holds a run. */
export type ExistingRun = 'refuse' | 'overwrite' | 'resume';

/** The files of one run, open for writing. */
export interface RunDirectory {
  /** Where the run goes on; undefined for a new run. */
  readonly checkpoint: Checkpoint | undefined;
  /** One line of metrics.jsonl, handed to the operating system at once: a killed process loses none. */
  append(record: StepRecord): void;
  /** Makes the metrics durable, then replaces the checkpoint: it never knows of steps that the metrics don't. */
  save(checkpoint: Checkpoint): void;
  finish(summary: TrainingSummary): void;
  close(): void;
}

/**
 * Checks all that can be known of a run's directory before the run's settings are, and changes nothing.
 *
 * Errors: BAD_ARGUMENT when it holds a run and `existing` is `refuse`; BAD_CHECKPOINT when `existing` is `resume` and the
 * checkpoint is missing or damaged.
 */
export function checkRunDirectory(directory: string, existing: ExistingRun): void {
  if (existing === 'resume') readCheckpoint(join(directory, RUN_FILES.checkpoint));
  const holdsRun = Object.values(RUN_FILES).some((file) => existsSync(join(directory, file)));
  if (existing === 'refuse' && holdsRun)
    throw new ThermolinkError('BAD_ARGUMENT', `${directory} already holds a run.`, {
      hint: 'Go on with it by --resume, or name another directory.',
      data: { directory },
    });
}

/**
 * Opens the directory of a run and creates it where missing. On `resume`, metrics.jsonl is cut back to the steps that the
 * checkpoint knows, so that the run goes on as if it had never gone further.
 *
 * Errors: those of `checkRunDirectory`; BAD_CHECKPOINT when the checkpoint is of a run with other settings, or the metrics
 * lack steps that it knows; BAD_FILE when it can't be written.
 */
export function openRunDirectory(
  directory: string,
  existing: ExistingRun,
  settings: Readonly<Record<string, unknown>>,
): RunDirectory {
  const path = (file: keyof typeof RUN_FILES): string => join(directory, RUN_FILES[file]);
  const files = [path('metrics'), path('checkpoint'), path('summary')];
  if (existing === 'refuse') checkRunDirectory(directory, existing);
  let checkpoint: Checkpoint | undefined;
  if (existing === 'resume') {
    checkpoint = readCheckpoint(path('checkpoint'));
    requireSameSettings(path('checkpoint'), checkpoint, settings);
    replaceFile(path('metrics'), firstLines(path('metrics'), checkpoint.step));
  }
  const metrics = writing(directory, () => {
    mkdirSync(directory, { recursive: true });
    if (existing !== 'resume') for (const file of files) rmSync(file, { force: true });
    return openSync(path('metrics'), 'a');
  });
  return {
    checkpoint,
    append: (record) => {
      writing(directory, () => writeSync(metrics, `${JSON.stringify(record)}\n`));
    },
    save: (next) => {
      writing(directory, () => fsyncSync(metrics));
      writeCheckpoint(path('checkpoint'), next);
    },
    finish: (summary) => replaceFile(path('summary'), `${JSON.stringify(summary, null, 2)}\n`),
    close: () => closeSync(metrics),
  };
}

/** Turns what the file system objects to into BAD_FILE. */
function writing<Result>(directory: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThermolinkError('BAD_FILE', `${directory} can't be written to (${reason}).`, {
      cause,
      hint: 'Name a directory that you may write to, with room on its disk.',
      data: { directory },
    });
  }
}

/** The first `count` lines of the metrics, each checked to be the record of its step. */
function firstLines(path: string, count: number): string {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const kept = lines.slice(0, count);
  const wrong = Array.from({ length: count }).findIndex((_, step) => stepOf(kept[step]) !== step);
  if (wrong >= 0)
    throw new ThermolinkError(
      'BAD_CHECKPOINT',
      `${path} does not belong to the checkpoint beside it: line ${wrong + 1} is not the record of step ${wrong}.`,
      { hint: 'Start a new run in another directory.', data: { file: path } },
    );
  return kept.map((line) => `${line}\n`).join('');
}

function stepOf(line: string | undefined): unknown {
  try {
    return (JSON.parse(line ?? '') as Partial<StepRecord>).step;
  } catch {
    return undefined;
  }
}
