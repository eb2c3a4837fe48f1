import type { LinearSystem } from '../linalg/linear-system.js';
import { type BoardRange, tickOf } from './board-range.js';
import { CARRY_VARIANCE } from './noise-register.js';

/**
 * A dense A in two parts: A − λI in the crosspoints, and λ in the damping register, which is the same for all
 * cells.
 */
export interface DiagonalSplit {
  /** λ in units of the problem; 0 for a factored system, which has its own damping. */
  readonly damping: number;
  /** max |A_ij − λδ_ij|, or the largest entry of the factor. */
  readonly largestEntry: number;
}

/**
 * Chooses the λ for which the largest crosspoint is smallest: the mean of the smallest and the largest
 * diagonal entry (decision 19). Crosspoints have few bits and mismatch; the register has many bits and no
 * mismatch. So the part in the register has no error, and the rest is programmed in finer steps.
 * `largestEntry` is max |A_ij|.
 */
export function splitDiagonal(system: LinearSystem, largestEntry: number): DiagonalSplit {
  if (system.kind === 'factored') return { damping: 0, largestEntry };
  const { rows, columns, data } = system.matrix;
  let low = Infinity;
  let high = -Infinity;
  let beside = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = data[i * columns + j];
      if (i !== j) beside = Math.max(beside, Math.abs(value));
      else {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  const damping = low + (high - low) / 2;
  return { damping, largestEntry: Math.max(beside, high - damping, damping - low) };
}

/**
 * Finer couplings raise the share of carried rounding in the noise of the stiffest mode. This is the largest
 * share allowed at `NOISE_MARGIN` times the least noise.
 */
const CARRY_SHARE = 0.01;
/** Multiple of the least meaningful noise. Solves use a thousand times the least noise and more. */
const NOISE_MARGIN = 10;

/**
 * Smallest s_A at which carried rounding stays small compared with little noise: (hλ̂)²·λ̂·s₀ ≤ 1 % of 10
 * κ_min, with λ̂ = λ_max/s_A. The factor 1 − hλ̂/2 of `carryNoiseVariance` is left out.
 */
export function quietSystemScale(
  eigenvalueMax: number,
  range: BoardRange & { readonly noiseTemperatureMin: number },
): number {
  const least = range.noiseTemperatureMin * 1e-12;
  const tick = tickOf(range);
  return eigenvalueMax / Math.cbrt((CARRY_SHARE * NOISE_MARGIN * least) / (tick * tick * CARRY_VARIANCE));
}
