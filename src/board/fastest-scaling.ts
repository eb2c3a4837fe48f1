import type { BoardModel } from './board-model.js';
import { type BoardRange, tickOf } from './board-range.js';
import type { CheckedSystem } from './checked-system.js';
import type { SystemCodes } from './quantize.js';
import { attenuationOf, type SystemScaling, unsaturatedScale } from './scaling.js';
import { largestEigenvalue } from './spectrum.js';

/** The scale at which a tick is as long as stability allows, and the codes of the system at this scale. */
export interface FastestScaling extends SystemScaling {
  /** Codes of K or A; their damping is 0. */
  readonly codes: SystemCodes;
}

/** The value of h·λ̂_max that the scale aims at. At 2 a mode grows. */
const STEP_AIM = 1.9;
/**
 * Largest accepted h·(λ̂_max + λ). λ̂_max belongs to the codes, and λ is the damping that the scale includes,
 * or 0.
 */
const STEP_MAX = 1.93;
/**
 * The scale includes a damping above this share of λ_max. A smaller damping stays within the margin, because
 * 1.93 · 1.03 is below 2.
 */
export const STIFF_DAMPING = 0.03;
/**
 * If codes have fewer bits than this, rounding changes λ_max by more than the margin. The search for λ_max of
 * the codes then needs several starts. Otherwise one start is enough.
 */
const WIDE_BITS = 8;
/**
 * Largest number of times that the scale is enlarged, if rounding makes λ_max grow. Each time the growth is
 * smaller.
 */
const FITS_MAX = 20;

/**
 * The smallest scale s_A of A + λI at which no coupling saturates and h·λ̂_max is about 1.9 and at most 1.93,
 * where Lanczos' method bounds λ̂_max of the programmed codes. (Below 8 bits, rounding makes λ̂_max larger
 * than that of K.) A is given without λ, as KᵀK or as A itself. At the safe scale, h·σ ≤ 1 with σ = ‖K‖_F², a
 * run would have about ten times as many ticks, and codes about √10 times smaller. Modes above h·λ̂ = 1
 * overshoot, so the smallest scale does not suit a relaxation to a given time (decision 9).
 *
 * `eigenvalueMax` bounds λ_max of A. Errors: none.
 */
export function fastestScaling(
  checked: CheckedSystem,
  { eigenvalueMax, damping }: { readonly eigenvalueMax: number; readonly damping: number },
  range: BoardRange,
  couplingBits: number,
  model: BoardModel,
): FastestScaling {
  const { system, measure } = checked;
  const tick = tickOf(range);
  let systemScale =
    Math.max(
      unsaturatedScale(system, measure.largestEntry, couplingBits),
      ((eigenvalueMax + damping) * tick) / STEP_AIM,
    ) || 1;
  for (let fit = 0; ; fit++) {
    const rowAttenuation = attenuationOf(checked, systemScale, range);
    const scaling = { systemScale, couplingBits, rowAttenuation };
    const codes = model.quantizeSystem(system, scaling, 0);
    const programmed = model.programmedSystem(codes, systemScale);
    // If the start misses the largest eigenvalue of the codes, the bound of A is used.
    const starts = couplingBits < WIDE_BITS ? undefined : 1;
    const bound = Math.max(eigenvalueMax, largestEigenvalue(programmed, starts));
    const step = ((bound + damping) * tick) / systemScale;
    if (step <= STEP_MAX || fit === FITS_MAX) return { ...scaling, codes };
    systemScale *= step / STEP_AIM;
  }
}
