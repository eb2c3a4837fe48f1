import { extname } from 'node:path';
import { checkText } from '../argument-checks.js';
import type { QuadraticProgram } from '../linalg/quadratic-program.js';
import { badFile, withInputFile } from './input-file.js';
import { readQpJson } from './read-qp-json.js';
import { readQps } from './read-qps.js';

/** Largest number of blanks before the first brace. */
const HEAD_BYTES = 1024;

/** The formats that `readProgram` takes. */
export const PROGRAM_FORMATS = '.qps, .sif or .json';

/**
 * A quadratic program of a file whose name ends in .qps, .sif or .json. A name without an ending, such as
 * that of standard input, does not tell the format. Then the file is JSON if it begins with a brace. Errors:
 * BAD_ARGUMENT; BAD_FILE.
 */
export async function readProgram(path: string): Promise<QuadraticProgram> {
  checkText('path', path);
  const name = path.toLowerCase();
  if (name.endsWith('.json')) return withInputFile(path, readQpJson);
  if (name.endsWith('.qps') || name.endsWith('.sif')) return withInputFile(path, readQps);
  if (extname(name) === '')
    return withInputFile(path, async (file) => {
      const head = new TextDecoder().decode(await file.head(HEAD_BYTES));
      return /^\s*\{/.test(head) ? readQpJson(file) : readQps(file);
    });
  throw badFile(
    path,
    `${path} is not named as a quadratic program.`,
    `Its name has to end in ${PROGRAM_FORMATS}.`,
  );
}
