import { readFile } from 'node:fs/promises';
import type { BoardProfile } from '../../emulator/index.js';
import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';

/**
 * Reads the board type that a JSON file describes. Errors: BAD_ARGUMENT; BAD_FILE, which names the wrong
 * field.
 */
export async function readProfile(path: string): Promise<BoardProfile> {
  if (typeof path !== 'string') throw badArgument('path', path, 'a path');
  const bad = (problem: string, hint: string, cause?: unknown) =>
    new ThermolinkError('BAD_FILE', `The profile ${path} ${problem}.`, {
      hint,
      data: { path },
      cause,
    });
  let text: string;
  try {
    // TextDecoder drops a byte order mark; the decoding of readFile would keep it.
    text = new TextDecoder().decode(await readFile(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw bad(`cannot be read: ${reason}`, 'Check the path.', error);
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw bad(
      `is not JSON: ${String(error)}`,
      'Write it as in docs/reference/device-model.md, "Profiles".',
      error,
    );
  }
  // Loaded only here, because a built-in board type needs no schemas.
  const { parseProfile } = await import('../../emulator/profiles/index.js');
  const parsed = parseProfile(data);
  if ('profile' in parsed) return parsed.profile;
  throw bad(
    parsed.field === '' ? parsed.problem : `has a bad field: ${parsed.field} ${parsed.problem}`,
    'docs/reference/device-model.md, "Profiles", lists the fields and their ranges.',
  );
}
