import { gunzipSync, gzipSync } from 'node:zlib';
import { checkArray, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import type { CalibrationRecord } from './calibration-record.js';

/** Largest size of an unpacked record. A record of 256 cells with all crosspoints has a tenth of it. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A calibration record as the bytes that a board keeps (`Device.keepCalibration`): its JSON, compressed by
 * gzip. Errors: BAD_ARGUMENT if `record` is not a calibration record.
 */
export function packCalibration(record: CalibrationRecord): Uint8Array {
  checkObject('The record', record, 'calibrationRecordOf(result, new Date(), 30)');
  return new Uint8Array(gzipSync(JSON.stringify(record)));
}

/**
 * Unpacks the JSON from the bytes that a board keeps, for `calibrationOf`. Errors: BAD_ARGUMENT if `bytes` is
 * not a byte array; BAD_CALIBRATION if another program wrote the bytes.
 */
export function unpackCalibration(bytes: Uint8Array): unknown {
  checkArray('bytes', bytes, 'Uint8Array');
  try {
    return JSON.parse(new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength: TEXT_BYTES_MAX })));
  } catch (cause) {
    throw new ThermolinkError('BAD_CALIBRATION', 'The board keeps a record of another program.', {
      hint: 'Replace it: `thermolink calibrate` can store a new record on the board.',
      cause,
    });
  }
}
