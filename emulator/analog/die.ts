import type { BoardProfile } from '../profiles/board-profile.js';
import type { DynamicFault } from './dynamic-fault.js';

/** One fabricated board: its type and the seed (u32) of everything that differs from board to board. */
export interface Die {
  readonly profile: BoardProfile;
  readonly dieSeed: number;
  /** What will break while it works; default: nothing. */
  readonly faults?: readonly DynamicFault[];
}
