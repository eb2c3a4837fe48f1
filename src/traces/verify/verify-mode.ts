import type { DeviceIdentity } from '../../driver/device-api.js';
import type { VerifyMode, VerifyOptions } from './verify-result.js';

/** Matches the version text of firmware whose noise is a function of seeds. */
const DIGITAL_FIRMWARE = /^(emulator|reference) /;

/** Chooses the mode of comparison of two boards, and gives the reason. */
export function chooseMode(
  { mode, freshNoise }: VerifyOptions,
  recorded: DeviceIdentity,
  found: DeviceIdentity,
): readonly [VerifyMode, string] {
  const digital = [recorded, found].every(({ firmwareVersion }) => DIGITAL_FIRMWARE.test(firmwareVersion));
  const sameDie = recorded.model === found.model && recorded.serialNumber === found.serialNumber;
  if (mode) return [mode, 'as requested'];
  if (freshNoise !== undefined) return ['statistical', `with the new noise ${freshNoise}`];
  if (digital && sameDie) return ['exact', 'the same die of a model with digital noise'];
  return [
    'statistical',
    digital ? 'another die has other errors and other noise' : 'analog noise is never the same',
  ];
}

/** The run seed that replaces `runSeed`. Each value of `freshNoise` gives another seed and so other noise. */
export function newSeed(runSeed: number, freshNoise: number): number {
  return (Math.imul(runSeed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(freshNoise + 1, 0xc2b2ae35)) >>> 0;
}
