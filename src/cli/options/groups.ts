import { WRITTEN_FORMATS } from '../../files/write-array.js';
import { STATISTICS_CELLS_MAX } from '../../traces/sample-detail.js';
import { flag, negation, option, repeatedOption } from './option.js';
import { cellListUpTo } from './ranges.js';
import { choice, positiveInteger, tolerance, u32 } from './values.js';

/** Options that several commands share. */

export const SEED = {
  seed: option('--seed <s>', 'seed of the noise, 0 to 2³² − 1', { value: u32, default: 0 }),
};

export const JSON_OUTPUT = { json: flag('--json', 'print JSON') };

export const LOG_LEVELS = ['silent', 'warn', 'info', 'debug', 'trace'] as const;

export const LOG = {
  logLevel: option(
    '--log-level <level>',
    `what to log: ${LOG_LEVELS.join(', ')} (default: silent, with --log-file info)`,
    { value: choice(LOG_LEVELS) },
  ),
  logFile: option('--log-file <file>', 'append log lines (JSON) to this file instead of standard error', {
    file: 'own',
    dash: { kind: 'refused', why: 'log lines go to standard error without this option' },
  }),
};

/**
 * The option that names the board. `fallback` is the board if neither the option nor the environment names
 * one.
 */
export function deviceOption(fallback: string) {
  return { device: option('--device <uri>', `which board (default: ${fallback})`) };
}

/** The option that names one board or more. */
export function devicesOption(
  fallback: string,
  several = 'give it several times to share the work between boards',
) {
  return {
    devices: repeatedOption('--device <uri>', `which board (default: ${fallback}); ${several}`),
  };
}

/** The options for the samples in the JSON of a recording. */
export const RECORD_DETAIL = {
  recordSamples: flag('--record-samples', 'also write every sample into the JSON of the recording'),
  recordCells: option(
    '--record-cells <list>',
    'cells whose mean, min and max the JSON of the recording holds, at most 8 (default: 0-7)',
    { value: cellListUpTo(STATISTICS_CELLS_MAX) },
  ),
};

export const RECORD = {
  record: option('--record <file>', 'record all bytes between host and board (MCAP)', {
    file: 'own',
  }),
  ...RECORD_DETAIL,
};

/** The names of the options that say which board is used, what is logged and what is recorded. */
export const BOARD_OPTION_NAMES = ['device', ...Object.keys({ ...LOG, ...RECORD })] as readonly (
  | 'device'
  | keyof typeof LOG
  | keyof typeof RECORD
)[];

export const RETRY = {
  retry: negation('--no-retry', 'end with an error if data are lost, instead of repeating the work'),
};

export const CALIBRATION = {
  calibration: option('--calibration <file>', 'record of this board, written by `thermolink calibrate`', {
    file: 'input',
  }),
};

/** The option for the tolerance. `bounded` names the error that it bounds. */
export function toleranceOption(bounded: string) {
  return {
    tolerance: option('--tolerance <r>', `bound on the estimated relative error ${bounded}`, {
      value: tolerance,
      default: 1e-2,
    }),
  };
}

/** The options of the commands that measure a board. */
export const MEASURING = {
  samples: option('--samples <n>', 'readings of every cell with noise, from 1,000', {
    value: positiveInteger(10_000_000),
    default: 20_000,
  }),
  seed: option('--seed <s>', 'seed of levels and noise, 0 to 2³² − 1', { value: u32, default: 0 }),
};

/** The option for a result that is one array. `array` names the array. */
export function arrayOutput(array: string) {
  return { out: option('--out <file>', `write ${array} as ${WRITTEN_FORMATS}`, { file: 'array' }) };
}
