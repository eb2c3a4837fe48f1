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

/** What steps of one kind have taken. */
export interface SpentTime {
  readonly ms: number;
  readonly steps: number;
  /** Relative cost of a step. */
  readonly cost: number;
}

export interface StudyProgressOptions {
  readonly silent: boolean;
  /** What a study is made of. Default: training. */
  readonly noun?: string;
  /** What earlier processes have measured, by kind. */
  readonly spent?: ReadonlyMap<string, SpentTime>;
  readonly stream?: ProgressStream;
  /** Milliseconds from any start. Default `performance.now`. */
  readonly clock?: () => number;
}

/** Milliseconds between two drawings while a step takes long. */
const REFRESH_MS = 500;

/**
 * Progress of a whole study with the time left. The time of a step is measured for each kind of training; a
 * kind that has not begun is guessed from its relative cost. Call `finish` in a `finally`.
 */
export class StudyProgress {
  readonly #progress: Progress;
  readonly #clock: () => number;
  readonly #startMs: number;
  readonly #trainings: readonly PlannedTraining[];
  readonly #timer: NodeJS.Timeout;
  readonly #noun: string;
  readonly #spent: Map<string, SpentTime>;
  #index = 0;
  #step = 0;
  #lastMs: number;

  constructor(trainings: readonly PlannedTraining[], options: StudyProgressOptions) {
    this.#clock = options.clock ?? (() => performance.now());
    this.#trainings = trainings;
    this.#noun = options.noun ?? 'training';
    this.#spent = new Map(options.spent);
    this.#progress = new Progress({ label: 'study', total: 1, ...options });
    this.#startMs = this.#clock();
    this.#lastMs = this.#startMs;
    this.#timer = setInterval(() => this.#progress.refresh(), REFRESH_MS);
    // The timer only redraws, so it must not keep the process alive.
    this.#timer.unref();
  }

  /** Training `index` begins at `step`; those before it are done. */
  begin(index: number, step: number): void {
    this.#index = index;
    this.#step = step;
    this.#lastMs = this.#clock();
    this.#progress.show(this.#share(), this.#suffix());
  }

  /** The training has taken `step` steps. */
  step(step: number): void {
    const { kind, stepCost } = this.#trainings[this.#index];
    const nowMs = this.#clock();
    const spent = this.#spent.get(kind) ?? { ms: 0, steps: 0, cost: stepCost };
    this.#spent.set(kind, {
      ...spent,
      ms: spent.ms + nowMs - this.#lastMs,
      steps: spent.steps + step - this.#step,
    });
    this.#lastMs = nowMs;
    this.#step = step;
    this.#progress.update(this.#share(), this.#suffix());
  }

  /** A line of its own, such as the result of a training. */
  print(line: string): void {
    this.#progress.print(line);
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#progress.finish('');
  }

  /** All is done. */
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
    return this.#trainings.slice(this.#index).reduce((sum, { kind, steps, stepCost }, i) => {
      const spent = this.#spent.get(kind);
      const perStep = spent === undefined ? stepCost * perCost : spent.ms / spent.steps;
      return sum + perStep * (i === 0 ? steps - this.#step : steps);
    }, 0);
  }

  /** The bar divides the time passed by its share, which gives the time left. */
  #share(): number {
    const passedMs = this.#clock() - this.#startMs;
    const leftMs = this.leftMs;
    return Number.isFinite(leftMs) && passedMs > 0 ? Math.min(0.999, passedMs / (passedMs + leftMs)) : 0;
  }

  #suffix(): string {
    const { label, steps } = this.#trainings[this.#index];
    const position = `${this.#index + 1} of ${counted(this.#trainings.length, this.#noun)}`;
    if (steps === 1) return `${position}: ${label}`;
    return `${position}: ${label}, step ${formatCount(Math.min(this.#step + 1, steps))} of ${formatCount(steps)}`;
  }
}
