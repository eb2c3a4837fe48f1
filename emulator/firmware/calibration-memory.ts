import { crc32 } from '../../firmware-protocol/crc.js';
import { CALIBRATION_BYTES_MAX } from '../../firmware-protocol/limits.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { Refused } from './refused.js';

/**
 * The calibration record of a board (protocol.md, "Calibration record"). A reset keeps it. It is lost when
 * the emulated board ends.
 */
export class CalibrationMemory {
  #record = new Uint8Array(0);
  /** The bytes written so far for the next record. */
  #draft = new Uint8Array(0);

  /** Forgets the bytes that were written and not yet kept, because the board restarts. */
  restart(): void {
    this.#draft = new Uint8Array(0);
  }

  get length(): number {
    return this.#record.length;
  }

  get digest(): number {
    return crc32(this.#record);
  }

  /** Bytes of the record, fewer where it ends. */
  read(firstByte: number, count: number): Uint8Array {
    return this.#record.subarray(firstByte, firstByte + count);
  }

  /** Throws Refused for bytes beyond the longest record. */
  write(firstByte: number, bytes: Uint8Array): void {
    const end = firstByte + bytes.length;
    if (end > CALIBRATION_BYTES_MAX)
      throw new Refused(REFUSAL.outOfRange, `a record has at most ${CALIBRATION_BYTES_MAX} bytes`);
    if (end > this.#draft.length) {
      const grown = new Uint8Array(Math.min(CALIBRATION_BYTES_MAX, 2 * end));
      grown.set(this.#draft);
      this.#draft = grown;
    }
    this.#draft.set(bytes, firstByte);
  }

  /** Throws Refused when the written bytes have another digest. */
  keep(length: number, digest: number): void {
    const record = new Uint8Array(length);
    record.set(this.#draft.subarray(0, length));
    if (crc32(record) !== digest)
      throw new Refused(REFUSAL.digestMismatch, 'the record is not what was written');
    this.#record = record;
  }
}
