import { FULL_SCALE, NOISE_AMPLITUDE_MAX, NOISE_AMPLITUDE_MIN } from '../../firmware-protocol/limits.js';

/** Noise amplitude register a (0: off) and shift s. */
export interface NoiseRegister {
  /** a, a whole number: 0 or 12288…24575. */
  readonly amplitude: number;
  /** s, a whole number. */
  readonly shift: number;
}

/** The noise shifts of a board; a `DeviceIdentity` has them. */
export interface NoiseShiftRange {
  readonly noiseShiftMin: number;
  readonly noiseShiftMax: number;
}

/** Extra variance of the carried rounding of the array input, in V_fs²: 2²⁰/12 LSB². */
export const CARRY_VARIANCE = 2 ** 20 / 12 / FULL_SCALE ** 2;

/** κ in V_fs² of a register: a·2^(13−s) LSB = V_fs·√(2κh), h = `tick` in τ. Errors: none. */
export function noiseTemperatureOf(register: NoiseRegister, tick: number): number {
  const kick = (register.amplitude * 2 ** (13 - register.shift)) / FULL_SCALE;
  return (kick * kick) / (2 * tick);
}

/** The effective noise codes a_i of the cells, as a commit answers them. */
export interface EffectiveNoise {
  readonly noiseCodeMin: number;
  readonly noiseCodeMax: number;
}

/**
 * κ in V_fs² of a committed program, from the middle of its effective noise codes. Their spread is a property
 * of the board.
 */
export function effectiveNoiseTemperature(
  { noiseCodeMin, noiseCodeMax }: EffectiveNoise,
  shift: number,
  tick: number,
): number {
  return noiseTemperatureOf({ amplitude: (noiseCodeMin + noiseCodeMax) / 2, shift }, tick);
}

/** Smallest and largest κ > 0 that a register can hold, in V_fs²; `tick` is h in τ. Errors: none. */
export function noiseTemperatureRange(
  range: NoiseShiftRange,
  tick: number,
): { readonly min: number; readonly max: number } {
  return {
    min: noiseTemperatureOf({ amplitude: NOISE_AMPLITUDE_MIN, shift: range.noiseShiftMax }, tick),
    max: noiseTemperatureOf({ amplitude: NOISE_AMPLITUDE_MAX, shift: range.noiseShiftMin }, tick),
  };
}

/**
 * The register nearest to κ (V_fs²), with a in 12288…24575 so that its rounding is below 4.1e-5; κ = 0
 * switches noise off. `tick` is h in τ. For a κ outside `noiseTemperatureRange` it is the nearest end of the
 * range. `noiseTemperatureOf` gives the κ of the chosen register. Errors: none.
 */
export function noiseRegister(noiseTemperature: number, tick: number, range: NoiseShiftRange): NoiseRegister {
  if (noiseTemperature === 0) return { amplitude: 0, shift: range.noiseShiftMin };
  const kick = FULL_SCALE * Math.sqrt(2 * noiseTemperature * tick);
  for (let shift = range.noiseShiftMax; shift >= range.noiseShiftMin; shift--) {
    const amplitude = Math.round(kick * 2 ** (shift - 13));
    if (amplitude <= NOISE_AMPLITUDE_MAX)
      return { amplitude: Math.max(amplitude, NOISE_AMPLITUDE_MIN), shift };
  }
  return { amplitude: NOISE_AMPLITUDE_MAX, shift: range.noiseShiftMin };
}

/**
 * Variance in V_fs² that carried rounding adds to a mode with eigenvalue λ̂ of Â, on top of the wanted κ/λ̂
 * (device-model.md, "One tick"). The array input adds s₀(hλ̂)²/(1 − hλ̂/2). In factored mode the row
 * amplifiers add s₀·4^ρ·h²(λ̂ − λ̂₀)/(1 − hλ̂/2), where λ̂₀ is the damping.
 */
export function carryNoiseVariance(
  eigenvalue: number,
  tick: number,
  row: { readonly attenuation: number; readonly damping: number } | undefined,
): number {
  const step = tick * eigenvalue;
  const rows = row === undefined ? 0 : 4 ** row.attenuation * tick * tick * (eigenvalue - row.damping);
  return (CARRY_VARIANCE * (step * step + rows)) / (1 - step / 2);
}
