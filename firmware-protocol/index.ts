/** The contract between host and board: messages, codec, frames, link. Pure: no I/O, no clock, nothing of Node. */
export type { Clock } from './clock.js';
export * from './codec.js';
export { crc32, crc32c, useFasterCrc32 } from './crc.js';
export * from './device-status.js';
export { useFasterZeroSearch } from './find-zero.js';
export * from './framing.js';
export type { LinkLimits } from './link/command-sender.js';
export { faultyFrames, type LinkCounters } from './link/counters.js';
export { Link, type LinkEvent } from './link/link.js';
export type * from './message-table.js';
export * from './messages/index.js';
export type { Port } from './port.js';
export { codeBytes, type ProgramDigest, programDigest } from './program-digest.js';
export { PROGRAM_MODE, type ProgramImage, type ProgramMode } from './program-image.js';
export { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from './version.js';
