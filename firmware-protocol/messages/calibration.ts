import { CALIBRATION_BYTES_MAX, FRAME_BYTES_MAX, U32_MAX } from '../limits.js';
import { bytes, integer, messageTable } from '../message-table.js';

/** The record of a calibration that a board keeps for its hosts (protocol.md, "Calibration record"). */
export const CALIBRATION_MESSAGES = messageTable([
  {
    kind: 'command',
    opcode: 64,
    name: 'readCalibration',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'again',
    doc: 'Reads the record that the board keeps, and its digest. Since minor 1.',
    fields: [
      integer('firstByte', 0, CALIBRATION_BYTES_MAX, 'byte', 'first byte'),
      integer('count', 0, FRAME_BYTES_MAX, 'byte', 'how many bytes; fewer come at the end of the record'),
    ],
    answer: [
      integer(
        'length',
        0,
        CALIBRATION_BYTES_MAX,
        'byte',
        'length of the whole record; 0: the board has none',
      ),
      integer('crc32', 0, U32_MAX, '1', 'ISO-HDLC over the whole record'),
      bytes('record', 0, FRAME_BYTES_MAX, 'consecutive bytes'),
    ],
  },
  {
    kind: 'command',
    opcode: 65,
    name: 'writeCalibration',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Writes bytes of a new record. The board keeps the old one until `keepCalibration`. Since minor 1.',
    fields: [
      integer('firstByte', 0, CALIBRATION_BYTES_MAX, 'byte', 'first byte'),
      bytes('record', 0, FRAME_BYTES_MAX, 'consecutive bytes'),
    ],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 66,
    name: 'keepCalibration',
    channel: 'command',
    timeoutMs: 10_000,
    delivery: 'once',
    doc: 'Keeps the first bytes that were written as the record, if their digest is the given one. The record then survives a reset. Length 0 erases the record. Since minor 1.',
    fields: [
      integer('length', 0, CALIBRATION_BYTES_MAX, 'byte', 'length of the whole record; 0 erases it'),
      integer('crc32', 0, U32_MAX, '1', 'ISO-HDLC over the whole record'),
    ],
    answer: [],
  },
]);
