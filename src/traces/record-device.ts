import { findProfile } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { EmulatorAddress } from '../serve/emulator-transport.js';
import { readProfile } from '../serve/profile-file.js';
import { Recorder, type RecordOptions } from './recorder.js';

/** The device to record: its URI, and its die if this process emulates it. */
export interface RecordedDevice {
  readonly uri: string;
  readonly emulator?: EmulatorAddress;
  readonly clock?: Clock;
}

/**
 * Begins the recording of one device: its URI and seeds go into the metadata, the profile of an emulated
 * board into an attachment. Errors: BAD_FILE.
 */
export async function recordDevice(
  options: RecordOptions,
  { uri, emulator, clock }: RecordedDevice,
): Promise<Recorder> {
  const profile = emulator && (await profileOf(emulator));
  const recorder = new Recorder({ clock, ...options });
  recorder.addMetadata('device', {
    uri,
    ...(emulator && { dieSeed: String(emulator.dieSeed) }),
    ...(emulator?.faults && { faults: JSON.stringify(emulator.faults) }),
  });
  if (profile) recorder.attach('profile.json', 'application/json', `${JSON.stringify(profile, null, 2)}\n`);
  return recorder;
}

function profileOf({ profile }: EmulatorAddress) {
  return typeof profile === 'string' ? findProfile(profile) : readProfile(profile.file);
}
