import { gunzipSync, gzipSync } from 'node:zlib';
import { checkArray, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import type { CalibrationRecord } from './calibration-record.js';

/** Largest size of an unpacked record. A record of 256 cells with all crosspoints has a tenth of it. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A calibration record as the bytes that a board keeps (`Device.keepCalibration`): its JSON, compressed by
 * gzip. The fields of the record are not checked. Errors: BAD_ARGUMENT if `record` is not an object.
 */
export function packCalibration(record: CalibrationRecord): Uint8Array {
  checkObject('The record', record, 'calibrationRecordOf(result, new Date(), 30)');
  return new Uint8Array(gzipSync(JSON.stringify(record)));
}

/**
 * Unpacks the JSON from the bytes that a board keeps. The fields of the JSON are not checked; `calibrationOf`
 * checks them. Errors: BAD_ARGUMENT if `bytes` is not a byte array; BAD_CALIBRATION if the bytes are not JSON
 * compressed by gzip, or are larger than 64 MB when unpacked.
 */
export function unpackCalibration(bytes: Uint8Array): unknown {
  checkArray('bytes', bytes, 'Uint8Array');
  try {
    return JSON.parse(new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength: TEXT_BYTES_MAX })));
  } catch (cause) {
    throw new ThermolinkError(
      'BAD_CALIBRATION',
      'The board keeps data that is not a calibration record of thermolink.',
      {
        hint: 'Replace it: `thermolink calibrate` can store a new record on the board.',
        cause,
      },
    );
  }
}
