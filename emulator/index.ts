/**
 * The emulated board: `EmulatedDevice` turns bytes and ticks into bytes; profiles are board types as data.
 *
 * @module thermolink/emulator
 */
export type { Die } from './analog/die.js';
export { CELL_FAULTS, type DynamicFault, FAULT_KINDS, type FaultKind } from './analog/dynamic-fault.js';
export { EmulatedDevice } from './device.js';
export type { BoardProfile } from './profiles/board-profile.js';
export type {
  ConverterEffect,
  CrosstalkEffect,
  DieEffects,
  LeakageEffect,
  NoiseColourEffect,
  ShareEffect,
  SoftSaturationEffect,
  Spread,
} from './profiles/die-effects.js';
export type { MeasuredConverter, MeasuredParts } from './profiles/measured-parts.js';
export { type ParsedProfile, type ProfileProblem, parseProfile } from './profiles/parse-profile.js';
export { findProfile, PROFILES } from './profiles/profiles.js';
