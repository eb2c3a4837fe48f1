import { cholesky, choleskySolve } from '../linalg/cholesky.js';
import { matrix } from '../linalg/matrix.js';
import type { Circuit } from './circuit.js';

/**
 * The differential equation of a circuit on one machine; z is in units of the requested initial values:
 *
 *     dz/dτ = −M z + β∘e + o,   τ = k₀t.
 */
export interface Dynamics {
  /** M_ij of each coupling, in the order of `Circuit.couplings`. */
  readonly couplings: Float64Array;
  /** β, gains of the drives, length N. */
  readonly driveGains: Float64Array;
  /** o, offsets of the integrators, length N. */
  readonly offsets: Float64Array;
}

/** A run for the fit: its initial values, its drive, and its readings at intervals of `intervalTau`. */
export interface MeasuredRun {
  readonly initial: Float64Array;
  readonly drive: Float64Array;
  readonly intervalTau: number;
  /** Rows × N, in units of the initial values; row k was read at τ = (k + 1)·`intervalTau`. */
  readonly rows: Float64Array;
}

/** One step of z ← E z + f, for a constant right-hand side. */
export interface Step {
  readonly e: Float64Array;
  readonly f: Float64Array;
}

const GAUSS_NEWTON_STEPS = 5;
/**
 * Step of the finite differences that give the sensitivities. The run is a smooth function of all parameters.
 */
const DIFFERENCE = 1e-5;
/** Keeps the normal equations definite if the runs do not depend on a parameter. */
const RIDGE = 1e-9;
const TAYLOR_TERMS = 14;

/** M as N×N, by rows. */
export function couplingMatrix({ unknowns, couplings }: Circuit, entries: Float64Array): Float64Array {
  const m = new Float64Array(unknowns * unknowns);
  couplings.forEach(({ from, into }, k) => {
    m[into * unknowns + from] = entries[k];
  });
  return m;
}

/**
 * E = e^(−Mτ) and f = ∫₀^τ e^(−Ms) u ds, by scaling and squaring: the Taylor series of a short time, squared
 * until the time is τ.
 */
export function stepOf(m: Float64Array, u: Float64Array, tau: number): Step {
  const n = u.length;
  const size = n + 1;
  // The first rows of the exponential of (−M u; 0 0)τ are E and f.
  const generator = new Float64Array(size * size);
  let largest = 0;
  for (let i = 0; i < n; i++) {
    let row = Math.abs(u[i] * tau);
    for (let j = 0; j < n; j++) {
      generator[i * size + j] = -m[i * n + j] * tau;
      row += Math.abs(m[i * n + j] * tau);
    }
    generator[i * size + n] = u[i] * tau;
    largest = Math.max(largest, row);
  }
  const squarings = Math.max(0, Math.ceil(Math.log2(Math.max(largest, Number.MIN_VALUE) / 0.25)));
  const short = generator.map((entry) => entry / 2 ** squarings);
  let power = new Float64Array(size * size);
  for (let i = 0; i < size; i++) power[i * size + i] = 1;
  let total = Float64Array.from(power);
  for (let k = 1; k <= TAYLOR_TERMS; k++) {
    power = product(power, short, size).map((entry) => entry / k);
    total = total.map((entry, i) => entry + power[i]);
  }
  for (let k = 0; k < squarings; k++) total = product(total, total, size);
  const e = new Float64Array(n * n);
  for (let i = 0; i < n; i++) e.set(total.subarray(i * size, i * size + n), i * n);
  return { e, f: Float64Array.from({ length: n }, (_, i) => total[i * size + n]) };
}

/** E z + f. */
export function stepped({ e, f }: Step, z: Float64Array): Float64Array<ArrayBuffer> {
  const n = f.length;
  return Float64Array.from(f, (constant, i) => {
    let sum = constant;
    for (let j = 0; j < n; j++) sum += e[i * n + j] * z[j];
    return sum;
  });
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const c = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k];
      if (factor !== 0) for (let j = 0; j < size; j++) c[i * size + j] += factor * b[k * size + j];
    }
  return c;
}

/**
 * The dynamics that fit all runs by least squares, computed by the Gauss–Newton method from `first`. The
 * errors of the readings are independent, so this is the maximum-likelihood estimate. A regression of each
 * reading on the one before would be biased by the noise.
 */
export function fitDynamics(circuit: Circuit, runs: readonly MeasuredRun[], first: Dynamics): Dynamics {
  const { unknowns } = circuit;
  const count = circuit.couplings.length;
  let theta = Float64Array.of(...first.couplings, ...first.driveGains, ...first.offsets);
  const dynamics = (): Dynamics => ({
    couplings: theta.slice(0, count),
    driveGains: theta.slice(count, count + unknowns),
    offsets: theta.slice(count + unknowns),
  });
  for (let step = 0; step < GAUSS_NEWTON_STEPS; step++) {
    const size = theta.length;
    const normal = new Float64Array(size * size);
    const right = new Float64Array(size);
    for (const run of runs) {
      const predicted = predict(circuit, run, theta);
      const sensitivities = Array.from(theta, (_, p) => {
        const moved = Float64Array.from(theta);
        moved[p] += DIFFERENCE;
        const there = predict(circuit, run, moved);
        return there.map((value, k) => (value - predicted[k]) / DIFFERENCE);
      });
      for (let p = 0; p < size; p++) {
        for (let k = 0; k < predicted.length; k++)
          right[p] += sensitivities[p][k] * (run.rows[k] - predicted[k]);
        for (let q = 0; q <= p; q++) {
          let sum = 0;
          for (let k = 0; k < predicted.length; k++) sum += sensitivities[p][k] * sensitivities[q][k];
          normal[p * size + q] += sum;
          if (q !== p) normal[q * size + p] += sum;
        }
      }
    }
    let largest = 0;
    for (let p = 0; p < size; p++) largest = Math.max(largest, normal[p * size + p]);
    for (let p = 0; p < size; p++) normal[p * size + p] += RIDGE * largest;
    const outcome = cholesky(matrix(size, size, normal));
    if (!outcome.ok) return dynamics();
    const change = choleskySolve(outcome.factor, right);
    theta = theta.map((value, p) => value + change[p]);
  }
  return dynamics();
}

/** The readings that the parameters `theta` predict for a run. */
function predict(circuit: Circuit, run: MeasuredRun, theta: Float64Array): Float64Array<ArrayBuffer> {
  const { unknowns } = circuit;
  const count = circuit.couplings.length;
  const m = couplingMatrix(circuit, theta.subarray(0, count));
  const u = run.drive.map((entry, i) => theta[count + i] * entry + theta[count + unknowns + i]);
  const step = stepOf(m, u, run.intervalTau);
  const rows = new Float64Array(run.rows.length);
  let z: Float64Array = run.initial;
  for (let at = 0; at < rows.length; at += unknowns) {
    z = stepped(step, z);
    rows.set(z, at);
  }
  return rows;
}
