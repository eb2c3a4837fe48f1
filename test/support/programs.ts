import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/**
 * Tells whether a program is in one of the folders of PATH, or is the file that `program` names. It is not
 * started, because hundreds of test files ask, and some programs need half a second to tell their version.
 */
export function hasProgram(program: string): boolean {
  const folders = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
