import { DAMPING_STEP } from '../../board/board-range.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { ThermolinkError } from '../../errors.js';
import { formatNumber } from '../../number-text.js';
import { planSampling } from '../sample.js';

/** The upper end c of the sweep, in units of λ₊. There a series in three traces gives ln det(A + cI). */
const UPPER_END = 8;
/** The first setting above 0, in units of λ₋. Below it tr(A + sI)⁻¹ is almost a straight line in s. */
const LOWER_END = 1 / 8;
/** The first setting is at least this number of steps of the damping register. */
const FIRST_CODE_MIN = 2;
/** Largest step in ln s. With it the trapezoidal rule is exact to 1e-9. */
const LOG_STEP_MAX = 0.6;
/**
 * Largest step in ln s, in units of 1/√N. Readings of neighbouring settings then overlap enough for Bennett's
 * ratio: the means of their works are at most 3.4 standard deviations apart.
 */
const OVERLAP = 4.8;
/** Least number of readings of a setting. */
const READINGS_MIN = 64;

/** The settings of the damping register, with the plan of the couplings. All settings share the couplings. */
export interface DampingSweep {
  readonly plan: EquilibriumPlan;
  /** s ascending: 0, s₀ … c, in units of A; each is a whole number of register steps. */
  readonly dampings: readonly number[];
  /**
   * Number of readings of each setting. Slow settings get few readings: the number is proportional to √(λ₋ +
   * s).
   */
  readonly readings: readonly number[];
}

type PlanArguments = Parameters<typeof planSampling>;

/**
 * Plans the sweep. Errors: those of `planSampling`; UNSUPPORTED if the condition number is too large for the
 * steps of the damping register.
 */
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

/**
 * Weights of the traces in ∫₀ᶜ tr(A + sI)⁻¹ ds, and a part at the upper end that does not depend on readings.
 */
export interface Quadrature {
  /** In units of A. */
  readonly weights: Float64Array;
  readonly endCorrection: number;
}

/**
 * The trapezoidal rule: in s from 0 to s₀, in ln s from s₀ to c. The error at both ends of the second part is
 * removed to first order (Euler and Maclaurin): −Δ²/12 (g′(c) − g′(s₀)) with g = s·tr(A + sI)⁻¹ and g′(s₀) =
 * g(s₀). `slope` is g′(c).
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
    `The condition number of this matrix is ${formatNumber(condition, 2)}: the damping register has no setting below half its smallest eigenvalue.`,
    {
      hint: `Precondition it to about ${formatNumber(conditionMax, 2)} or less, or use a Cholesky factorisation on the host, which has no such limit.`,
      data: { condition, conditionMax },
    },
  );
}
