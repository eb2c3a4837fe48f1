import type { LinearSystem } from '../linalg/linear-system.js';
import { type BoardRange, tickOf } from './board-range.js';
import { CARRY_VARIANCE } from './noise-register.js';

/**
 * A dense A as (A − λI) in the crosspoints and λ in the damping register, which is the same for all cells.
 */
export interface DiagonalSplit {
  /** λ in the problem's units; 0 for a factored system, which has its own. */
  readonly damping: number;
  /** max |A_ij − λδ_ij|, or of the factor. */
  readonly largestEntry: number;
}

/**
 * The λ that leaves the least to the crosspoints: the middle of the diagonal. Crosspoints have few bits and
 * mismatch, the register has neither, so what it takes over has no error, and the rest is programmed in finer
 * steps. `largestEntry` is max |A_ij|.
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

/** Share of carried rounding in the noise of the stiffest mode that finer couplings may cost, */
const CARRY_SHARE = 0.01;
/** at so many times the least noise that means something; solves take a thousand times it and more. */
const NOISE_MARGIN = 10;

/**
 * s_A below which carried rounding would show beside little noise: (hλ̂)²·λ̂·s₀ ≤ 1 % of 10 κ_min with λ̂ =
 * λ_max/s_A (see `carryNoiseVariance`, whose 1 − hλ̂/2 is left out here).
 */
export function quietSystemScale(
  eigenvalueMax: number,
  range: BoardRange & { readonly noiseTemperatureMin: number },
): number {
  const least = range.noiseTemperatureMin * 1e-12;
  const tick = tickOf(range);
  return eigenvalueMax / Math.cbrt((CARRY_SHARE * NOISE_MARGIN * least) / (tick * tick * CARRY_VARIANCE));
}
