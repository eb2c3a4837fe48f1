import { RUN_OUTCOME } from '../device-status.js';
import {
  BANKS,
  BATCH_SAMPLES_MAX,
  BLOCKS_KEPT_MAX,
  CELLS_MAX,
  OVERLOAD_INDICES_MAX,
  ROWS_MAX,
  SAFE_INTEGER_MAX,
  U32_MAX,
  WATCHDOG_MS_MAX,
  WATCHDOG_MS_MIN,
} from '../limits.js';
import { bytes, choice, integer, messageTable } from '../message-table.js';

/** The initial state of a run. */
export const START_STATE = { load: 0, keep: 1 } as const;
/** What happens when a sample has no room because credit is missing (protocol.md, "Credits"). */
export const NO_CREDIT = { hold: 0, lose: 1 } as const;
/** Whether a run sends its samples or adds them up (protocol.md, "Averages"). */
export const STATISTICS = { samples: 0, means: 1, secondMoments: 2 } as const;
/** What happens when a cell or row passes its rail. */
export const ON_OVERLOAD = { halt: 0, mark: 1 } as const;

export const RUN_MESSAGES = messageTable([
  {
    kind: 'command',
    opcode: 32,
    name: 'start',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Starts a run. Sample i is read when burnInTicks + i·ticksPerSample ticks are done; the run ends with its last sample, or after burnInTicks when sampleCount is 0.',
    fields: [
      integer('bank', 0, BANKS - 1, '1', 'a committed program'),
      integer('runSeed', 0, U32_MAX, '1', 'names the noise, together with die seed, tick and cell'),
      integer('firstTick', 0, SAFE_INTEGER_MAX, 'tick', 'number of the first tick'),
      choice('startState', START_STATE, 'load: the program’s initial state; keep: as the last run left it'),
      integer('burnInTicks', 0, SAFE_INTEGER_MAX, 'tick', 'ticks before the first sample'),
      integer('sampleCount', 0, U32_MAX, 'sample', 'readings of all cells'),
      integer('ticksPerSample', 0, U32_MAX, 'tick', 'between two samples'),
      integer(
        'blockSamples',
        0,
        U32_MAX,
        'sample',
        'samples a block holds at most; 0: as many as fit a frame',
      ),
      choice(
        'onNoCredit',
        NO_CREDIT,
        'hold: no tick passes until there is credit; lose: counted and skipped',
      ),
      choice('onOverload', ON_OVERLOAD, 'halt after exactly that tick, or go on and mark the blocks'),
      integer(
        'watchdogMs',
        WATCHDOG_MS_MIN,
        WATCHDOG_MS_MAX,
        'ms',
        'silence of the host after which the run ends in safe',
      ),
      integer('creditBlocks', 0, U32_MAX, 'block', 'credit at the start'),
      integer(
        'keepBlocks',
        0,
        BLOCKS_KEPT_MAX,
        'block',
        'sent blocks kept for `resend`; blocks numbered released + keepBlocks or higher are not sent. 0: none is kept',
      ),
      {
        ...choice(
          'statistics',
          STATISTICS,
          'samples (the default): they are sent in blocks; means: they are only added up, in batches and as squares; secondMoments: also as products of all pairs of cells',
        ),
        absent: STATISTICS.samples,
      },
      {
        ...integer(
          'batchSamples',
          0,
          BATCH_SAMPLES_MAX,
          'sample',
          'samples of a batch, if samples are added up; 0 (the default) if they are not',
        ),
        absent: 0,
      },
    ],
    answer: [integer('runId', 1, U32_MAX, '1', 'never used again in this session')],
  },
  {
    kind: 'command',
    opcode: 33,
    name: 'abort',
    channel: 'command',
    timeoutMs: 2000,
    delivery: 'once',
    doc: 'Ends a run. A run that has already ended is left alone. A run that never existed is `outOfRange`.',
    fields: [integer('runId', 1, U32_MAX, '1', 'which run')],
    answer: [],
  },
  {
    kind: 'event',
    opcode: 34,
    name: 'runEnded',
    channel: 'command',
    direction: 'toHost',
    doc: 'How a run ended, sent after its last block.',
    fields: [
      integer('runId', 1, U32_MAX, '1', 'which run'),
      choice('outcome', RUN_OUTCOME, 'how'),
      integer('ticksDone', 0, SAFE_INTEGER_MAX, 'tick', 'of this run'),
      integer('samplesTaken', 0, U32_MAX, 'sample', 'read from the ADC, including lost ones'),
      integer('samplesLost', 0, U32_MAX, 'sample', 'skipped without credit'),
      integer('blocksSent', 0, U32_MAX, 'block', 'sample blocks handed to the link'),
      integer('overloadedCellCount', 0, CELLS_MAX, 'cell', 'number of cells that passed their rail'),
      bytes('overloadedCells', 0, 2 * OVERLOAD_INDICES_MAX, 'u16 indices of the first of them'),
      integer('overloadedRowCount', 0, ROWS_MAX, 'row', 'number of row amplifiers that passed their limit'),
      bytes('overloadedRows', 0, 2 * OVERLOAD_INDICES_MAX, 'u16 indices of the first of them'),
    ],
  },
]);
