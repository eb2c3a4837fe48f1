import { crc32 } from '../../firmware-protocol/crc.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { CallOptions, DeviceIdentity } from './device-api.js';

/** Largest number of bytes of a message in addition to its part of the record. */
const OVERHEAD_BYTES = 32;

function requireRoom({ calibrationBytesMax, model }: DeviceIdentity, length: number): void {
  if (calibrationBytesMax === 0)
    throw new ThermolinkError('UNSUPPORTED', `The board ${model} cannot keep a calibration record.`, {
      hint: 'Keep the record in a file: `thermolink calibrate` writes one.',
    });
  if (length > calibrationBytesMax)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `The record has ${length} bytes, the board ${model} keeps at most ${calibrationBytesMax}.`,
      { hint: 'Keep it in a file, or calibrate without crosspoints.' },
    );
}

/**
 * The calibration record that a board keeps (protocol.md, "Calibration record"). Only hosts interpret its
 * bytes.
 */
export class CalibrationStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Returns the record; undefined if the board has no record. If the record changes while it is read, it is
   * read again.
   */
  async read(identity: DeviceIdentity, options: CallOptions): Promise<Uint8Array | undefined> {
    requireRoom(identity, 0);
    const partBytes = this.#connection.link.payloadBytesMax - OVERHEAD_BYTES;
    for (;;) {
      let record: Uint8Array | undefined;
      let at = 0;
      let digest = 0;
      do {
        const part = await this.#connection.request(
          'readCalibration',
          { firstByte: at, count: partBytes },
          options,
        );
        if (record === undefined || part.crc32 !== digest || part.length !== record.length) {
          if (record !== undefined) break;
          if (part.length === 0) return undefined;
          record = new Uint8Array(part.length);
          digest = part.crc32;
        }
        record.set(part.record, at);
        at += part.record.length;
      } while (at < record.length);
      if (record !== undefined && at === record.length && crc32(record) === digest) return record;
    }
  }

  /** Replaces the record of the board. An empty record erases it. */
  async write(identity: DeviceIdentity, record: Uint8Array, options: CallOptions): Promise<void> {
    requireRoom(identity, record.length);
    const partBytes = this.#connection.link.payloadBytesMax - OVERHEAD_BYTES;
    const own = record.slice();
    for (let at = 0; at < own.length; at += partBytes)
      await this.#connection.request(
        'writeCalibration',
        { firstByte: at, record: own.subarray(at, at + partBytes) },
        options,
      );
    await this.#connection.request('keepCalibration', { length: own.length, crc32: crc32(own) }, options);
  }
}
