import type { BoardProfile } from './board-profile.js';
import { IDEAL_PROFILES } from './ideal.js';
import { PROTOTYPE_PROFILES } from './prototype.js';
import { SPU_PROFILE } from './spu.js';

/** Every built-in board type. */
export const PROFILES: readonly BoardProfile[] = [...IDEAL_PROFILES, ...PROTOTYPE_PROFILES, SPU_PROFILE];

/** The profile of this name. Errors: none; undefined for an unknown name. */
export function findProfile(name: string): BoardProfile | undefined {
  return PROFILES.find((profile) => profile.name === name);
}
