import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { lockDirectory, requireDirectory, writing } from '../../../learning/training-files-lock.js';
import type { CharacterizationRecord } from '../../../measure/record.js';

export const OUTPUT_RECORD = 'characterization.json';
/** All figures there can be. A figure of an earlier measurement is removed if this one does not make it. */
const FIGURES = ['cells.svg', 'couplings.svg', 'adc-histogram.svg'];

export interface OutputFiles {
  /** Replaces record and figures and returns their paths. Errors: BAD_FILE. */
  write(record: CharacterizationRecord, figures: ReadonlyMap<string, string>): string[];
  release(): void;
}

/**
 * Makes `directory` if it is missing, and locks it until `release`. A directory that can't be written to is
 * refused here, before minutes of measuring. Errors: BAD_FILE, BUSY.
 */
export function prepareOutput(directory: string): OutputFiles {
  requireDirectory(directory);
  const release = lockDirectory(directory);
  return {
    release,
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
