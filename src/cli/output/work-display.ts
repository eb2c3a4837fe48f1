import type { SolveProgress } from '../../algorithms/contract.js';
import { counted, formatCount, formatExact, formatNumber } from '../../number-text.js';
import { Progress } from './progress.js';

/** Redraws this often while a run takes long, ms: as a clock that shows seconds needs. */
const REFRESH_MS = 500;

/**
 * The bar of a command that works on a board. It appears with the first `update`, so that an error before that stands alone, and
 * its clock goes on while a run takes long. Call `finish` in a `finally`.
 */
export class WorkDisplay {
  readonly #create: () => Progress;
  #progress: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `total` is what `done` counts up to; 1 for a share. */
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
    // It shows that something goes on, and is nothing to go on for.
    this.#timer.unref();
    return progress;
  }
}

/** Where a solve stands, the error against what is wanted first: `error 0.031 (wanted 0.01), pass 2 of 3 or more`. */
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
