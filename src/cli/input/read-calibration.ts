import type { BoardCalibration } from '../../board/calibration.js';
import { ThermolinkError } from '../../errors.js';
import { readInputFile } from '../../files/input-file.js';
import { deviceUri } from '../device.js';
import { recordedTime } from './session-time.js';

/**
 * Reads the calibration that an option names; undefined without the option. `device` is what `--device`
 * names. Errors: BAD_FILE, those of `calibrationNow`.
 */
export async function readCalibration(
  path: string | undefined,
  device: string | undefined,
): Promise<BoardCalibration | undefined> {
  if (path === undefined) return undefined;
  const text = new TextDecoder().decode(await readInputFile(path));
  return calibrationNow(parsed(path, text), deviceUri(device, ''));
}

/**
 * The calibration in a record, for use with the device `uri`. The clock of this host decides whether the
 * calibration has expired. A replay also accepts one that was valid when its session was recorded
 * (docs/decisions/0123-a-replay-keeps-the-time-of-its-recording.md). Errors: BAD_CALIBRATION.
 */
export async function calibrationNow(record: unknown, uri: string): Promise<BoardCalibration> {
  // Loaded only here: commands without a calibration need no schemas.
  const { calibrationOf } = await import('../../measure/read-calibration-record.js');
  try {
    return calibrationOf(record, new Date());
  } catch (error) {
    // Connecting reports what is wrong with the URI or the recording.
    const recordedAt = uri === '' ? undefined : await recordedTime(uri).catch(() => undefined);
    if (recordedAt === undefined) throw error;
    return calibrationOf(record, recordedAt);
  }
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
