import { matrix } from '../linalg/matrix.js';
import { normInf } from '../linalg/products.js';
import { type Circuit, COEFFICIENT_STEPS, type Inputs, type Placement, RATE } from './circuit.js';
import { couplingMatrix, type Dynamics, fitDynamics, type MeasuredRun } from './dynamics.js';
import type { MachineUse } from './machine-use.js';

/**
 * A circuit with corrected coefficients. With it the machine follows the scaled matrix A' of the circuit
 * (circuit.ts), up to errors of the measurement.
 */
export interface Tuning {
  /** The requested circuit. */
  readonly asked: Circuit;
  /** The same circuit with corrected coefficients. */
  readonly circuit: Circuit;
  readonly placement: Placement;
  /** The dynamics of the machine with `circuit`. */
  readonly dynamics: Dynamics;
  /** Reading at the start divided by the requested initial value, for each channel. */
  readonly readingGains: Float64Array;
  /** Standard deviation of one sample, in machine units. */
  readonly noise: number;
}

/** Initial values and drives of the measured runs, in machine units. */
const HOLD_LEVEL = 0.7;
const INITIAL_LEVEL = 0.8;
const DRIVE_LEVEL = 0.5;
/** Length of a run without couplings, in 1/k₀. The voltages then change only by the offsets. */
const HOLD_TAU = 20;
/** Length of a run, in time constants of the slowest mode; of the fastest mode if a mode grows. */
const SLOW_TIMES = 3;
/**
 * Bounds that length: a mode whose rate is below this share of the fastest rate counts as if it had this
 * share.
 */
const SLOWEST = 1 / 30;
/** Wanted standard deviation of the mean of repeated runs, in machine units. */
const MEAN_NOISE = 2.5e-4;
const REPEATS_MAX = 16;
const ROUNDS_MAX = 3;
/** Half a step of a coefficient. A smaller correction has no effect. */
const HALF_STEP = 0.5 / COEFFICIENT_STEPS;
/** Largest coefficient; the machine allows 1.01. */
const FACTOR_MAX = 1;

/**
 * Measures the behaviour of the machine with a circuit, corrects the coefficients, and measures again. The
 * rounds end when the corrections are at most two steps of a coefficient and the noise of the mean is at most
 * `MEAN_NOISE`, or after three rounds.
 *
 * A round has 1 + 2N runs. One run has no couplings, and gives the gains of initial values and readings. N
 * runs start from the unit vectors, and N runs have unit drives. Each run is repeated to average the noise.
 * In the first round only the run without couplings is repeated, because a second round usually measures
 * everything again. Errors: those of `MachineUse.ranged`.
 */
export async function tune(use: MachineUse, asked: Circuit, placement: Placement): Promise<Tuning> {
  const runTau = await runTauOf(asked);
  let circuit = asked;
  let repeats = 1;
  for (let round = 1; ; round++) {
    const held = await hold(use, circuit, placement, repeats * 2);
    const runs: MeasuredRun[] = [];
    for (let i = 0; i < 2 * asked.unknowns; i++)
      runs.push(await unitRun(use, circuit, placement, { i, runTau, repeats }, held.readingGains));
    const dynamics = fitDynamics(circuit, runs, {
      couplings: Float64Array.from(circuit.couplings, ({ factor }) => factor),
      driveGains: new Float64Array(asked.unknowns).fill(1),
      offsets: new Float64Array(asked.unknowns),
    });
    const corrected = correct(asked, circuit, dynamics);
    const isQuiet = held.noise <= MEAN_NOISE * Math.sqrt(repeats);
    if (round === ROUNDS_MAX || (isQuiet && corrected.moved <= 4 * HALF_STEP))
      return { asked, ...corrected, placement, readingGains: held.readingGains, noise: held.noise };
    circuit = corrected.circuit;
    repeats = Math.min(REPEATS_MAX, Math.max(1, Math.ceil((held.noise / MEAN_NOISE) ** 2)));
  }
}

/**
 * Computes the coefficients, in whole steps, that change the measured M to A', and the M that they will give.
 */
function correct(
  asked: Circuit,
  circuit: Circuit,
  measured: Dynamics,
): { readonly circuit: Circuit; readonly dynamics: Dynamics; readonly moved: number } {
  const couplings = Float64Array.from(measured.couplings);
  let moved = 0;
  const tuned = circuit.couplings.map((coupling, k) => {
    const wanted = coupling.factor + asked.couplings[k].factor - measured.couplings[k];
    const bounded = Math.max(-FACTOR_MAX, Math.min(FACTOR_MAX, wanted));
    const factor = Math.round(bounded * COEFFICIENT_STEPS) / COEFFICIENT_STEPS;
    couplings[k] += factor - coupling.factor;
    moved = Math.max(moved, Math.abs(factor - coupling.factor));
    return { ...coupling, factor };
  });
  return { circuit: { ...circuit, couplings: tuned }, dynamics: { ...measured, couplings }, moved };
}

/** Length of the runs, in 1/k₀. The slowest mode must be visible, and a growing mode must stay small. */
async function runTauOf(circuit: Circuit): Promise<number> {
  // The library for eigenvalues is loaded only when a relaxation needs it.
  const { symmetricEigen } = await import('../linalg/symmetric-eigen.js');
  const { unknowns, couplings } = circuit;
  const entries = couplingMatrix(
    circuit,
    Float64Array.from(couplings, ({ factor }) => factor),
  );
  const { values: eigenvalues } = symmetricEigen(matrix(unknowns, unknowns, entries));
  const largest = normInf(eigenvalues);
  const least = eigenvalues.reduce((min, entry) => Math.min(min, entry), Infinity);
  if (largest === 0) return HOLD_TAU;
  return SLOW_TIMES / (least < 0 ? largest : Math.max(least, largest * SLOWEST));
}

/** A run without couplings. The readings lie on a line, and its intercept gives the gains. */
async function hold(
  use: MachineUse,
  circuit: Circuit,
  placement: Placement,
  repeats: number,
): Promise<{ readonly readingGains: Float64Array; readonly noise: number }> {
  const { unknowns } = circuit;
  const uncoupled = { ...circuit, couplings: circuit.couplings.map((c) => ({ ...c, factor: 0 })) };
  const { mean, scale, noise } = await repeated(use, uncoupled, placement, {
    ...{ tau: HOLD_TAU, repeats, scale: HOLD_LEVEL },
    inputsAt: (level) => ({
      drive: new Float64Array(unknowns),
      initial: new Float64Array(unknowns).fill(level),
    }),
  });
  return { readingGains: mean.map((line) => line / scale), noise };
}

/** The run from unit vector i; for i ≥ N the run from 0 with unit drive i − N. */
async function unitRun(
  use: MachineUse,
  circuit: Circuit,
  placement: Placement,
  { i, runTau, repeats }: { readonly i: number; readonly runTau: number; readonly repeats: number },
  readingGains: Float64Array,
): Promise<MeasuredRun> {
  const { unknowns } = circuit;
  const unit = (at: number, level: number): Float64Array => {
    const vector = new Float64Array(unknowns);
    if (at >= 0 && at < unknowns) vector[at] = level;
    return vector;
  };
  const inputsAt = (level: number): Inputs => ({
    initial: unit(i, level),
    drive: unit(i - unknowns, level),
  });
  const { rows, scale, intervalTau } = await repeated(use, circuit, placement, {
    ...{ tau: runTau, repeats, inputsAt },
    scale: i < unknowns ? INITIAL_LEVEL : DRIVE_LEVEL,
  });
  return {
    ...inputsAt(scale),
    intervalTau,
    rows: rows.map((value, k) => value / readingGains[k % unknowns]),
  };
}

/**
 * Repeats a run. Returns the mean of the runs, the intercept of the line in each channel, and the noise about
 * the lines.
 */
async function repeated(
  use: MachineUse,
  circuit: Circuit,
  placement: Placement,
  {
    tau,
    repeats,
    scale: firstScale,
    inputsAt,
  }: {
    readonly tau: number;
    readonly repeats: number;
    readonly scale: number;
    readonly inputsAt: (scale: number) => Inputs;
  },
) {
  const { unknowns } = circuit;
  const operatingTimeNs = Math.round((tau / RATE) * 1e9);
  let scale = firstScale;
  let rows = new Float64Array(0);
  let intervalTau = 0;
  let count = 0;
  while (count < repeats) {
    const readings = await use.ranged(circuit, placement, operatingTimeNs, scale, inputsAt);
    // If the scale was too large for this run, the earlier runs are dropped, and all runs use the smaller
    // scale.
    if (count === 0 || readings.scale !== scale) {
      count = 0;
      rows = new Float64Array(readings.samples.length);
    }
    scale = readings.scale;
    intervalTau = RATE / readings.sampleRate;
    const length = Math.min(rows.length, readings.samples.length);
    rows = rows.slice(0, length).map((sum, k) => sum + readings.samples[k]);
    count++;
  }
  rows = rows.map((sum) => sum / repeats);
  return { rows, scale, intervalTau, ...linesOf(rows, unknowns, repeats) };
}

/**
 * Fits a line to the readings of each channel. Returns its value at the start, and the scatter of one
 * reading.
 */
function linesOf(rows: Float64Array, unknowns: number, repeats: number) {
  const count = rows.length / unknowns;
  let squares = 0;
  const mean = Float64Array.from({ length: unknowns }, (_, c) => {
    let [sum, moment] = [0, 0];
    const middle = (count + 1) / 2;
    for (let k = 0; k < count; k++) {
      sum += rows[k * unknowns + c];
      moment += (k + 1 - middle) * rows[k * unknowns + c];
    }
    const slope = count > 1 ? moment / ((count * (count * count - 1)) / 12) : 0;
    for (let k = 0; k < count; k++)
      squares += (rows[k * unknowns + c] - sum / count - slope * (k + 1 - middle)) ** 2;
    return sum / count - slope * middle;
  });
  return { mean, noise: Math.sqrt((squares * repeats) / Math.max(1, unknowns * (count - 2))) };
}
