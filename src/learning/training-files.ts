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

/** The files of a training. All are removed when it is overwritten. The command line adds the curves. */
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
  /** Where the training goes on; undefined for a new training. */
  readonly checkpoint: Checkpoint | undefined;
  /** What was mended in the files on a resume, as a sentence; undefined where nothing was. */
  readonly mended: string | undefined;
  /**
   * Writes one line of metrics.jsonl, at once, so that a process which is killed loses none. A line that does
   * not go out wholly is taken back.
   */
  append(record: StepFacts): void;
  /**
   * Makes the metrics durable, then replaces the checkpoint. So the metrics hold every step that the
   * checkpoint has.
   */
  save(checkpoint: Checkpoint): void;
  /** Writes weights.safetensors, with `facts` in it, and the same arrays as weights.npz. */
  keepWeights(tensors: readonly Tensor[], facts: Readonly<Record<string, string>>): Promise<void>;
  /** Writes summary.json. */
  finish(summary: TrainingFacts): void;
  /** Closes the files and lets other trainings in. */
  close(): void;
}

/**
 * Checks a directory as far as that is possible without the settings of the training, and changes nothing.
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
 * Opens the directory of a training, creates it where missing and keeps other trainings out until `close`.
 * With `tensorboard` each record also goes into a file of events. On
 * `resume`, metrics.jsonl is cut back to the steps of the checkpoint, lines that were cut are mended, and the
 * training goes on from there.
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
    // Checked again, since a training may have ended there in between.
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
      hint: "Go on with it by `existing: 'resume'`, replace it by `existing: 'overwrite'`, or name another directory.",
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

/** The files of a training that a directory holds. */
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
      hint: "The training is complete and in its checkpoint: make room on the disk, then go on with it by `existing: 'resume'` for its summary.",
      data: { file: path },
    });
  }
}
