import { counted, formatCount } from '../../../number-text.js';
import { Progress, type ProgressStream } from '../../output/progress.js';

/** A training, or another run of a study, that has steps to take. */
export interface PlannedTraining {
  readonly label: string;
  /** Trainings of one kind cost the same per step. */
  readonly kind: string;
  readonly steps: number;
  /** Cost of a step relative to other kinds: a first guess. */
  readonly stepCost: number;
}

/** Times of the steps of one kind. */
export interface SpentTime {
  readonly ms: number;
  readonly steps: number;
  /** Relative cost of a step. */
  readonly cost: number;
}

export interface StudyProgressOptions {
  readonly silent: boolean;
  /** The noun for one piece of work of a study. Default: training. */
  readonly noun?: string;
  /** Largest number of trainings at the same time, each on a board of its own. Default 1. */
  readonly boards?: number;
  /** Times that earlier processes have measured, by kind. */
  readonly spent?: ReadonlyMap<string, SpentTime>;
  readonly stream?: ProgressStream;
  /** Milliseconds from any start. Default `performance.now`. */
  readonly clock?: () => number;
}

/** Milliseconds between two drawings while a step takes long. */
const REFRESH_MS = 500;

/**
 * Shows the progress of a whole study with the time left. The time of a step is measured for each kind of
 * training; for a kind that has not begun, it is estimated from its relative cost. Several boards are assumed
 * to share the rest evenly. Call `finish` in a `finally`.
 */
export class StudyProgress {
  readonly #progress: Progress;
  readonly #clock: () => number;
  readonly #startMs: number;
  readonly #trainings: readonly PlannedTraining[];
  readonly #timer: NodeJS.Timeout;
  readonly #noun: string;
  readonly #spent: Map<string, SpentTime>;
  readonly #boards: number;
  /** The work in progress, by index. */
  readonly #begun = new Map<number, { step: number; lastMs: number }>();
  readonly #ended = new Set<number>();
  /** The index of the training that has taken the last step. */
  #index = 0;

  constructor(trainings: readonly PlannedTraining[], options: StudyProgressOptions) {
    this.#clock = options.clock ?? (() => performance.now());
    this.#trainings = trainings;
    this.#noun = options.noun ?? 'training';
    this.#spent = new Map(options.spent);
    this.#boards = options.boards ?? 1;
    this.#progress = new Progress({ label: 'study', total: 1, ...options });
    this.#startMs = this.#clock();
    this.#timer = setInterval(() => this.#progress.refresh(), REFRESH_MS);
    // The timer only redraws, so it must not keep the process alive.
    this.#timer.unref();
  }

  /** Training `index` begins at `step`. */
  begin(index: number, step: number): void {
    this.#index = index;
    this.#begun.set(index, { step, lastMs: this.#clock() });
    this.#progress.show(this.#share(), this.#suffix());
  }

  /** Training `index` has taken `step` steps. */
  step(index: number, step: number): void {
    const { kind, stepCost } = this.#trainings[index];
    const nowMs = this.#clock();
    const before = this.#begun.get(index) ?? { step, lastMs: nowMs };
    const spent = this.#spent.get(kind) ?? { ms: 0, steps: 0, cost: stepCost };
    this.#spent.set(kind, {
      ...spent,
      ms: spent.ms + nowMs - before.lastMs,
      steps: spent.steps + step - before.step,
    });
    this.#index = index;
    this.#begun.set(index, { step, lastMs: nowMs });
    this.#progress.update(this.#share(), this.#suffix());
  }

  /** Training `index` has ended, in whatever way. */
  end(index: number): void {
    this.#begun.delete(index);
    this.#ended.add(index);
  }

  /** Prints a line above the bar, such as the result of a training. */
  print(line: string): void {
    this.#progress.print(line);
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#progress.finish('');
  }

  /** Shows that all trainings have ended. */
  complete(): void {
    this.#progress.update(1, '');
  }

  /** Milliseconds that the steps left will take; NaN before the first step. */
  get leftMs(): number {
    let [ms, cost] = [0, 0];
    for (const spent of this.#spent.values()) {
      ms += spent.ms;
      cost += spent.steps * spent.cost;
    }
    const perCost = ms / cost;
    const left = this.#trainings.reduce((sum, { kind, steps, stepCost }, index) => {
      if (this.#ended.has(index)) return sum;
      const spent = this.#spent.get(kind);
      const perStep = spent === undefined ? stepCost * perCost : spent.ms / spent.steps;
      return sum + perStep * (steps - (this.#begun.get(index)?.step ?? 0));
    }, 0);
    return left / this.#boards;
  }

  /** The share at which the bar, which extrapolates the time passed, shows the time left of `leftMs`. */
  #share(): number {
    const passedMs = this.#clock() - this.#startMs;
    const leftMs = this.leftMs;
    return Number.isFinite(leftMs) && passedMs > 0 ? Math.min(0.999, passedMs / (passedMs + leftMs)) : 0;
  }

  #suffix(): string {
    const { label, steps } = this.#trainings[this.#index];
    const step = this.#begun.get(this.#index)?.step ?? 0;
    const all = counted(this.#trainings.length, this.#noun);
    const position =
      this.#boards === 1 ? `${this.#index + 1} of ${all}` : `${this.#ended.size} of ${all} done`;
    if (steps === 1) return `${position}: ${label}`;
    return `${position}: ${label}, step ${formatCount(Math.min(step + 1, steps))} of ${formatCount(steps)}`;
  }
}
