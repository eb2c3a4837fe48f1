import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { appendWhole, replaceFile } from '../files/replace-file.js';
import type { Tensor } from '../files/safetensors.js';
import { type Checkpoint, readCheckpoint, requireSameSettings, writeCheckpoint } from './checkpoint.js';
import { mendMetrics } from './mend-metrics.js';
import type { StepFacts, TrainingFacts } from './record.js';
import { EventFile, isEventFile, scalarsOf } from './tensorboard.js';
import { lockDirectory, requireDirectory, requireUnlocked, writing } from './training-files-lock.js';
import { writeTensors } from './weight-arrays.js';

/**
 * The files of a training. `overwrite` removes all of them. The command line also writes `curves`; the
 * library writes all others.
 */
export const TRAINING_FILES = {
  metrics: 'metrics.jsonl',
  summary: 'summary.json',
  checkpoint: 'checkpoint.bin',
  weights: 'weights.safetensors',
  arrays: 'weights.npz',
  curves: 'curves.svg',
} as const;

/** What to do with a directory that already holds a training. */
export type ExistingTraining = 'refuse' | 'overwrite' | 'resume';

/**
 * The files of one training, open for writing. Errors of its methods: BAD_FILE when the system refuses to
 * write.
 */
export interface TrainingDirectory {
  /** The checkpoint from which the training continues; undefined for a new training. */
  readonly checkpoint: Checkpoint | undefined;
  /**
   * A sentence that tells which lines of the files were mended on a resume; undefined if no lines were
   * mended.
   */
  readonly mended: string | undefined;
  /**
   * Writes one line of metrics.jsonl immediately: a killed process loses no line. If a line cannot be written
   * completely, its part is removed again.
   */
  append(record: StepFacts): void;
  /**
   * Flushes the metrics to the disk, then replaces the checkpoint. The metrics therefore contain every step
   * up to the checkpoint.
   */
  save(checkpoint: Checkpoint): void;
  /** Writes weights.safetensors, with `facts` in it, and the same arrays as weights.npz. */
  keepWeights(tensors: readonly Tensor[], facts: Readonly<Record<string, string>>): Promise<void>;
  /** Writes summary.json. */
  finish(summary: TrainingFacts): void;
  /** Closes the files and removes the lock. */
  close(): void;
}

/**
 * Checks a directory without the settings of the training. Changes nothing.
 *
 * Errors: BUSY while another training writes there; BAD_ARGUMENT when it holds a training and `existing` is
 * `refuse`; BAD_CHECKPOINT when `existing` is `resume` and the checkpoint is missing or damaged; BAD_FILE
 * when it is not a directory.
 */
export function checkTrainingDirectory(directory: string, existing: ExistingTraining): void {
  requireDirectory(directory);
  requireUnlocked(directory);
  requireExpected(directory, existing);
}

/**
 * Opens the directory of a training, creates it if it is missing, and locks it until `close`. With
 * `tensorboard` each record also goes into an event file. On `resume`, metrics.jsonl is shortened to the
 * steps of the checkpoint, and damaged lines are mended.
 *
 * Errors: those of `checkTrainingDirectory`; BAD_CHECKPOINT when the checkpoint is of a training with other
 * settings, or the metrics lack steps of the checkpoint; BAD_FILE when it can't be written.
 */
export function openTrainingDirectory(
  directory: string,
  existing: ExistingTraining,
  settings: Readonly<Record<string, unknown>>,
  { tensorboard = false }: { readonly tensorboard?: boolean } = {},
): TrainingDirectory {
  if (typeof directory !== 'string') throw badArgument('directory', directory, 'a path');
  checkTrainingDirectory(directory, existing);
  const release = lockDirectory(directory);
  try {
    // Checked again, because another training may have written here and ended since the first check.
    requireExpected(directory, existing);
    return openFiles(directory, existing, settings, tensorboard, release);
  } catch (error) {
    release();
    throw error;
  }
}

function requireExpected(directory: string, existing: ExistingTraining): void {
  if (existing === 'resume') readCheckpoint(join(directory, TRAINING_FILES.checkpoint));
  const holdsTraining = Object.values(TRAINING_FILES).some((file) => existsSync(join(directory, file)));
  if (existing === 'refuse' && holdsTraining)
    throw new ThermolinkError('BAD_ARGUMENT', `${directory} already holds a training.`, {
      hint: "Continue it by `existing: 'resume'`, replace it by `existing: 'overwrite'`, or name another directory.",
      data: { directory },
    });
}

function openFiles(
  directory: string,
  existing: ExistingTraining,
  settings: Readonly<Record<string, unknown>>,
  tensorboard: boolean,
  release: () => void,
): TrainingDirectory {
  const path = (file: keyof typeof TRAINING_FILES): string => join(directory, TRAINING_FILES[file]);
  let checkpoint: Checkpoint | undefined;
  let mended: string | undefined;
  if (existing === 'resume') {
    checkpoint = readCheckpoint(path('checkpoint'));
    requireSameSettings(path('checkpoint'), checkpoint, settings);
    const content = existsSync(path('metrics')) ? readFileSync(path('metrics'), 'utf8') : '';
    const { text, mended: note } = mendMetrics(path('metrics'), content, checkpoint.step);
    replaceFile(path('metrics'), text);
    mended = note;
  }
  const metrics = writing(directory, () => {
    if (existing === 'overwrite')
      for (const file of filesIn(directory)) rmSync(join(directory, file), { force: true });
    return openSync(path('metrics'), 'a');
  });
  const events = tensorboard
    ? writing(directory, () => new EventFile(directory, checkpoint?.step ?? 0))
    : undefined;
  return {
    checkpoint,
    mended,
    append: (record) => {
      writing(directory, () => appendWhole(metrics, `${JSON.stringify(record)}\n`));
      const { step, ...figures } = record;
      writing(directory, () => events?.scalars(step, scalarsOf(figures)));
    },
    save: (next) => {
      writing(directory, () => fsyncSync(metrics));
      writeCheckpoint(path('checkpoint'), next);
    },
    keepWeights: async (tensors, facts) => {
      await writeTensors(path('weights'), tensors, facts);
      await writeTensors(path('arrays'), tensors, facts);
    },
    finish: (summary) => writeSummary(path('summary'), summary),
    close: () => {
      try {
        closeSync(metrics);
      } finally {
        release();
      }
    },
  };
}

/** The files in a directory that belong to a training. */
function filesIn(directory: string): string[] {
  const known: readonly string[] = Object.values(TRAINING_FILES);
  return readdirSync(directory).filter((name) => known.includes(name) || isEventFile(name));
}

function writeSummary(path: string, summary: TrainingFacts): void {
  try {
    replaceFile(path, `${JSON.stringify(summary, null, 2)}\n`);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} can't be written.`, {
      // The cause is the error of the file system itself.
      cause: cause instanceof ThermolinkError ? cause.cause : cause,
      hint: "All steps are done and saved in the checkpoint. Make room on the disk, then write the summary by `existing: 'resume'`.",
      data: { file: path },
    });
  }
}
