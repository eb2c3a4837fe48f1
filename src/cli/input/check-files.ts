import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ThermolinkError } from '../../errors.js';
import { checkOutput, checkWritable } from '../../files/write-array.js';
import { type FileRole, longFlag, type OptionSpecs } from '../options/option.js';

/** Paths by their options. A path is undefined if its option was not given. */
export type NamedPaths = Readonly<Record<string, string | undefined>>;

/**
 * Checks every file that has a role in `specs`, before anything is computed. No output may be an input or
 * another output, and every output must be writable. `moreInputs` are inputs without a role. Changes nothing.
 * Errors: BAD_ARGUMENT, BAD_FILE.
 */
export async function checkFiles(
  specs: OptionSpecs,
  values: Readonly<Record<string, unknown>>,
  moreInputs: NamedPaths = {},
): Promise<void> {
  const named = (...roles: FileRole[]): NamedPaths =>
    Object.fromEntries(
      Object.entries(specs)
        .filter(([, { file }]) => file !== undefined && roles.includes(file))
        .map(([field, spec]) => [longFlag(spec), values[field] as string | undefined]),
    );
  await refuseSharedFiles(named('array', 'output', 'own'), { ...named('input'), ...moreInputs });
  for (const [flag, path] of given(named('array'))) await checkOutput(flag, path);
  for (const [, path] of given(named('output'))) await checkWritable(path);
}

/**
 * Refuses an output that is an input or another output, also under another path: one would overwrite the
 * other. Changes nothing. Errors: BAD_ARGUMENT, which names both options.
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
        `${option} ${JSON.stringify(path)} is also the file of ${other}: one would overwrite the other.`,
        { hint: 'Name another one; nothing was written.', data: { option, other, path } },
      );
    taken.set(identity, option);
  }
}

function given(paths: NamedPaths): (readonly [string, string])[] {
  return Object.entries(paths).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** The device and inode number of a file, which its links share. The full path if there is no file. */
async function identityOf(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // Opening the file later reports the error.
    return resolve(path);
  }
}
