import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import type { Board } from '../board.js';
import { Refused } from '../refused.js';
import type { Handlers } from './handlers.js';

/** Largest number of bytes that an answer to `readCalibration` has besides those of the record. */
const ANSWER_OVERHEAD_BYTES = 24;

/**
 * A real board receives nothing while it programs its flash, so the flash is programmed only between runs.
 */
function requireIdle(board: Board): void {
  if (board.state === 'running') throw new Refused(REFUSAL.wrongState, 'not during a run');
}

/** protocol.md, "Calibration record". */
export const calibrationHandlers = {
  readCalibration({ board, link }, { firstByte, count }) {
    const { length, digest } = board.calibration;
    if (firstByte > length) throw new Refused(REFUSAL.outOfRange, `the record has ${length} bytes`);
    const record = board.calibration.read(firstByte, count);
    if (record.length > link.payloadBytesMax - ANSWER_OVERHEAD_BYTES)
      throw new Refused(REFUSAL.outOfRange, `${record.length} bytes do not fit a frame`);
    return { length, crc32: digest, record };
  },

  writeCalibration({ board }, { firstByte, record }) {
    board.calibration.write(firstByte, record);
    return {};
  },

  keepCalibration({ board }, { length, crc32 }) {
    requireIdle(board);
    board.calibration.keep(length, crc32);
    return {};
  },
} satisfies Partial<Handlers>;
