import { tickOf } from '../mapping/board-range.js';
import { carryNoiseVariance } from '../mapping/noise-register.js';
import type { EquilibriumPlan } from './equilibrium-plan.js';

/** Above this share the carried rounding is worth a warning: a standard error is not known better than by some percent. */
export const CARRY_NOISE_SHARE_MAX = 0.01;

/**
 * Extra variance of the stiffest mode from the carried rounding over the κ̂/λ̂_max that it should have, κ̂ in V_fs²; the
 * other modes have less.
 */
export function carryNoiseShare(plan: EquilibriumPlan, noiseTemperature: number): number {
  const { spectrum, systemScale, codes, system, identity } = plan;
  const eigenvalueMax = spectrum.eigenvalueMax / systemScale;
  const row =
    system.kind === 'dense'
      ? undefined
      : { attenuation: codes.rowAttenuation, damping: system.damping / systemScale };
  return (carryNoiseVariance(eigenvalueMax, tickOf(identity), row) * eigenvalueMax) / noiseTemperature;
}
