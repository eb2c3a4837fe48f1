import type { RelaxRequest, RelaxResult } from '../algorithms/contract.js';
import { lateVector } from '../algorithms/request-checks.js';
import type { CheckedSystem } from '../board/checked-system.js';
import { isZero, normInf, subtract } from '../linalg/products.js';
import { type Circuit, placementOf, RATE } from './circuit.js';
import { couplingMatrix, stepOf, stepped } from './dynamics.js';
import type { Lucidac } from './lucidac.js';
import { MachineUse } from './machine-use.js';
import { type Tuning, tune } from './tuning.js';

/** The result of a relaxation, and an estimate of its error. */
export interface LucidacRelaxResult extends RelaxResult {
  /**
   * Estimate of ‖x̂ − x(t)‖_∞, divided by the larger of ‖x₀‖_∞ and ‖x(t)‖_∞. It adds the effect of the
   * remaining coupling errors and three standard errors of the noise. A ratio; 0 if nothing ran.
   */
  readonly relativeError: number;
}

/** Wanted largest entry of the initial values, and of the drive, in machine units. */
const INITIAL_FILL = 0.8;
const DRIVE_FILL = 0.85;
/**
 * Length of the window before the end whose samples are also used, in time constants of the fastest mode. The
 * measured dynamics extrapolate these samples to the end.
 */
const WINDOW = 1;
/** Wanted standard error of the result, in machine units. REPEATS_MAX may prevent it. */
const READING_NOISE = 1.2e-4;
const REPEATS_MAX = 64;

/** Relaxations on one machine. Keeps the tuning of the last matrix. */
export class Relaxations {
  readonly #lucidac: Lucidac;
  #last: { readonly key: string; readonly calibrations: number; readonly tuning: Tuning } | undefined;

  constructor(lucidac: Lucidac) {
    this.#lucidac = lucidac;
  }

  /**
   * Computes x(t). With a scale s, a tuned circuit starts at v(0) = s·x₀ with e' = sα·b and runs for t/(k₀α).
   * x(t) is the voltage at the end, divided by s. If the matrix is that of the call before, the circuit is
   * not tuned again.
   */
  async relax(
    checked: CheckedSystem,
    { circuit, operatingTimeNs }: { readonly circuit: Circuit; readonly operatingTimeNs: number },
    { drive: given, initial, time, signal }: RelaxRequest,
  ): Promise<LucidacRelaxResult> {
    const use = new MachineUse(this.#lucidac, signal);
    const drive = typeof given === 'function' ? await lateVector(given, 'drive', checked, signal) : given;
    if (time === 0 || (isZero(drive) && isZero(initial)))
      return { x: Float64Array.from(initial), cost: use.cost, relativeError: 0 };
    const tuning = await this.#tuned(use, circuit);
    const read = await readEnd(use, tuning, { operatingTimeNs, drive, initial });
    return { ...read, cost: use.cost };
  }

  async #tuned(use: MachineUse, circuit: Circuit): Promise<Tuning> {
    const key = circuit.wiring;
    // A new calibration may change the gains of the lanes.
    if (this.#last?.key === key && this.#last.calibrations === this.#lucidac.calibrations)
      return this.#last.tuning;
    this.#last = undefined;
    const tuning = await tune(use, circuit, placementOf(circuit, 0));
    this.#last = { key, calibrations: this.#lucidac.calibrations, tuning };
    return tuning;
  }
}

async function readEnd(
  use: MachineUse,
  { asked, circuit, placement, dynamics, readingGains, noise }: Tuning,
  {
    operatingTimeNs,
    drive,
    initial,
  }: {
    readonly operatingTimeNs: number;
    readonly drive: Float64Array;
    readonly initial: Float64Array;
  },
): Promise<Omit<LucidacRelaxResult, 'cost'>> {
  const { unknowns, scale: alpha } = asked;
  const { driveGains, offsets } = dynamics;
  const wanted = couplingMatrix(
    asked,
    Float64Array.from(asked.couplings, ({ factor }) => factor),
  );
  const u = drive.map((entry) => alpha * entry);
  const endTau = operatingTimeNs * 1e-9 * RATE;
  const inputsAt = (scale: number) => ({
    initial: initial.map((entry) => scale * entry),
    drive: u.map((entry, i) => (scale * entry - offsets[i]) / driveGains[i]),
  });
  let scale = Math.min(INITIAL_FILL / normInf(initial), DRIVE_FILL / normInf(u));
  let total = new Float64Array(unknowns);
  let values = 0;
  for (let run = 1, needed = 1; run <= Math.min(needed, REPEATS_MAX); run++) {
    const readings = await use.ranged(circuit, placement, operatingTimeNs, scale, inputsAt);
    if (readings.scale !== scale && run > 1) {
      total = new Float64Array(unknowns);
      values = 0;
      run = 1;
    }
    scale = readings.scale;
    const add = (reading: Float64Array, leftTau: number): void => {
      const z = reading.map((voltage, i) => voltage / readingGains[i]);
      const there =
        leftTau > 0
          ? stepped(
              stepOf(
                wanted,
                u.map((entry) => scale * entry),
                leftTau,
              ),
              z,
            )
          : z;
      total = total.map((sum, i) => sum + there[i]);
      values++;
    };
    add(readings.end, 0);
    const interval = RATE / readings.sampleRate;
    const windowTau = WINDOW / rowSumOf(wanted, unknowns);
    for (let row = readings.samples.length / unknowns - 1; row >= 0; row--) {
      const leftTau = endTau - (row + 1) * interval;
      if (leftTau > windowTau) break;
      if (leftTau >= 0) add(readings.samples.subarray(row * unknowns, (row + 1) * unknowns), leftTau);
    }
    needed = Math.ceil((noise / READING_NOISE) ** 2 * (run / values));
  }
  const x = total.map((sum) => sum / values / scale);
  // The effect of the remaining coupling errors is the difference between two computed ends: one with the
  // measured couplings, and one with the wanted couplings.
  const measured = couplingMatrix(circuit, dynamics.couplings);
  const difference = subtract(
    stepped(stepOf(measured, u, endTau), initial),
    stepped(stepOf(wanted, u, endTau), initial),
  );
  const size = Math.max(normInf(initial), normInf(x));
  const readingError = (3 * noise) / Math.sqrt(values) / scale;
  return { x, relativeError: (normInf(difference) + readingError) / size };
}

/** The largest row sum of magnitudes. No mode is faster than this rate. */
function rowSumOf(m: Float64Array, unknowns: number): number {
  let largest = 0;
  for (let i = 0; i < unknowns; i++) {
    let sum = 0;
    for (let j = 0; j < unknowns; j++) sum += Math.abs(m[i * unknowns + j]);
    largest = Math.max(largest, sum);
  }
  return largest;
}
