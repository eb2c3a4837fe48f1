import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ThermolinkError } from '../../errors.js';

/** What options name: each option with its path, undefined where it was not given. */
export type NamedPaths = Readonly<Record<string, string | undefined>>;

/**
 * Refuses an output that is one of the inputs, under whatever name, or another output: what was read would be overwritten. Changes
 * nothing. Errors: BAD_ARGUMENT, which names both options.
 */
export async function refuseSharedFiles(outputs: NamedPaths, inputs: NamedPaths): Promise<void> {
  const taken = new Map<string, string>();
  for (const [option, path] of given(inputs)) taken.set(await identityOf(path), option);
  for (const [option, path] of given(outputs)) {
    const identity = await identityOf(path);
    const other = taken.get(identity);
    if (other !== undefined)
      throw new ThermolinkError(
        'BAD_ARGUMENT',
        `${option} ${JSON.stringify(path)} is what ${other} names too: one would spoil the other.`,
        { hint: 'Name another one; nothing was written.', data: { option, other, path } },
      );
    taken.set(identity, option);
  }
}

function given(paths: NamedPaths): (readonly [string, string])[] {
  return Object.entries(paths).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** Device and number of what is there, so that links are seen through; the full path of what is not. */
async function identityOf(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // Whoever opens it says what is wrong.
    return resolve(path);
  }
}
