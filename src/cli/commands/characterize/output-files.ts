import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { lockDirectory, requireDirectory, writing } from '../../../learning/training-files-lock.js';
import type { CharacterizationRecord } from '../../../measure/record.js';

export const OUTPUT_RECORD = 'characterization.json';
/** All figures there can be. A figure of an earlier measurement is removed if this one does not make it. */
const FIGURES = ['cells.svg', 'couplings.svg', 'adc-histogram.svg'];

export interface OutputFiles {
  /** Replaces record and figures and returns their paths. Errors: BAD_FILE. */
  write(record: CharacterizationRecord, figures: ReadonlyMap<string, string>): string[];
  /** Where finished parts are kept until the measurement is complete. */
  readonly unfinished: string;
  /** Lets others in, and removes what directories were made here if they are empty. */
  release(): void;
}

/**
 * Makes `directory` if it is missing, and locks it until `release`. A directory that can't be written to is
 * refused here, before minutes of measuring. Errors: BAD_FILE, BUSY.
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
          // It holds something, so it stays, and so do those around it.
          return;
        }
    },
    write(record, figures) {
      const files: string[] = [];
      const put = (name: string, text: string): void => {
        const path = join(directory, name);
        replaceFile(path, text);
        files.push(path);
      };
      put(OUTPUT_RECORD, `${JSON.stringify(record)}\n`);
      for (const name of FIGURES) {
        const figure = figures.get(name);
        if (figure !== undefined) put(name, figure);
        else writing(directory, () => rmSync(join(directory, name), { force: true }));
      }
      return files;
    },
  };
}

/** Those of the directories down to `directory` that do not exist yet, the innermost first. */
function missingDirectories(directory: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.push(at);
  return missing;
}
