import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import {
  LOCK_FILE,
  lockDirectory,
  requireDirectory,
  requireUnlocked,
  writing,
} from '../../../learning/training-files-lock.js';

/** The files of a study beside the directories of its tasks. */
export const STUDY_FILES = {
  marker: 'study.json',
  results: 'results.json',
  /** The runs of a study that are rows of tables. */
  runs: 'runs.json',
  report: 'report.html',
} as const;

/**
 * The settings of a study, as its directory holds them. A study continues only in a directory with equal
 * settings.
 */
export interface StudyMark {
  readonly study: string;
  readonly quick: boolean;
  /** The URI of the board whose runs are stored, if the runs are not checked one by one. */
  readonly board?: string;
}

/** The path of the training of one method with one seed, below the directory of the study. */
export function trainingPath(task: string, method: string, seed: number): string {
  return join(task, method, seedName(seed));
}

/** The path of one training of the search of a setting, below the directory of the study. */
export function searchPath(task: string, method: string, setting: string, seed: number): string {
  return join('search', task, method, setting, seedName(seed));
}

const seedName = (seed: number): string => `seed-${seed}`;

/** A directory that no other study can use at the same time. */
export interface ClaimedDirectory {
  /**
   * Stores the identity of the study, so that a killed study can be recognized. Call it when its boards are
   * known to fit, so that a refused study leaves no file. Errors: BAD_FILE.
   */
  readonly begin: () => void;
  readonly hasBegun: () => boolean;
  /** Gives the directory up. Removes it if it was made for this study and the study did not begin. */
  readonly release: () => void;
}

/**
 * Claims `directory` for a study. Other studies are refused there until it is released. `settings` are stored
 * in it when the study begins.
 *
 * Errors: BAD_ARGUMENT if `resume` is false and the directory is not empty, or if `resume` is true and the
 * directory holds no study or another study; BUSY while another study runs in it; BAD_FILE if it can't be
 * used.
 */
export function claimStudyDirectory(
  directory: string,
  mark: StudyMark,
  resume: boolean,
  settings: Readonly<Record<string, unknown>> = {},
): ClaimedDirectory {
  requireDirectory(directory);
  requireUnlocked(directory);
  refuseOther(directory, mark, resume);
  const isNew = !existsSync(directory);
  const unlock = lockDirectory(directory);
  let hasBegun = false;
  return {
    begin: () => {
      replaceFile(
        join(directory, STUDY_FILES.marker),
        `${JSON.stringify({ writtenBy: 'thermolink study', ...mark, ...settings })}\n`,
      );
      hasBegun = true;
    },
    hasBegun: () => hasBegun,
    release: () => {
      unlock();
      if (isNew && !hasBegun) removeEmpty(directory);
    },
  };
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Somebody else put a file into the directory.
  }
}

function refuseOther(directory: string, mark: StudyMark, resume: boolean): void {
  const marker = join(directory, STUDY_FILES.marker);
  const entries = existsSync(directory)
    ? writing(directory, () => readdirSync(directory)).filter((entry) => entry !== LOCK_FILE)
    : [];
  const refused = (message: string, hint: string): ThermolinkError =>
    new ThermolinkError('BAD_ARGUMENT', message, { hint, data: { directory } });
  if (!existsSync(marker)) {
    if (resume)
      throw refused(
        `${directory} holds no study to continue.`,
        'Leave `resume` out to begin a study, or name the directory of a study by `out`.',
      );
    if (entries.length === 0) return;
    throw refused(
      `${directory} holds files that no study wrote.`,
      'Name a directory by `out` that is empty or does not exist.',
    );
  }
  if (!resume)
    throw refused(
      `${directory} already holds a study.`,
      'Continue it by `resume`, or name another directory by `out`.',
    );
  const found = readMark(marker);
  if (found.study !== mark.study || found.quick !== mark.quick || found.board !== mark.board)
    throw refused(
      `${directory} holds ${describe(found)}, not ${describe(mark)}.`,
      'Ask for the study that it holds, or name another directory by `out`.',
    );
}

const describe = ({ study, quick, board }: StudyMark): string =>
  `the ${quick ? 'quick' : 'full'} study ${study}${board === undefined ? '' : ` on ${board}`}`;

function readMark(file: string): StudyMark {
  try {
    const { study, quick, board } = JSON.parse(readFileSync(file, 'utf8')) as StudyMark;
    return { study, quick, board };
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${file} can't be read as the mark of a study.`, {
      cause,
      hint: 'It is cut or another program has changed it. Name another directory by `out`.',
      data: { file },
    });
  }
}
