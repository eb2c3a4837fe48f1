/**
 * The emulated board: `EmulatedDevice` turns bytes and ticks into bytes; profiles are board types as data.
 *
 * @module thermolink/emulator
 */
export type { Die } from './analog/die.js';
export { EmulatedDevice } from './device.js';
export { CELL_FAULTS, type DynamicFault, FAULT_KINDS, type FaultKind } from './imperfections/faults.js';
export { type DieEffects, effectsOf, type MeasuredParts } from './imperfections/table.js';
export type { BoardProfile } from './profiles/board-profile.js';
export { findProfile, PROFILES } from './profiles/profiles.js';
