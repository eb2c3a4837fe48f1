import type { Die } from '../../emulator/analog/die.js';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import type { DieEffects } from '../../emulator/profiles/die-effects.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { idealBoard } from './analog-boards.js';

/** Those effects, all others off. */
export function effectsWith(on: Partial<DieEffects>): DieEffects {
  const all = findProfile('harsh-64')!.effects!;
  const off = Object.fromEntries(Object.keys(all).map((name) => [name, null])) as unknown as DieEffects;
  return { ...off, ...on };
}

/** A die of an otherwise ideal board with those effects. */
export function imperfectBoard(
  on: Partial<DieEffects>,
  overrides: Partial<BoardProfile> = {},
  dieSeed = 1,
): Die {
  return idealBoard({ ...overrides, effects: effectsWith(on) }, dieSeed);
}

/** A magnitude without an origin, as tests need them. */
export function spread(spreadPpm: number) {
  return { spreadPpm, source: 'test' };
}
