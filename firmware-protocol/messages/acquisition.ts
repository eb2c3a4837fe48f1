import {
  AVERAGE_BATCHES_MAX,
  BLOCKS_KEPT_MAX,
  CELLS_MAX,
  FRAME_BYTES_MAX,
  SAFE_INTEGER_MAX,
  U32_MAX,
} from '../limits.js';
import { bytes, choice, integer, messageTable } from '../message-table.js';

/** Bits of a sample block's `flags`. */
export const BLOCK_FLAG = { overload: 1, clip: 2, gap: 4 } as const;

/** The sums that `readAverages` can read. */
export const AVERAGES_PART = { batchSums: 0, products: 1 } as const;
export type AveragesPart = (typeof AVERAGES_PART)[keyof typeof AVERAGES_PART];

export const ACQUISITION_MESSAGES = messageTable([
  {
    kind: 'event',
    opcode: 48,
    name: 'credit',
    channel: 'sample',
    direction: 'toDevice',
    doc: 'The device may send blocks 0 … blocks − 1 of this run, and forget kept ones below `released`. The numbers are absolute: to repeat a credit is harmless, and a lost credit costs only time. A credit that raises neither number is answered with `blocksSent`.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      integer('blocks', 0, U32_MAX, 'block', 'total since the run began'),
      integer(
        'released',
        0,
        U32_MAX,
        'block',
        'the host has all blocks below this number, or will not ask for them',
      ),
    ],
  },
  {
    kind: 'event',
    opcode: 49,
    name: 'sampleBlock',
    channel: 'sample',
    direction: 'toHost',
    doc: 'Consecutive samples of consecutive cells: sampleCount × cellCount ADC codes, int16, row-major. A block of several samples holds all cells; a sample of many cells may be spread over several blocks.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      integer('block', 0, U32_MAX, '1', 'number of the block in the run'),
      integer('firstSample', 0, U32_MAX, 'sample', 'index of the first sample'),
      integer('tick', 0, SAFE_INTEGER_MAX, 'tick', 'tick at which the first sample was read'),
      integer('firstCell', 0, CELLS_MAX - 1, 'cell', 'first cell'),
      integer('cellCount', 1, CELLS_MAX, 'cell', 'cells'),
      integer('sampleCount', 1, U32_MAX, 'sample', 'samples'),
      integer('flags', 0, 7, '1', 'sum of overload 1, clip 2, gap before it 4'),
      bytes('codes', 2, FRAME_BYTES_MAX, 'the codes'),
    ],
  },
  {
    kind: 'event',
    opcode: 50,
    name: 'resend',
    channel: 'sample',
    direction: 'toDevice',
    doc: 'Asks for blocks that the device keeps (`keepBlocks` of `start`). The run may have ended, if no other run was started. Blocks that the device does not have are left out.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      integer('firstBlock', 0, U32_MAX, '1', 'number of the first block'),
      integer('count', 1, BLOCKS_KEPT_MAX, 'block', 'consecutive blocks'),
    ],
  },
  {
    kind: 'event',
    opcode: 51,
    name: 'blocksSent',
    channel: 'sample',
    direction: 'toHost',
    doc: 'How many blocks of the run in progress have been sent. Blocks among them that have not come are lost. Without this event a host that lost every block of its credit would wait for ever.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      integer('blocks', 0, U32_MAX, 'block', 'sent since the run began'),
    ],
  },
  {
    kind: 'command',
    opcode: 52,
    name: 'readAverages',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'again',
    doc: 'Reads the sums of a reported run, until another run starts. batchSums: int32, entry batch · N + cell. products: int64, of codes; the squares of all cells, or of `secondMoments` the pairs (i, j ≥ i), row by row. Since minor 1.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      choice('part', AVERAGES_PART, 'which sums'),
      integer('firstEntry', 0, AVERAGE_BATCHES_MAX * CELLS_MAX - 1, 'entry', 'first sum'),
      integer('count', 1, FRAME_BYTES_MAX, '1', 'how many'),
    ],
    answer: [
      integer('samples', 0, U32_MAX, 'sample', 'added up'),
      integer('flags', 0, 3, '1', 'flags of any of these samples: sum of overload 1, clip 2'),
      bytes('sums', 4, FRAME_BYTES_MAX, 'consecutive sums'),
    ],
  },
]);
