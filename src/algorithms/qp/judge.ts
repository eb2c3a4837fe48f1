import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { QpProgress, QpRequest } from './contract.js';
import { type KktResiduals, kktResiduals, type PrimalDual, worstOf } from './kkt.js';

/** Judges every point of a program in float64, keeps the best point, and reports the progress. */
export class Judge {
  readonly program: QuadraticProgram;
  readonly tolerance: number;
  readonly history: QpProgress[] = [];
  #best: { readonly point: PrimalDual; readonly worst: number };
  readonly #onProgress: QpRequest['onProgress'];

  constructor(program: QuadraticProgram, request: QpRequest, start: PrimalDual) {
    this.program = program;
    this.tolerance = request.tolerance ?? 1e-8;
    this.#onProgress = request.onProgress;
    this.#best = { point: start, worst: worstOf(kktResiduals(program, start)) };
  }

  /** The best point so far, by its largest residual. */
  get best(): PrimalDual {
    return this.#best.point;
  }

  /** The largest residual of the best point. */
  get worst(): number {
    return this.#best.worst;
  }

  get isSolved(): boolean {
    return this.#best.worst <= this.tolerance;
  }

  /** Computes the residuals of a point and reports them as progress. */
  judge(point: PrimalDual, phase: QpProgress['phase'], iteration: number): KktResiduals {
    const residuals = kktResiduals(this.program, point);
    const worst = worstOf(residuals);
    if (worst < this.#best.worst) this.#best = { point, worst };
    const progress = { ...residuals, iteration, phase };
    this.history.push(progress);
    this.#onProgress?.(progress);
    return residuals;
  }
}
