import type { BoardModel } from './board-model.js';
import { type BoardRange, tickOf } from './board-range.js';
import type { CheckedSystem } from './checked-system.js';
import type { SystemCodes } from './quantize.js';
import { attenuationOf, type SystemScaling, unsaturatedScale } from './scaling.js';
import { largestEigenvalue } from './spectrum.js';

/** A scale at which a tick is as long as stability allows, and the codes of the system at it. */
export interface FastestScaling extends SystemScaling {
  /** Codes of K or A; their damping is 0. */
  readonly codes: SystemCodes;
}

/** h·λ̂_max that the scale aims at; at 2 a mode grows. */
const STEP_AIM = 1.9;
/** What h·λ̂_max of the codes may be beside a damping that the scale does not count. */
const STEP_MAX = 1.93;
/** A damping above this share of λ_max is counted: 1.93 · 1.03 is below 2. */
export const STIFF_DAMPING = 0.03;
/** Narrower codes move λ_max by more than the margin, so that it is searched again with as much care. */
const WIDE_BITS = 8;
/** Rounding that makes λ_max grow grows less at each larger scale. */
const FITS_MAX = 20;

/**
 * The smallest scale s_A of A + λI at which no coupling saturates and h·λ̂_max ≤ 1.9, where λ̂_max is bounded
 * by Lanczos' method, for the codes that are programmed: below 8 bits rounding raises it past what K has. A
 * is given without λ, as KᵀK or by itself. Ticks are about ten times fewer than with h·σ ≤ 1, σ = ‖K‖_F², and
 * codes larger by the root of that. Modes above h·λ̂ = 1 overshoot on their way, so it is no scale for a
 * relaxation to a given time (decision 9).
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
    // A start that misses the largest eigenvalue of the codes does not make them slower than A.
    const starts = couplingBits < WIDE_BITS ? undefined : 1;
    const bound = Math.max(eigenvalueMax, largestEigenvalue(programmed, starts));
    const step = ((bound + damping) * tick) / systemScale;
    if (step <= STEP_MAX || fit === FITS_MAX) return { ...scaling, codes };
    systemScale *= step / STEP_AIM;
  }
}
