import { randomUUID } from 'node:crypto';
import { type SolverCost, ZERO_COST } from '../board/cost.js';
import { ThermolinkError } from '../errors.js';
import { normInf } from '../linalg/products.js';
import { formatExact, formatSeconds } from '../number-text.js';
import { type Circuit, type Inputs, type Placement, RATE } from './circuit.js';
import type { Lucidac } from './lucidac.js';
import type { RunReadings, RunRequest } from './run.js';

/** Largest number of samples per second of all channels together (lucidac-firmware, `daq/`). */
const SAMPLES_PER_SECOND = 500_000;
/** Wanted number of samples in a run. Its last quarter then has 64 samples. */
const SAMPLES_PER_RUN = 256;
/** Rate of the clock that the sampler divides by a whole number, Hz. */
const SAMPLE_CLOCK = 1_000_000;
/** Longest run, ns. */
const OPERATING_NS_MAX = 1e9;
const OPERATING_NS_MIN = 100;
/** A voltage above this counts as an overload, in machine units. (The ADC can read up to 1.25.) */
const VOLTAGE_MAX = 1;
/** Largest number of attempts of a run. After an overload the next attempt has half the scale. */
const ATTEMPTS_MAX = 12;

/** The readings of a run without overload, and its scale. */
export interface RangedReadings extends RunReadings {
  /** Machine units per unit of the unknowns. */
  readonly scale: number;
  /** Samples per second and channel. */
  readonly sampleRate: number;
}

/** One use of a machine. After an overload it repeats the run at a smaller scale. It adds up the cost. */
export class MachineUse {
  readonly #lucidac: Lucidac;
  readonly #signal: AbortSignal | undefined;
  readonly #bytesBefore: number;
  #cost = ZERO_COST;
  #hasFreshFlags = false;

  constructor(lucidac: Lucidac, signal: AbortSignal | undefined) {
    this.#lucidac = lucidac;
    this.#signal = signal;
    this.#bytesBefore = lucidac.bytesSent;
  }

  get cost(): SolverCost {
    return { ...this.#cost, uploadBytes: this.#lucidac.bytesSent - this.#bytesBefore };
  }

  /**
   * Runs a circuit for `operatingTimeNs`. `inputsAt` returns the inputs for a scale. After an overload the
   * run is repeated at half the scale.
   *
   * Errors: OVERLOAD after the twelfth attempt; those of the machine.
   */
  async ranged(
    circuit: Circuit,
    placement: Placement,
    operatingTimeNs: number,
    firstScale: number,
    inputsAt: (scale: number) => Inputs,
  ): Promise<RangedReadings> {
    let scale = firstScale;
    let overloaded: readonly string[] = [];
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const readings = await this.#run(circuit, placement, operatingTimeNs, inputsAt(scale));
      const peak = Math.max(normInf(readings.samples), normInf(readings.end));
      if (!readings.isOverloaded && peak <= VOLTAGE_MAX) return { ...readings, scale };
      this.#hasFreshFlags = !readings.isOverloaded;
      overloaded = readings.overloaded;
      this.#cost = { ...this.#cost, overloadRetries: this.#cost.overloadRetries + 1 };
      scale /= 2;
    }
    throw overloadError(overloaded);
  }

  async #run(circuit: Circuit, placement: Placement, operatingTimeNs: number, inputs: Inputs) {
    const startMs = performance.now();
    if (!this.#hasFreshFlags) await this.#lucidac.forgetOverloads(this.#signal);
    this.#hasFreshFlags = true;
    await this.#lucidac.configure(circuit, placement, inputs, this.#signal);
    const configuredMs = performance.now();
    const request = runRequest(circuit.unknowns, operatingTimeNs);
    const readings = await this.#lucidac.run(request, this.#signal);
    this.#cost = {
      ...this.#cost,
      boardSeconds: this.#cost.boardSeconds + operatingTimeNs * 1e-9,
      uploadMs: this.#cost.uploadMs + configuredMs - startMs,
      boardMs: this.#cost.boardMs + performance.now() - configuredMs,
    };
    return { ...readings, sampleRate: request.sampleRate };
  }
}

function runRequest(unknowns: number, operatingTimeNs: number): RunRequest {
  const channels = 2 ** Math.ceil(Math.log2(unknowns));
  const wanted = Math.min(SAMPLES_PER_SECOND / channels, SAMPLES_PER_RUN / (operatingTimeNs * 1e-9));
  const sampleRate = SAMPLE_CLOCK / dividerFrom(Math.ceil(SAMPLE_CLOCK / wanted));
  return { id: randomUUID(), operatingTimeNs, channels: unknowns, sampleRate };
}

/** The smallest divisor ≥ `least` that makes the sample rate a whole number. */
function dividerFrom(least: number): number {
  let divider = Math.min(SAMPLE_CLOCK, Math.max(1, least));
  while (SAMPLE_CLOCK % divider !== 0) divider++;
  return divider;
}

/**
 * The operating time for a relaxation of t = `time`, in whole nanoseconds. `time` is in units of 1/eigenvalue
 * of A. Errors: UNSUPPORTED for more than a second.
 */
export function operatingTimeOf(circuit: Circuit, time: number): number {
  const exact = (time / (RATE * circuit.scale)) * 1e9;
  if (exact > OPERATING_NS_MAX)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `One run would take the LUCIDAC ${formatSeconds(exact * 1e-9)}, more than a second.`,
      {
        hint: 'Improve the condition number of the system (A + λI), or ask for a shorter time.',
        data: { operatingSeconds: exact * 1e-9 },
      },
    );
  return Math.max(OPERATING_NS_MIN, Math.round(exact));
}

function overloadError(overloaded: readonly string[]): ThermolinkError {
  const where = overloaded.length === 0 ? '' : ` (${overloaded.slice(0, 8).join(', ')})`;
  return new ThermolinkError(
    'OVERLOAD',
    `The LUCIDAC overloads${where} at every scale down to ${formatExact(2 ** (1 - ATTEMPTS_MAX))} of the first one.`,
    {
      hint: 'Add damping (A + λI), shorten a relaxation, or calibrate the machine with the program of its manufacturer.',
      data: { overloaded: [...overloaded], attempts: ATTEMPTS_MAX },
    },
  );
}
