import { normInf } from '../linalg/products.js';
import { type Circuit, type Inputs, type Placement, placementOf } from './circuit.js';
import { type MachineUse, operatingTimeOf } from './machine-use.js';

/** e^(−λt) is below this where a run is read. */
const SETTLED = 1e-4;
/** The last part of a run is averaged. It has settled before. */
const READ_SHARE = 1 / 4;
/** A reading should fill so much of the range, in machine units. */
const FILL = 0.6;
/** One that fills less than this is repeated at a larger scale. */
const FILL_MIN = 0.25;
/**
 * The first reading is made this much above the scale at which ‖v‖₂ ≤ ‖e'‖₂/λ'_min rules an overload out,
 * since few drives lie along the softest mode alone.
 */
const BOLDNESS = 3;

/** What a machine answers to A d = r. */
export interface Reading {
  /** Length N. */
  readonly d: Float64Array<ArrayBuffer>;
  /** Samples that were averaged. */
  readonly samples: number;
}

/** Reads equilibria of one system off a machine. */
export class EquilibriumReader {
  readonly #use: MachineUse;
  readonly #circuit: Circuit;
  readonly #operatingTimeNs: number;
  readonly #placements: Placement[] = [];
  /** Largest |v| over largest |e'| in the last reading; a bound before the first. */
  #gain: number;

  /** `eigenvalueMin` is in units of A. Errors: UNSUPPORTED for one that settles in more than a second. */
  constructor(use: MachineUse, circuit: Circuit, eigenvalueMin: number) {
    this.#use = use;
    this.#circuit = circuit;
    const settlingTime = -Math.log(SETTLED) / eigenvalueMin;
    this.#operatingTimeNs = operatingTimeOf(circuit, settlingTime / (1 - READ_SHARE));
    this.#gain = Math.sqrt(circuit.unknowns) / (circuit.scale * eigenvalueMin) / BOLDNESS;
  }

  /** A⁻¹r as the machine has it in placement `turn`. Errors: OVERLOAD; those of the machine. */
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
      // A scale that an overload made smaller is not tried again.
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
