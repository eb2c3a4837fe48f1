import type { BoardProfile } from '../../emulator/index.js';
import type { BoardDevice } from '../driver/device-api.js';
import {
  type Characterization,
  type CharacterizeRequest,
  characterize,
  checkCharacterizeRequest,
} from './characterize.js';
import { checkDescribable, profileOf } from './profile-of.js';

/** A board as a profile. */
export interface Extraction {
  readonly profile: BoardProfile;
  /** What it rests on. */
  readonly measured: Characterization;
}

/**
 * Captures a board as a profile, by programs, runs and samples alone, at `date`. It must be idle, and belong
 * to nobody else meanwhile. An ideal board's profile is exact; an imperfect one's is as good as the
 * estimates, whose standard errors are in `measured`. Errors: BAD_ARGUMENT and UNSUPPORTED before anything is
 * measured; those of `characterize`; UNSUPPORTED for a board that lies outside of what a profile can say.
 */
export async function extract(
  device: BoardDevice,
  request: CharacterizeRequest,
  date: Date,
): Promise<Extraction> {
  checkCharacterizeRequest(request);
  checkDescribable(device.identity);
  const measured = await characterize(device, request);
  const day = date.toISOString().slice(0, 10);
  const source = `measured by thermolink extract on ${day}, seed ${request.seed}, ${request.samples} readings`;
  return { profile: profileOf(measured, source), measured };
}
