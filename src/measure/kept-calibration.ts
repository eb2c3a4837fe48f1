import { gunzipSync, gzipSync } from 'node:zlib';
import { checkArray, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import type { CalibrationRecord } from './calibration-record.js';

/** A record of 256 cells with all crosspoints is a tenth of it. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A calibration record as the bytes that a board keeps (`Device.keepCalibration`): its JSON, compressed by
 * gzip. Errors: BAD_ARGUMENT for what is no record.
 */
export function packCalibration(record: CalibrationRecord): Uint8Array {
  checkObject('The record', record, 'calibrationRecordOf(result, new Date(), 30)');
  return new Uint8Array(gzipSync(JSON.stringify(record)));
}

/**
 * The JSON in the bytes that a board keeps, for `calibrationOf`. Errors: BAD_ARGUMENT for what is no bytes,
 * BAD_CALIBRATION for bytes that are none of this program's.
 */
export function unpackCalibration(bytes: Uint8Array): unknown {
  checkArray('bytes', bytes, 'Uint8Array');
  try {
    return JSON.parse(new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength: TEXT_BYTES_MAX })));
  } catch (cause) {
    throw new ThermolinkError(
      'BAD_CALIBRATION',
      'The record that the board keeps is none of this program’s.',
      {
        hint: 'Replace it: `thermolink calibrate` can let the board keep another one.',
        cause,
      },
    );
  }
}
