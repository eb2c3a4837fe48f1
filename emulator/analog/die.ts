import type { DynamicFault } from '../imperfections/faults.js';
import type { DieInfo } from '../imperfections/imperfection.js';
import { effectsOn } from '../imperfections/table.js';
import type { BoardProfile } from '../profiles/board-profile.js';

/** One fabricated board: its type and the seed (u32) of everything that differs from board to board. */
export interface Die {
  readonly profile: BoardProfile;
  readonly dieSeed: number;
  /** What will break while the board works; default: nothing. */
  readonly faults?: readonly DynamicFault[];
}

/** Whether a board type has no imperfection. */
export function isIdeal(profile: BoardProfile): boolean {
  return effectsOn(profile).length === 0;
}

/** The facts about a die on which draws and rules of imperfections depend. */
export function dieInfo({ profile, dieSeed }: Die): DieInfo {
  return { ...profile, dieSeed };
}
