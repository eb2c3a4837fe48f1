import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import {
  LOCK_FILE,
  lockDirectory,
  requireDirectory,
  writing,
} from '../../../learning/training-files-lock.js';

/** The file that marks a directory as the demo's. It is written before anything else. */
const MARKER = 'demo.json';
export const COMPARISON = 'comparison.svg';

/**
 * Claims `directory` for the demo. Every other demo is refused there until the returned function is called.
 * The demo replaces its own trainings without asking, so it refuses a directory that holds anything else.
 *
 * `trainings` are the names of the directories in it. Errors: BAD_ARGUMENT for a directory that is not the
 * demo's; BUSY while another demo runs in it; BAD_FILE when it can't be written to.
 */
export function claimDemoDirectory(directory: string, trainings: readonly string[]): () => void {
  requireDirectory(directory);
  refuseForeign(directory, trainings);
  const picture = join(directory, COMPARISON);
  if (writing(directory, () => statSync(picture, { throwIfNoEntry: false }))?.isDirectory())
    throw new ThermolinkError('BAD_FILE', `${picture} is a directory; the figure goes there.`, {
      hint: 'Remove it, or name another directory by --out.',
      data: { directory },
    });
  const release = lockDirectory(directory);
  try {
    replaceFile(
      join(directory, MARKER),
      `${JSON.stringify({ writtenBy: 'thermolink demo', runs: trainings })}\n`,
    );
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

function refuseForeign(directory: string, trainings: readonly string[]): void {
  if (!existsSync(directory)) return;
  const entries = writing(directory, () => readdirSync(directory)).filter((entry) => entry !== LOCK_FILE);
  if (entries.length === 0 || entries.includes(MARKER)) return;
  // Earlier versions left no marker. Their directories contain only the comparison and the trainings.
  const own = [...trainings, COMPARISON];
  if (own.every((name) => entries.includes(name)) && entries.length === own.length) return;
  throw new ThermolinkError('BAD_ARGUMENT', `${directory} holds files that the demo did not write.`, {
    hint: 'With --out, name a directory that is empty or does not exist. The demo replaces only its own trainings.',
    data: { directory, entries: entries.slice(0, 10) },
  });
}
