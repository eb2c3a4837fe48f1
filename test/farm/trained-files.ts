import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckpoint } from '../../src/learning/checkpoint.js';

/** JSON without fields that depend on the clock. */
const untimed = (text: string): unknown =>
  JSON.parse(text, (name, value: unknown) => (name === 'timing' || name === 'hostSeconds' ? null : value));

/**
 * Reads the files of a training without measured times. Only the name of the picture is returned, because it
 * shows such times.
 */
export function trainedFiles(directory: string): Record<string, unknown> {
  const contentOf = (file: string): unknown => {
    const path = join(directory, file);
    if (file.endsWith('.svg')) return 'a picture';
    if (file.endsWith('.json')) return untimed(readFileSync(path, 'utf8'));
    if (file.endsWith('.jsonl')) return readFileSync(path, 'utf8').trim().split('\n').map(untimed);
    if (!file.endsWith('.bin')) return readFileSync(path).toString('base64');
    const { totals: _, ...checkpoint } = readCheckpoint(path);
    return checkpoint;
  };
  return Object.fromEntries(
    readdirSync(directory)
      .sort()
      .map((file) => [file, contentOf(file)]),
  );
}
