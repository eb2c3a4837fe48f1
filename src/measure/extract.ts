import type { BoardProfile } from '../../emulator/index.js';
import { badArgument, checkDevice } from '../argument-checks.js';
import type { BoardDevice } from '../driver/device-api.js';
import {
  type Characterization,
  type CharacterizeRequest,
  characterize,
  checkCharacterizeRequest,
} from './characterize.js';
import { checkDescribable, profileOf } from './profile-of.js';

/** A board captured as a profile. */
export interface Extraction {
  readonly profile: BoardProfile;
  /** The measurements that the profile rests on. */
  readonly measured: Characterization;
}

/** How a board is extracted. */
export interface ExtractRequest extends CharacterizeRequest {
  /** When the board is measured, for the profile's text. Default: now. */
  readonly date?: Date;
}

/**
 * Captures a board as a profile, by programs, board runs and samples alone. The profile of an ideal board is
 * exact; that of an imperfect one is as good as the estimates, whose standard errors are in `measured`. Uses
 * of one device take turns.
 *
 * Errors: BAD_ARGUMENT, and UNSUPPORTED for sizes that no profile has, before any byte is sent; UNSUPPORTED
 * for a board that lies outside of what a profile can say; those of `characterize`.
 */
export async function extract(device: BoardDevice, request: ExtractRequest): Promise<Extraction> {
  checkDevice(device);
  checkCharacterizeRequest(request);
  const { seed, samples, date = new Date() } = request;
  checkDate(date);
  checkDescribable(device.identity);
  const measured = await characterize(device, request);
  const day = date.toISOString().slice(0, 10);
  const source = `measured by thermolink extract on ${day}, seed ${seed}, ${samples} readings`;
  return { profile: profileOf(measured, source), measured };
}

function checkDate(date: Date): void {
  if (Object.prototype.toString.call(date) === '[object Date]' && Number.isFinite(date.getTime())) return;
  throw badArgument('date', date, 'a valid Date');
}
