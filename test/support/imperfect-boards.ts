import type { Die } from '../../emulator/analog/die.js';
import { type DieEffects, effectsOf } from '../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { idealBoard } from './analog-boards.js';

/** A die with these effects of an otherwise ideal board. */
export function imperfectBoard(
  on: Partial<DieEffects>,
  overrides: Partial<BoardProfile> = {},
  dieSeed = 1,
): Die {
  return idealBoard({ ...overrides, effects: effectsOf(on) }, dieSeed);
}

/** A magnitude without an origin, as tests need them. */
export function spread(spreadPpm: number) {
  return { spreadPpm, source: 'test' };
}
