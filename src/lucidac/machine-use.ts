import { randomUUID } from 'node:crypto';
import { type SolverCost, ZERO_COST } from '../board/cost.js';
import { ThermolinkError } from '../errors.js';
import { normInf } from '../linalg/products.js';
import { formatExact, formatSeconds } from '../number-text.js';
import { type Circuit, type Inputs, type Placement, RATE } from './circuit.js';
import type { Lucidac } from './lucidac.js';
import type { RunReadings, RunRequest } from './run.js';

/** All channels together give so many samples a second (lucidac-firmware, `daq/`). */
const SAMPLES_PER_SECOND = 500_000;
/** A run is sampled about so often, so that its last quarter gives 64 samples. */
const SAMPLES_PER_RUN = 256;
/** The sampler divides a clock of this rate by a whole number, Hz. */
const SAMPLE_CLOCK = 1_000_000;
/** Nobody waits longer for one run, ns. */
const OPERATING_NS_MAX = 1e9;
const OPERATING_NS_MIN = 100;
/** A voltage beyond this is taken for an overload, in machine units, though the ADC reaches 1.25. */
const VOLTAGE_MAX = 1;
/** A run after an overload is made at half the scale, so often at most. */
const ATTEMPTS_MAX = 12;

/** A run at a scale that kept the machine off its rails. */
export interface RangedReadings extends RunReadings {
  /** Machine units per unit of x. */
  readonly scale: number;
  /** Samples per second and channel. */
  readonly sampleRate: number;
}

/** One use of a machine: runs at a scale, repeated after an overload, and what they cost. */
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
   * Runs a circuit for a time with the inputs that `inputsAt` gives for a scale. After an overload the run is
   * repeated at half the scale.
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

/** The smallest divisor of the clock that is not below `least`, so that the rate is a whole number. */
function dividerFrom(least: number): number {
  let divider = Math.min(SAMPLE_CLOCK, Math.max(1, least));
  while (SAMPLE_CLOCK % divider !== 0) divider++;
  return divider;
}

/**
 * The operating time in which t = `time` passes, in units of 1/eigenvalue of A, as whole nanoseconds.
 * Errors: UNSUPPORTED for more than a second.
 */
export function operatingTimeOf(circuit: Circuit, time: number): number {
  const exact = (time / (RATE * circuit.scale)) * 1e9;
  if (exact > OPERATING_NS_MAX)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `One run would take the LUCIDAC ${formatSeconds(exact * 1e-9)}, more than a second.`,
      {
        hint: 'Improve the condition of the system (A + λI), or ask for a shorter time.',
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
      hint: 'Add damping (A + λI), shorten a relaxation, or calibrate the machine by its maker’s program.',
      data: { overloaded: [...overloaded], attempts: ATTEMPTS_MAX },
    },
  );
}
