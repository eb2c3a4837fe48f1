import { MILLION } from '../../../../emulator/imperfections/gain.js';
import { effectsOf } from '../../../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../../../emulator/profiles/board-profile.js';
import { IDEAL } from '../../../../emulator/profiles/ideal.js';

/** Properties of a board that a study varies. Default: those of an ideal board. */
export interface BoardVariant {
  readonly couplingBits?: number;
  readonly adcBits?: number;
  readonly driveBits?: number;
  /** Standard deviation of the gains of the crosspoints, a ratio. */
  readonly mismatch?: number;
  /** Standard deviation of the offsets of the drives, in V_fs·G_fs. */
  readonly offset?: number;
}

/** The shape of the boards of a study. */
type BoardShape = Pick<BoardProfile, 'cells' | 'rows' | 'dense' | 'tickLog2'>;

/** A board of this shape with the converters and imperfections of the variant. Their sizes are assumed. */
export function boardWith(shape: BoardShape, variant: BoardVariant): BoardProfile {
  const { mismatch = 0, offset = 0, ...converters } = variant;
  const ppm = (ratio: number) => ({ spreadPpm: Math.round(ratio * MILLION), source: 'varied by a study' });
  const effects = {
    ...(mismatch > 0 ? { couplingMismatch: ppm(mismatch) } : {}),
    ...(offset > 0 ? { inputOffset: ppm(offset) } : {}),
  };
  const words = Object.entries(variant).map(([name, value]) => `${name.slice(0, 2)}${value}`);
  return {
    ...{ ...IDEAL, ...shape, ...converters },
    name: ['study', ...words].join('-').slice(0, 24),
    effects: Object.keys(effects).length > 0 ? effectsOf(effects) : null,
  };
}
