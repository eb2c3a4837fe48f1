/** The emulated board: `EmulatedDevice` turns bytes and ticks into bytes; profiles are named board types. */
export type { Die } from './analog/die.js';
export { EmulatedDevice } from './device.js';
export type { BoardProfile } from './profiles/board-profile.js';
export { findProfile, PROFILES } from './profiles/profiles.js';
