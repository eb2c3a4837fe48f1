import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';
import type { SoftSaturationEffect } from '../profiles/die-effects.js';
import type { ArrayState } from './array-ticks.js';
import { ColouredNoise } from './coloured-noise.js';
import type { Die } from './die.js';
import type { EffectiveProgram } from './effective-program.js';
import { ofPpm } from './gain.js';
import { addThermalNoise, NoiseSource } from './noise-source.js';

const UINT32 = 4294967296;
const SHARE_LOG2 = 16;

/** Share of common-mode noise, in 2⁻¹⁶, where it is all that happens on this die after a tick; else 0. */
export function commonModeAlone({ profile: { effects } }: Die): number {
  return effects?.softSaturation || effects?.noiseColour ? 0 : commonShareOf(effects);
}

const commonShareOf = (effects: Die['profile']['effects']) =>
  ofPpm(effects?.commonModeNoise?.sharePpm ?? 0, SHARE_LOG2);

/**
 * What happens to v after every tick, in this order: soft saturation pulls, coloured noise (in place of the tick's own) and
 * common-mode noise kick, and the rails clamp once more.
 */
export class PerTickEffects {
  readonly #die: Die;
  readonly #saturation: SoftSaturationEffect | null;
  readonly #coloured: ColouredNoise | undefined;
  /** In 2⁻¹⁶. */
  readonly #commonShare: number;
  readonly #next: Float64Array;
  readonly #zeta: Int32Array;
  readonly #words = new Uint32Array(4);

  constructor(die: Die) {
    const { cells, effects } = die.profile;
    this.#die = die;
    this.#saturation = effects?.softSaturation ?? null;
    const colour = effects?.noiseColour;
    const source = new NoiseSource(die.dieSeed, colour ? cells : 0);
    this.#coloured = colour ? new ColouredNoise(source, colour.correlation256, cells) : undefined;
    this.#commonShare = commonShareOf(effects);
    this.#next = new Float64Array(cells);
    this.#zeta = new Int32Array(cells);
  }

  /** Whether the die has any of them. */
  get any(): boolean {
    return this.#saturation !== null || this.replacesNoise || this.#commonShare > 0;
  }

  /** The array's own noise must be off. */
  get replacesNoise(): boolean {
    return this.#coloured !== undefined;
  }

  /** Whether this program has any, whose noise registers are given as committed. */
  concerns(program: EffectiveProgram): boolean {
    const noise = program.noiseCodeMax !== 0 && (this.replacesNoise || this.#commonShare > 0);
    return noise || this.#saturation !== null;
  }

  /** After tick `tick` of the program as committed. */
  apply(program: EffectiveProgram, state: ArrayState, tick: number, runSeed: number): void {
    const { cells, noiseAmplitude, noiseShift } = program;
    const next = this.#next;
    for (let i = 0; i < cells; i++) next[i] = state.v[i];
    if (this.#saturation) pullBack(next, this.#saturation, cells);
    if (program.noiseCodeMax !== 0) {
      if (this.#coloured) {
        this.#coloured.neighbourSums(runSeed, tick, cells, this.#zeta);
        addThermalNoise(next, noiseAmplitude, this.#zeta, noiseShift, cells);
      }
      if (this.#commonShare > 0) this.#addCommonMode(program, tick, runSeed);
    }
    const { rail } = this.#die.profile;
    for (let i = 0; i < cells; i++) {
      const x = next[i];
      const beyond = x > rail || x < -rail;
      state.v[i] = beyond ? (x > 0 ? rail : -rail) : x;
      if (beyond) state.cellFlags[i] = 1;
    }
  }

  /** Kick of cell i: a_i · share · ζ, rounded half away from zero, ζ the shared z[t] + z[t+1]. */
  #addCommonMode(program: EffectiveProgram, tick: number, runSeed: number): void {
    const { cells, noiseAmplitude, noiseShift } = program;
    const zeta = this.#common(runSeed, tick) + this.#common(runSeed, tick + 1);
    const unit = (1 << noiseShift) * (1 << SHARE_LOG2);
    const half = unit / 2 - (zeta < 0 ? 1 : 0);
    for (let i = 0; i < cells; i++)
      this.#next[i] += Math.floor((noiseAmplitude[i] * this.#commonShare * zeta + half) / unit);
  }

  #common(runSeed: number, tick: number): number {
    const high = Math.floor(tick / UINT32);
    philox4x32(tick >>> 0, high, 0, PHILOX_STREAM.commonMode, this.#die.dieSeed, runSeed, this.#words);
    return gaussianOfWord(this.#words[0]);
  }
}

/** v loses 2⁻ˢ of what lies beyond ± knee, rounded towards the knee's side of zero change. */
function pullBack(next: Float64Array, { knee, slopeLog2 }: SoftSaturationEffect, cells: number): void {
  for (let i = 0; i < cells; i++) {
    const x = next[i];
    if (x > knee) next[i] = x - ((x - knee) >> slopeLog2);
    else if (x < -knee) next[i] = x + ((-knee - x) >> slopeLog2);
  }
}
