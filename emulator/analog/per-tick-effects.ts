import type { AfterTick } from '../imperfections/imperfection.js';
import { effectsOn } from '../imperfections/table.js';
import type { ArrayState } from './array-ticks.js';
import { type Die, dieInfo } from './die.js';
import type { EffectiveProgram } from './effective-program.js';
import { addThermalNoise, NoiseSource } from './noise-source.js';

function afterTickOf(die: Die): AfterTick[] {
  const info = dieInfo(die);
  const source = new NoiseSource(die.dieSeed, 0);
  return effectsOn(die.profile).flatMap(
    ({ effect, magnitudes }) =>
      effect.afterTick?.(magnitudes, info, (...tick) => source.gaussians(...tick)) ?? [],
  );
}

/**
 * Returns the share of common-mode noise, in 2⁻¹⁶, if it is the only imperfection that acts after a tick on
 * this die. Returns 0 in all other cases.
 */
export function commonModeAlone(die: Die): number {
  const [first, ...others] = afterTickOf(die);
  return others.length === 0 ? (first?.commonShare ?? 0) : 0;
}

/**
 * What happens to v after every tick (device-model.md, "Imperfections"). The imperfections change v in the
 * order of their table; then the rails clamp it once more.
 */
export class PerTickEffects {
  readonly #rail: number;
  readonly #effects: readonly AfterTick[];
  /** Whether an imperfection makes the noise. If so, the array's own noise must be off. */
  readonly replacesNoise: boolean;
  readonly #next: Float64Array;
  readonly #zeta: Int32Array;

  constructor(die: Die) {
    const { cells, rail } = die.profile;
    this.#rail = rail;
    this.#effects = afterTickOf(die);
    this.replacesNoise = this.#effects.some((effect) => effect.neighbourSums !== undefined);
    this.#next = new Float64Array(cells);
    this.#zeta = new Int32Array(cells);
  }

  /** Whether the die has an imperfection that acts after every tick. */
  get any(): boolean {
    return this.#effects.length > 0;
  }

  /**
   * Whether an imperfection acts on this program. `program` holds the noise registers as they were committed.
   */
  concerns(program: EffectiveProgram): boolean {
    return this.#effects.some((effect) => acts(effect, program));
  }

  /** Changes `state` after tick `tick`. `program` holds the noise registers as they were committed. */
  apply(program: EffectiveProgram, state: ArrayState, tick: number, runSeed: number): void {
    const { cells, noiseAmplitude, noiseShift } = program;
    const next = this.#next;
    for (let i = 0; i < cells; i++) next[i] = state.v[i];
    for (const effect of this.#effects) {
      if (!acts(effect, program)) continue;
      if (effect.neighbourSums) {
        effect.neighbourSums(runSeed, tick, cells, this.#zeta);
        addThermalNoise(next, noiseAmplitude, this.#zeta, noiseShift, cells);
      }
      effect.change?.(next, program, tick, runSeed);
    }
    const rail = this.#rail;
    for (let i = 0; i < cells; i++) {
      const x = next[i];
      const beyond = x > rail || x < -rail;
      state.v[i] = beyond ? (x > 0 ? rail : -rail) : x;
      if (beyond) state.cellFlags[i] = 1;
    }
  }
}

function acts(effect: AfterTick, program: EffectiveProgram): boolean {
  return program.noiseCodeMax !== 0 || effect.actsWithoutNoise === true;
}
