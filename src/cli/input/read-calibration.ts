import type { BoardCalibration } from '../../board/calibration.js';
import { ThermolinkError } from '../../errors.js';
import { readInputFile } from '../../files/input-file.js';

/**
 * Reads the calibration that an option names; undefined without the option. The clock of this host decides
 * whether it has expired. Errors: BAD_FILE, BAD_CALIBRATION.
 */
export async function readCalibration(path: string | undefined): Promise<BoardCalibration | undefined> {
  if (path === undefined) return undefined;
  const text = new TextDecoder().decode(await readInputFile(path));
  // Loaded only here: commands without a calibration need no schemas.
  const { calibrationOf } = await import('../../measure/read-calibration-record.js');
  return calibrationOf(parsed(path, text), new Date());
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
