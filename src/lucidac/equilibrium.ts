import { normInf } from '../linalg/products.js';
import { type Circuit, type Inputs, type Placement, placementOf } from './circuit.js';
import { type MachineUse, operatingTimeOf } from './machine-use.js';

/** When the averaged part of a run begins, e^(−λt) is at most this number, with the smallest eigenvalue λ. */
const SETTLED = 1e-4;
/** Share of a run, at its end, that is averaged. The machine has settled when this share begins. */
const READ_SHARE = 1 / 4;
/** Wanted largest reading, in machine units. */
const FILL = 0.6;
/** A run whose largest reading is below this, in machine units, is repeated at a larger scale. */
const FILL_MIN = 0.25;
/**
 * Factor of the first scale over the scale at which ‖v‖₂ ≤ ‖e'‖₂/λ'_min excludes an overload. A larger scale
 * is possible, because few drives excite only the mode of the smallest eigenvalue.
 */
const BOLDNESS = 3;

/** The answer of a machine to A d = r. */
export interface Reading {
  /** Length N. */
  readonly d: Float64Array<ArrayBuffer>;
  /** Number of averaged samples. */
  readonly samples: number;
}

/** Reads the equilibria of one system from a machine. */
export class EquilibriumReader {
  readonly #use: MachineUse;
  readonly #circuit: Circuit;
  readonly #operatingTimeNs: number;
  readonly #placements: Placement[] = [];
  /** Largest |v| divided by largest |e'| in the last reading; an estimate before the first reading. */
  #gain: number;

  /**
   * `eigenvalueMin` is in units of A. Errors: UNSUPPORTED if the machine would need more than a second to
   * settle.
   */
  constructor(use: MachineUse, circuit: Circuit, eigenvalueMin: number) {
    this.#use = use;
    this.#circuit = circuit;
    const settlingTime = -Math.log(SETTLED) / eigenvalueMin;
    this.#operatingTimeNs = operatingTimeOf(circuit, settlingTime / (1 - READ_SHARE));
    this.#gain = Math.sqrt(circuit.unknowns) / (circuit.scale * eigenvalueMin) / BOLDNESS;
  }

  /** A⁻¹r as the machine computes it in placement `turn`. Errors: OVERLOAD; those of the machine. */
  async read(residual: Float64Array, turn: number): Promise<Reading> {
    this.#placements[turn] ??= placementOf(this.#circuit, turn);
    const { unknowns, scale: alpha } = this.#circuit;
    // e' = s·α·r in units of the machine, each entry at most 1.
    const largest = alpha * normInf(residual);
    const scaleMax = 1 / largest;
    const initial = new Float64Array(unknowns);
    const inputsAt = (scale: number): Inputs => ({
      drive: residual.map((entry) => scale * alpha * entry),
      initial,
    });
    let scale = Math.min(scaleMax, FILL / (this.#gain * largest));
    for (let hasGrown = false; ; hasGrown = true) {
      const readings = await this.#use.ranged(
        this.#circuit,
        this.#placements[turn],
        this.#operatingTimeNs,
        scale,
        inputsAt,
      );
      const rows = readings.samples.length / unknowns;
      const averaged = Math.max(1, Math.floor(rows * READ_SHARE));
      const v = meanOfLast(readings.samples, unknowns, averaged);
      const peak = normInf(v);
      this.#gain = Math.max(peak, Number.EPSILON) / (readings.scale * largest);
      const larger = Math.min(scaleMax, FILL / (this.#gain * largest));
      // After an overload reduced the scale, no larger scale is tried.
      if (peak >= FILL_MIN || hasGrown || readings.scale < scale || larger <= readings.scale)
        return { d: v.map((voltage) => voltage / readings.scale), samples: averaged };
      scale = larger;
    }
  }
}

function meanOfLast(samples: Float64Array, channels: number, count: number): Float64Array<ArrayBuffer> {
  const mean = new Float64Array(channels);
  const last = samples.subarray(samples.length - count * channels);
  for (let i = 0; i < last.length; i++) mean[i % channels] += last[i] / count;
  return mean;
}
