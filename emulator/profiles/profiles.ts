import type { BoardProfile } from './board-profile.js';
import { IDEAL_PROFILES } from './ideal.js';
import { PROTOTYPE_PROFILES } from './prototype.js';
import { SPU_PROFILE } from './spu.js';

/** Every board type that has a name. */
export const PROFILES: readonly BoardProfile[] = [...IDEAL_PROFILES, ...PROTOTYPE_PROFILES, SPU_PROFILE];

/** The profile of that name. Errors: none; undefined for a name that no profile has. */
export function findProfile(name: string): BoardProfile | undefined {
  return PROFILES.find((profile) => profile.name === name);
}
