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

/** A profile made from the measurements of a board. */
export interface Extraction {
  readonly profile: BoardProfile;
  /** The measurements from which the profile is made. */
  readonly measured: Characterization;
}

/** A request for the extraction of a profile. */
export interface ExtractRequest extends CharacterizeRequest {
  /** Date of the measurement, for the text of the profile. Default: now. */
  readonly date?: Date;
}

/**
 * Makes a profile of a board, using only programs, board runs and samples. The profile of an ideal board is
 * exact. For an imperfect board it has the errors of the estimates; their standard errors are in `measured`.
 * Uses of one device take turns.
 *
 * Errors: BAD_ARGUMENT, and UNSUPPORTED for sizes that no profile has, before any byte is sent; UNSUPPORTED
 * for a board that a profile cannot describe; those of `characterize`.
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
