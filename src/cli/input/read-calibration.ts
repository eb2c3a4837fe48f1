import type { BoardCalibration } from '../../board/calibration.js';
import { ThermolinkError } from '../../errors.js';
import { withInputFile } from '../../files/input-file.js';
import { calibrationOf } from '../../measure/calibration-record.js';

/** For the help of an option. */
export const CALIBRATION_OPTION = [
  '--calibration <file>',
  'what `thermolink calibrate` found of this board',
] as const;

/**
 * `{ calibration }` of the file that an option names, `{}` without one: as solvers take it. Expired is by this host's clock.
 * Errors: BAD_FILE, BAD_CALIBRATION.
 */
export async function calibrationFrom(
  path: string | undefined,
): Promise<{ readonly calibration?: BoardCalibration }> {
  if (path === undefined) return {};
  const text = await withInputFile(path, async (file) => {
    const bytes = new Uint8Array(file.sizeBytes);
    await file.read(bytes);
    return new TextDecoder().decode(bytes);
  });
  return { calibration: calibrationOf(parsed(path, text), new Date()) };
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ThermolinkError('BAD_CALIBRATION', `${path} is no JSON: ${String(error)}.`, {
      hint: 'Name a file that `thermolink calibrate` has written.',
      data: { path },
      cause: error,
    });
  }
}
