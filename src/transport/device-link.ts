import { existsSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { ThermolinkError } from '../errors.js';

/** The paths of pseudo-terminals. A link to any other path was not made by this program. */
const PTY_PATH = /^\/dev\/(pts\/\d+|ttys\d+)$/;

/**
 * Makes `link` a symlink to the pseudo-terminal `target`. It replaces only a link that a killed process left
 * behind: a link to a terminal that no longer exists, or to the path of the new terminal. Errors:
 * CANNOT_LISTEN.
 */
export function makeDeviceLink(link: string, target: string): void {
  try {
    if (isStale(link, target)) unlinkSync(link);
    symlinkSync(target, link);
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = taken ? 'a file of that name exists' : 'it can’t be written';
    throw new ThermolinkError('CANNOT_LISTEN', `The link ${link} can’t be made: ${why}.`, {
      cause,
      hint: taken
        ? 'It is not a leftover of a killed `thermolink emulate`: choose another name, or remove it yourself.'
        : 'Choose a name in a directory that you may write to.',
      data: { link },
    });
  }
}

/** Removes the link if it still points to `target`. Never throws. */
export function removeDeviceLink(link: string, target: string): void {
  try {
    if (readlinkSync(link) === target) unlinkSync(link);
  } catch {
    // The link is gone already.
  }
}

function isStale(link: string, ownTarget: string): boolean {
  if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  const target = readlinkSync(link);
  return PTY_PATH.test(target) && (target === ownTarget || !existsSync(target));
}
