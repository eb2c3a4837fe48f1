import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../../learning/checkpoint.js';
import { lockDirectory, requireDirectory, writing } from '../../../learning/training-files-lock.js';
import type { CharacterizationRecord } from '../../../measure/record.js';

export const OUTPUT_RECORD = 'characterization.json';
/** Every figure that there may be: one that a measurement does not make is not left of an earlier one. */
const FIGURES = ['cells.svg', 'couplings.svg', 'adc-histogram.svg'];

export interface OutputFiles {
  /** Replaces record and figures and returns their paths. Errors: BAD_FILE. */
  write(record: CharacterizationRecord, figures: ReadonlyMap<string, string>): string[];
  release(): void;
}

/**
 * Makes `directory` where missing and keeps others out of it until `release`, so that nobody measures for minutes what can't be
 * written. Errors: BAD_FILE, BUSY.
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
