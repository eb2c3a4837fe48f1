import type { BoltzmannShape } from './boltzmann-state.js';

/**
 * Amplitude ratios ψ(s′)/ψ(s) of a restricted Boltzmann machine, where s′ is s with one spin flipped or with
 * two different spins exchanged. T is the input of a hidden unit (`BoltzmannShape`), t = tanh T, and d is the
 * change of T. Then
 *
 *     cosh(T + d)/cosh T = cosh d + t sinh d,
 *
 * so a ratio needs two multiplications for each hidden unit and no transcendental function. cosh and sinh of
 * 2W_ji come from a table; those of sums and differences follow by the addition theorems.
 */
export class AmplitudeRatios {
  readonly #shape: BoltzmannShape;
  /** cosh 2W_ji and sinh 2W_ji at [i][j]. */
  readonly #cosh: Float64Array;
  readonly #sinh: Float64Array;
  /** e^(2a_i). */
  readonly #bias: Float64Array;
  readonly #parameters: Float64Array;

  constructor(shape: BoltzmannShape, parameters: Float64Array) {
    const { sites, hidden } = shape;
    this.#shape = shape;
    this.#parameters = parameters;
    this.#cosh = new Float64Array(sites * hidden);
    this.#sinh = new Float64Array(sites * hidden);
    this.#bias = parameters.slice(0, sites).map((a) => Math.exp(2 * a));
    for (let j = 0; j < hidden; j++)
      for (let i = 0; i < sites; i++) {
        const change = 2 * parameters[sites + hidden + j * sites + i];
        this.#cosh[i * hidden + j] = Math.cosh(change);
        this.#sinh[i * hidden + j] = Math.sinh(change);
      }
  }

  /** The ratio for a flip of spin i; its present value is `spin`. tanh T begins at t[start]. */
  flip(i: number, spin: number, t: Float64Array, start: number): number {
    const { hidden } = this.#shape;
    const row = i * hidden;
    let ratio = spin > 0 ? 1 / this.#bias[i] : this.#bias[i];
    for (let j = 0; j < hidden; j++) ratio *= this.#cosh[row + j] - spin * t[start + j] * this.#sinh[row + j];
    return ratio;
  }

  /** The ratio for an exchange of spin i, whose value is `spin`, with spin k, whose value is −`spin`. */
  exchange(i: number, k: number, spin: number, t: Float64Array, start: number): number {
    const { hidden } = this.#shape;
    const [first, second] = [i * hidden, k * hidden];
    const bias = this.#bias[i] / this.#bias[k];
    let ratio = spin > 0 ? 1 / bias : bias;
    for (let j = 0; j < hidden; j++) {
      const [coshI, sinhI] = [this.#cosh[first + j], this.#sinh[first + j]];
      const [coshK, sinhK] = [this.#cosh[second + j], this.#sinh[second + j]];
      const cosh = coshI * coshK - sinhI * sinhK;
      const sinh = sinhI * coshK - coshI * sinhK;
      ratio *= cosh - spin * t[start + j] * sinh;
    }
    return ratio;
  }

  /** Updates T and tanh T for a flip of spin i; its value before the flip is `spin`. */
  applyFlip(i: number, spin: number, fields: Float64Array, t: Float64Array, start: number): void {
    const { sites, hidden } = this.#shape;
    for (let j = 0; j < hidden; j++) {
      fields[start + j] -= 2 * spin * this.#parameters[sites + hidden + j * sites + i];
      t[start + j] = Math.tanh(fields[start + j]);
    }
  }
}
