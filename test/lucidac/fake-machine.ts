import type { RandomSource } from '../../src/linalg/random.js';
import { type Body, CONSTANT_POSITIVE } from '../../src/lucidac/messages.js';
import { problemRandom } from '../support/solver-problems.js';

/** Errors of the machine, each the standard deviation of a normal draw for every part. */
export interface MachineErrors {
  /** The relative gain error of calibrated lanes, integrators and ADC channels. */
  readonly gain: number;
  /** The offset of the sum of each integrator, in machine units. */
  readonly offset: number;
  /** The noise of each reading, in machine units. */
  readonly noise: number;
}

const INTEGRATORS = 8;
const LANES = 32;
const RAIL = 1.25;
/** The overload flag of an integrator is set beyond this value, in machine units. */
const OVERLOAD = 1.1;
/** Standard deviation of the relative gain error of a lane before it is calibrated. */
const UNCALIBRATED = 0.1;
const COEFFICIENT_STEPS = 7447;
/** Number of steps of the integration in 1/k₀. The fastest rate of eight unit couplings is 2 per step. */
const STEPS_PER_TIME = 4;
/** A step of the ADC, which has 14 bits over ±1.25 machine units. */
export const ADC_STEP = 1.25 / 8192;

/** A run's readings as codes of the ADC, rows × channels. */
export interface CodeRows {
  readonly op: Int16Array;
  readonly end: Int16Array;
}

/** The analog part of the fake: integrators, lanes and ADC, as a configuration connects them. */
export class FakeMachine {
  readonly #random: RandomSource;
  readonly #noise: number;
  readonly #rawGains: number[];
  readonly #gains: number[];
  readonly #rates: number[];
  readonly #offsets: number[];
  readonly #adcGains: number[];
  #sources = new Map<number, number>();
  #factors = new Array<number>(LANES).fill(0);
  #sums = new Map<number, number>();
  #initial = new Array<number>(INTEGRATORS).fill(0);
  #k = new Array<number>(INTEGRATORS).fill(0);
  #channels: number[] = [];
  #hasConstant = false;
  #calibratedFor = '';
  calibrations = 0;
  overloaded: number[] = [];

  constructor(seed: number, { gain, offset, noise }: MachineErrors) {
    this.#random = problemRandom(seed);
    this.#noise = noise;
    const draws = (count: number, deviation: number): number[] =>
      Array.from({ length: count }, () => deviation * this.#random.normal());
    this.#gains = draws(LANES, gain).map((error) => 1 + error);
    this.#rawGains = draws(LANES, gain > 0 ? UNCALIBRATED : 0).map((error) => 1 + error);
    this.#rates = draws(INTEGRATORS, gain).map((error) => 1 + error);
    this.#offsets = draws(INTEGRATORS, offset);
    this.#adcGains = draws(INTEGRATORS, gain).map((error) => 1 + error);
  }

  /** Whether anything is configured. */
  get isConfigured(): boolean {
    return this.#sources.size > 0 || this.#sums.size > 0;
  }

  get #wiring(): string {
    return JSON.stringify([[...this.#sources], [...this.#sums]]);
  }

  reset(): void {
    this.#sources = new Map();
    this.#sums = new Map();
    this.#factors.fill(0);
    this.#initial.fill(0);
    this.#k.fill(0);
    this.#channels = [];
    this.#hasConstant = false;
  }

  forgetCalibration(): void {
    this.#calibratedFor = '';
  }

  calibrate(): void {
    this.#calibratedFor = this.#wiring;
    this.calibrations++;
  }

  /** Takes an item of a configuration. Returns false for an item that belongs to no part of the machine. */
  configure(item: Body<'Item'>, mac: string): boolean {
    const path = item.entity?.path ?? '';
    if (item.adc !== undefined && path === mac) {
      if (item.adc.channels.some(({ gain }) => gain !== 1)) return false;
      this.#channels = item.adc.channels.map(({ index }) => index);
    } else if (item.integrators !== undefined && path === `${mac}/0/M0`) {
      for (const { index, initial, rate } of item.integrators.elements) {
        this.#initial[index] = initial;
        this.#k[index] = rate;
      }
    } else if (item.select !== undefined && path === `${mac}/0/U`) {
      this.#hasConstant = item.select.constant === CONSTANT_POSITIVE && item.select.magnitude === 0;
      for (const { input, output } of item.select.connections) this.#sources.set(output, input);
    } else if (item.coefficients !== undefined && path === `${mac}/0/C`) {
      for (const { index, factor } of item.coefficients.elements) {
        if (!(Math.abs(factor) <= 1.01)) return false;
        this.#factors[index] = Math.round(factor * COEFFICIENT_STEPS) / COEFFICIENT_STEPS;
      }
    } else if (item.sums !== undefined && path === `${mac}/0/I`) {
      for (const { inputs, output } of item.sums.connections)
        for (const lane of inputs) this.#sums.set(lane, output);
    } else return false;
    return true;
  }

  /** Runs for a time. Reads rows of `stride` channels at the sample rate, and one row at the end. */
  run(operatingTimeNs: number, sampleRate: number, stride: number): CodeRows {
    const seconds = operatingTimeNs * 1e-9;
    const rows = Math.max(1, Math.floor(seconds * sampleRate));
    const gains = this.#calibratedFor === this.#wiring ? this.#gains : this.#rawGains;
    let v: Float64Array = Float64Array.from(this.#initial, (value) => -value);
    const op = new Int16Array(rows * stride);
    let time = 0;
    for (let row = 0; row < rows; row++) {
      const until = Math.min(seconds, (row + 1) / sampleRate);
      v = this.#follow(v, until - time, gains);
      time = until;
      op.set(this.#read(v, stride), row * stride);
    }
    v = this.#follow(v, seconds - time, gains);
    return { op, end: this.#read(v, stride) };
  }

  /** M and c of dv/dt = M v + c of all integrators. They follow from the wiring and the errors. */
  #dynamics(gains: readonly number[]): { readonly m: Float64Array; readonly c: Float64Array } {
    const m = new Float64Array(INTEGRATORS * INTEGRATORS);
    const c = Float64Array.from(this.#offsets);
    for (const [lane, into] of this.#sums) {
      const source = this.#sources.get(lane);
      if (source === undefined) continue;
      const weight = this.#factors[lane] * gains[lane];
      if (source < INTEGRATORS) m[into * INTEGRATORS + source] += weight;
      else if (source === (lane < LANES / 2 ? 15 : 14) && this.#hasConstant) c[into] += weight;
    }
    for (let i = 0; i < INTEGRATORS; i++) {
      const rate = -this.#k[i] * this.#rates[i];
      c[i] *= rate;
      for (let j = 0; j < INTEGRATORS; j++) m[i * INTEGRATORS + j] *= rate;
    }
    return { m, c };
  }

  /** Runge and Kutta's method of fourth order, with rails after each step. */
  #follow(from: Float64Array, seconds: number, gains: readonly number[]): Float64Array {
    const { m, c } = this.#dynamics(gains);
    const slope = (v: Float64Array): Float64Array =>
      c.map((constant, i) => {
        let sum = constant;
        for (let j = 0; j < INTEGRATORS; j++) sum += m[i * INTEGRATORS + j] * v[j];
        return sum;
      });
    // Integrators without a lane are driven by their offsets alone, and nobody reads them.
    const steps = Math.ceil(seconds * Math.max(...this.#k) * STEPS_PER_TIME);
    const h = seconds / steps;
    let v: Float64Array = Float64Array.from(from);
    const ahead = (direction: Float64Array, by: number): Float64Array =>
      v.map((value, i) => value + by * direction[i]);
    for (let step = 0; step < steps; step++) {
      const k1 = slope(v);
      const k2 = slope(ahead(k1, h / 2));
      const k3 = slope(ahead(k2, h / 2));
      const k4 = slope(ahead(k3, h));
      v = v.map((value, i) => value + (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
      for (let i = 0; i < INTEGRATORS; i++) {
        if (Math.abs(v[i]) > OVERLOAD && !this.overloaded.includes(i)) this.overloaded.push(i);
        v[i] = Math.max(-RAIL, Math.min(RAIL, v[i]));
      }
    }
    return v;
  }

  #read(v: Float64Array, stride: number): Int16Array {
    const codes = new Int16Array(stride);
    this.#channels.forEach((integrator, c) => {
      const reading = v[integrator] * this.#adcGains[c] + this.#noise * this.#random.normal();
      codes[c] = Math.max(-8192, Math.min(8191, Math.round(reading / ADC_STEP)));
    });
    return codes;
  }

  get channels(): readonly number[] {
    return this.#channels;
  }
}
