import type { Command } from 'commander';
import { positiveInteger, seed } from '../../options.js';
import type { WorkDisplay } from '../../output/work-display.js';

/** Of every command that measures a board. */
export interface MeasuringOptions {
  readonly samples: number;
  readonly seed: number;
}

/** Adds them. */
export function addMeasuringOptions(command: Command): Command {
  return command
    .option(
      '--samples <n>',
      'readings of every cell with noise, from 1,000',
      positiveInteger('--samples', 10_000_000),
      20_000,
    )
    .option('--seed <s>', 'names levels and noise, 0 to 2³² − 1', seed('--seed'), 0);
}

/** What all those measurements are asked for with. */
export function measuringRequest(options: MeasuringOptions, display: WorkDisplay, signal: AbortSignal) {
  return {
    seed: options.seed,
    samples: options.samples,
    signal,
    onProgress: (fraction: number, stage: string) => display.update(fraction, stage),
  };
}
