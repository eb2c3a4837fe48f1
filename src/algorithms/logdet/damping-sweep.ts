import { DAMPING_STEP } from '../../board/board-range.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { ThermolinkError } from '../../errors.js';
import { formatNumber } from '../../number-text.js';
import { planSampling } from '../sample.js';

/** The upper end c of the sweep, in λ₊. Three traces give ln det(A + cI) from there on. */
const UPPER_END = 8;
/** The first setting above 0, in λ₋: tr(A + sI)⁻¹ is almost a straight line below it. */
const LOWER_END = 1 / 8;
/** Steps of the damping register below the first setting at least. */
const FIRST_CODE_MIN = 2;
/** Steps in ln s at most. The trapezoidal rule is exact to 1e-9 there. */
const LOG_STEP_MAX = 0.6;
/**
 * Steps in ln s over 1/√N at most. Neighbouring settings then share enough readings for Bennett's ratio: the
 * means of their works are at most 3.4 standard deviations apart.
 */
const OVERLAP = 4.8;
/** Readings of a setting at least. */
const READINGS_MIN = 64;

/** The settings of the damping register, with the plan of the couplings that all of them share. */
export interface DampingSweep {
  readonly plan: EquilibriumPlan;
  /** s ascending: 0, s₀ … c, in units of A; each is a whole number of register steps. */
  readonly dampings: readonly number[];
  /** Readings of each setting. Slow settings get few: their share is ∝ √(λ₋ + s). */
  readonly readings: readonly number[];
}

type PlanArguments = Parameters<typeof planSampling>;

/** Plans the sweep. Errors: those of `planSampling`; UNSUPPORTED for a condition that it has no steps for. */
export function planSweep(
  identity: PlanArguments[0],
  evened: PlanArguments[1],
  calibration: PlanArguments[2],
  readings: number,
): DampingSweep {
  const { spectrum, dimension } = evened.checked;
  const { eigenvalueMin, eigenvalueMax } = spectrum;
  const top = UPPER_END * eigenvalueMax;
  const plan = planSampling(identity, evened, calibration, top);
  const step = DAMPING_STEP * plan.systemScale;
  const first = Math.max(FIRST_CODE_MIN, Math.round((LOWER_END * eigenvalueMin) / step)) * step;
  if (first > eigenvalueMin / 2) throw tooStiff(eigenvalueMax / eigenvalueMin, (2 * eigenvalueMax) / first);
  const range = Math.log(top / first);
  const intervals = Math.ceil(range / Math.min(LOG_STEP_MAX, OVERLAP / Math.sqrt(dimension)));
  const dampings = [0];
  for (let k = 0; k <= intervals; k++) {
    const wanted = first * Math.exp((range * k) / intervals);
    dampings.push(Math.min(Math.round(wanted / step), Math.floor(top / step)) * step);
  }
  const shares = dampings.map((s) => Math.sqrt(eigenvalueMin + s));
  const all = shares.reduce((total, share) => total + share, 0);
  return {
    plan,
    dampings,
    readings: shares.map((share) => Math.max(READINGS_MIN, Math.round((readings * share) / all))),
  };
}

/** Weights of the traces in ∫₀ᶜ tr(A + sI)⁻¹ ds, and the part at the upper end that no reading enters. */
export interface Quadrature {
  /** In units of A. */
  readonly weights: Float64Array;
  readonly endCorrection: number;
}

/**
 * The trapezoidal rule: in s from 0 to s₀, in ln s from there on. The error at both ends of the second part
 * is removed to first order (Euler and Maclaurin): −Δ²/12 (g′(c) − g′(s₀)) with g = s·tr(A + sI)⁻¹ and g′(s₀)
 * = g(s₀). `slope` is g′(c).
 */
export function quadratureOf(dampings: readonly number[], slope: number): Quadrature {
  const weights = new Float64Array(dampings.length);
  const last = dampings.length - 1;
  const gap = (k: number): number => Math.log(dampings[k + 1] / dampings[k]);
  weights[0] = dampings[1] / 2;
  weights[1] = dampings[1] / 2;
  for (let k = 1; k < last; k++) {
    weights[k] += (gap(k) / 2) * dampings[k];
    weights[k + 1] += (gap(k) / 2) * dampings[k + 1];
  }
  weights[1] += (gap(1) ** 2 / 12) * dampings[1];
  return { weights, endCorrection: (-(gap(last - 1) ** 2) / 12) * slope };
}

function tooStiff(condition: number, conditionMax: number): ThermolinkError {
  return new ThermolinkError(
    'UNSUPPORTED',
    `The condition of this matrix is ${formatNumber(condition, 2)}: the damping register has no setting below half its smallest eigenvalue.`,
    {
      hint: `Precondition it to about ${formatNumber(conditionMax, 2)} or less; a Cholesky factorisation gives ln det at any condition.`,
      data: { condition, conditionMax },
    },
  );
}
