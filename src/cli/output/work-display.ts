import type { SolveProgress } from '../../algorithms/contract.js';
import { counted, formatCount, formatExact, formatNumber } from '../../number-text.js';
import { Progress } from './progress.js';

/** Milliseconds between two drawings while a board run takes long. The clock shows seconds. */
const REFRESH_MS = 500;

/**
 * The progress bar of a command that works on a board. It appears with the first `update`, so an earlier
 * error is printed without a bar. Its clock goes on during a long board run. Call `finish` in a `finally`.
 */
export class WorkDisplay {
  readonly #create: () => Progress;
  #progress: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `done` counts up to `total`. It is 1 if `done` is a share of the whole. */
  constructor(label: string, total: number, silent: boolean) {
    this.#create = () => new Progress({ label, total, silent });
  }

  update(done: number, suffix: string): void {
    this.#progress ??= this.#start();
    this.#progress.update(done, suffix);
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#progress?.finish();
  }

  #start(): Progress {
    const progress = this.#create();
    this.#timer = setInterval(() => progress.refresh(), REFRESH_MS);
    // The timer only redraws, so it must not keep the process alive.
    this.#timer.unref();
    return progress;
  }
}

/**
 * The progress of a solve. The text has the current error before the wanted one: `error at most 0.0312
 * (wanted 0.01), pass 2, reading 1 of 51 or more`.
 */
export function solveText(progress: SolveProgress, tolerance: number): string {
  const { fraction, pass, samples, samplesMin } = progress;
  const { relativeErrorBound, relativeStandardError } = progress;
  if (fraction === 1)
    return `error at most ${formatNumber(relativeErrorBound)} (wanted ${formatExact(tolerance)}), ${counted(pass, 'pass', 'passes')}, ${counted(samples, 'reading')}`;
  const readings = `reading ${formatCount(samples)} of ${formatCount(samplesMin)} or more`;
  const passes = `pass ${pass}${samples === 0 ? '' : `, ${readings}`}`;
  if (Number.isFinite(relativeStandardError))
    return `standard error ${formatNumber(relativeStandardError)} (wanted ${formatExact(tolerance / 2)}), ${passes}`;
  if (Number.isFinite(relativeErrorBound))
    return `error at most ${formatNumber(relativeErrorBound)} (wanted ${formatExact(tolerance)}), ${passes}`;
  return passes;
}
