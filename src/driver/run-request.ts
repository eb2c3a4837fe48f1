import {
  AVERAGE_BATCHES_MAX,
  BATCH_SAMPLES_MAX,
  CELLS_MAX,
  SAFE_INTEGER_MAX,
  U32_MAX,
  WATCHDOG_MS_DEFAULT,
  WATCHDOG_MS_MAX,
  WATCHDOG_MS_MIN,
} from '../../firmware-protocol/limits.js';
import type { Command } from '../../firmware-protocol/messages/index.js';
import { NO_CREDIT, ON_OVERLOAD, START_STATE, STATISTICS } from '../../firmware-protocol/messages/run.js';
import { ThermolinkError } from '../errors.js';
import { counted, formatCount } from '../number-text.js';
import type { AverageOptions, DeviceIdentity, RunOptions } from './device-api.js';
import { CREDIT_BLOCKS } from './run-stream.js';

/**
 * Makes the fields of `start` (protocol.md, "Start of a run"). Errors: BAD_ARGUMENT for a number outside its
 * range; UNSUPPORTED if the board cannot do it.
 */
export function startFields(
  options: RunOptions,
  identity: DeviceIdentity,
  sums: Pick<Command<'start'>, 'statistics' | 'batchSamples'> = {
    statistics: STATISTICS.samples,
    batchSamples: 0,
  },
): Command<'start'> {
  const { bank, runSeed, burnInTicks, sampleCount, ticksPerSample, firstTick = 0 } = options;
  const watchdogMs = options.watchdogMs ?? WATCHDOG_MS_DEFAULT;
  check('runSeed', runSeed, 0, U32_MAX);
  check('firstTick', firstTick, 0, SAFE_INTEGER_MAX);
  check('burnInTicks', burnInTicks, 0, SAFE_INTEGER_MAX);
  check('sampleCount', sampleCount, 0, U32_MAX);
  check('ticksPerSample', ticksPerSample, 0, U32_MAX);
  check('watchdogMs', watchdogMs, WATCHDOG_MS_MIN, WATCHDOG_MS_MAX);
  return {
    bank,
    runSeed,
    firstTick,
    startState: options.keepState ? START_STATE.keep : START_STATE.load,
    burnInTicks,
    sampleCount,
    ticksPerSample,
    blockSamples: 0,
    onNoCredit: NO_CREDIT[creditPolicy(options, identity)],
    onOverload: options.onOverload === 'mark' ? ON_OVERLOAD.mark : ON_OVERLOAD.halt,
    watchdogMs,
    creditBlocks: CREDIT_BLOCKS,
    keepBlocks: keepBlocks(options, identity),
    ...sums,
  };
}

/**
 * Makes the fields of `start` of a run whose samples are added up (protocol.md, "Averages"). Errors:
 * BAD_ARGUMENT; UNSUPPORTED if the board cannot do it.
 */
export function averageFields(
  options: AverageOptions,
  cells: number,
  identity: DeviceIdentity,
): Command<'start'> {
  const { sampleCount, batches, secondMoments = false } = options;
  check('batches', batches, 1, AVERAGE_BATCHES_MAX);
  check('sampleCount', sampleCount, batches, batches * BATCH_SAMPLES_MAX);
  if (sampleCount % batches !== 0)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${counted(sampleCount, 'sample')} cannot be cut into ${counted(batches, 'batch', 'batches')} of equal size.`,
      { hint: 'Ask for a multiple of the number of batches.', data: { sampleCount, batches } },
    );
  if (!identity.hasAverages)
    throw new ThermolinkError('UNSUPPORTED', 'This board does not add up its samples.', {
      hint: 'Acquire the samples, and add them up on the host.',
    });
  if (secondMoments && cells > identity.momentCellsMax)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `This board adds up second moments of at most ${counted(identity.momentCellsMax, 'cell')}; the program has ${formatCount(cells)}.`,
      { hint: 'Ask for means, or acquire the samples.' },
    );
  return startFields(options, identity, {
    statistics: secondMoments ? STATISTICS.secondMoments : STATISTICS.means,
    batchSamples: sampleCount / batches,
  });
}

function creditPolicy({ onNoCredit }: RunOptions, { hasHold }: DeviceIdentity): 'hold' | 'lose' {
  if (onNoCredit === undefined) return hasHold ? 'hold' : 'lose';
  if (onNoCredit === 'hold' && !hasHold)
    throw new ThermolinkError('UNSUPPORTED', 'This board cannot hold a run for a slow host.', {
      hint: 'Pass onNoCredit: lose, and read fast enough or mark lost samples.',
    });
  return onNoCredit;
}

function keepBlocks({ onLoss }: RunOptions, { keepBlocksMax }: DeviceIdentity): number {
  if (onLoss !== 'reRequest') return 0;
  if (keepBlocksMax === 0)
    throw new ThermolinkError('UNSUPPORTED', 'This board keeps no blocks that could be asked for again.', {
      hint: 'Pass onLoss: fail, or mark.',
    });
  return Math.min(CREDIT_BLOCKS, keepBlocksMax);
}

/** Throws BAD_ARGUMENT when there are more codes than `acquire` can hold at once. */
export function checkHoldable(sampleCount: number, cells: number): void {
  const codes = sampleCount * cells;
  if (codes <= CODES_MAX) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${counted(sampleCount, 'sample')} of ${counted(cells, 'cell')} are ${counted(codes, 'code')}.`,
    {
      hint: `Acquire at most ${formatCount(CODES_MAX)} codes at once, or read the blocks of \`run\`.`,
    },
  );
}

/** Codes in 512 MiB. */
const CODES_MAX = CELLS_MAX * 32768;

function check(name: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} is ${value}; it must be a whole number from ${min} to ${max}.`,
  );
}
