import { roundShift } from './gain.js';
import { type Gaussians, imperfection, integer } from './imperfection.js';
import { SEGMENT_TICKS } from './slow-noise.js';

/**
 * The filter starts this many ticks before a segment. For α up to 240/256 the effect of that start on the
 * segment is below 2⁻²³.
 */
const WARM_UP_TICKS = 256;
/** n is kept in 2⁻⁸ of a Gaussian's unit. */
const FINE_LOG2 = 8;
/** α and 1 − α are in 1/256. */
const COEFFICIENT_LOG2 = 8;

/**
 * Noise that is correlated from tick to tick, in place of the noise of the tick (device-model.md,
 * "Imperfections").
 */
export const noiseColour = imperfection({
  acts: 'time',
  rule:
    'Kicks are made of n in place of z and added after the tick’s clamp: n[t] = α·n[t−1] + (1 − α)·z[t] in ' +
    '2⁻⁸. n starts from 0 at 256 ticks before each segment, but not before tick 0.',
  size: (effect) => `α = ${effect.correlation256 / 256}`,
  magnitudes: { correlation256: integer(1, 240, '1/256') },
  afterTick(effect, { cells }, gaussians) {
    const noise = new ColouredNoise(gaussians, effect.correlation256, cells);
    return { neighbourSums: (...tick) => noise.neighbourSums(...tick) };
  },
});

/**
 * The noise of a source of limited bandwidth: n[t] = α·n[t−1] + (1 − α)·z[t], with unit gain at zero
 * frequency. The filter starts from 0 before each segment, so n, as z, is a pure function of the seeds and
 * the tick.
 */
class ColouredNoise {
  readonly #gaussians: Gaussians;
  readonly #correlation: number;
  readonly #z: Int32Array;
  readonly #n: Float64Array;
  readonly #start: Int32Array;
  /** The tick, seed and cell count of the values in #n. If the cell count is 0, there are no values yet. */
  #held = { runSeed: 0, tick: 0, cells: 0 };

  constructor(gaussians: Gaussians, correlation256: number, cells: number) {
    this.#gaussians = gaussians;
    this.#correlation = correlation256;
    this.#z = new Int32Array(cells);
    this.#n = new Float64Array(cells);
    this.#start = new Int32Array(cells);
  }

  /** ζ_i = n_i[t] + n_i[t+1] of the first `cells` cells, in units of a Gaussian. */
  neighbourSums(runSeed: number, tick: number, cells: number, out: Int32Array): void {
    this.#reach(runSeed, tick, cells);
    for (let i = 0; i < cells; i++) this.#start[i] = roundShift(this.#n[i], FINE_LOG2);
    this.#reach(runSeed, tick + 1, cells);
    for (let i = 0; i < cells; i++) out[i] = this.#start[i] + roundShift(this.#n[i], FINE_LOG2);
  }

  #reach(runSeed: number, tick: number, cells: number): void {
    const held = this.#held;
    if (held.runSeed === runSeed && held.tick === tick && held.cells === cells) return;
    const begins = tick % SEGMENT_TICKS === 0;
    const follows = held.runSeed === runSeed && held.tick + 1 === tick && held.cells === cells;
    if (follows && !begins) this.#feed(runSeed, tick, cells);
    else {
      this.#n.fill(0);
      const segment = tick - (tick % SEGMENT_TICKS);
      for (let t = Math.max(0, segment - WARM_UP_TICKS); t <= tick; t++) this.#feed(runSeed, t, cells);
    }
    this.#held = { runSeed, tick, cells };
  }

  #feed(runSeed: number, tick: number, cells: number): void {
    this.#gaussians(runSeed, tick, cells, this.#z);
    const kept = this.#correlation;
    const taken = ((1 << COEFFICIENT_LOG2) - kept) << FINE_LOG2;
    for (let i = 0; i < cells; i++)
      this.#n[i] = roundShift(this.#n[i] * kept + this.#z[i] * taken, COEFFICIENT_LOG2);
  }
}
