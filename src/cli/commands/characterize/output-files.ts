import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import { writeText } from '../../../files/write-array.js';
import { lockDirectory, requireDirectory, writing } from '../../../learning/training-files-lock.js';
import type { CharacterizationRecord } from '../../../measure/record.js';

export const OUTPUT_RECORD = 'characterization.json';
/** All figures there can be. A figure of an earlier measurement is removed if this one does not make it. */
const FIGURES = ['cells.svg', 'couplings.svg', 'adc-histogram.svg'];

export interface OutputFiles {
  /**
   * Replaces record and figures and returns their paths. Errors: BAD_FILE. If the record can't be written
   * here, it is written into a temporary directory, which the error names.
   */
  write(record: CharacterizationRecord, figures: ReadonlyMap<string, string>): Promise<string[]>;
  /** The file that keeps finished parts until the measurement is complete. */
  readonly unfinished: string;
  /** Unlocks the directory. Removes the directories that were made here if they are empty. */
  release(): void;
}

/**
 * Makes `directory` if it is missing, and locks it until `release`. It refuses a directory that can't be
 * written to, before minutes of measuring. Errors: BAD_FILE, BUSY.
 */
export function prepareOutput(directory: string): OutputFiles {
  requireDirectory(directory);
  const made = missingDirectories(directory);
  const release = lockDirectory(directory);
  return {
    unfinished: join(directory, 'characterization.unfinished'),
    release() {
      release();
      for (const one of made)
        try {
          rmdirSync(one);
        } catch {
          // The directory is not empty, so it stays, and so do its parents.
          return;
        }
    },
    async write(record, figures) {
      const recordFile = join(directory, OUTPUT_RECORD);
      await writeText(recordFile, `${JSON.stringify(record)}\n`);
      const files = [recordFile];
      for (const name of FIGURES) {
        const path = join(directory, name);
        const figure = figures.get(name);
        if (figure === undefined) writing(directory, () => rmSync(path, { force: true }));
        else {
          putFigure(path, figure, recordFile);
          files.push(path);
        }
      }
      return files;
    },
  };
}

/** Errors: BAD_FILE, which tells where the record is. */
function putFigure(path: string, figure: string, recordFile: string): void {
  try {
    replaceFile(path, figure);
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    const { code, message, cause, data, hint } = error;
    throw new ThermolinkError(code, message, {
      cause,
      data,
      hint: `${hint} The record is in ${recordFile}.`,
    });
  }
}

/** The missing directories on the path to `directory`, the innermost first. */
function missingDirectories(directory: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.push(at);
  return missing;
}
