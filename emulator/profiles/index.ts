/**
 * Board types as JSON: reads a profile of one's own, or says what is wrong with which field. Loads zod, which
 * the emulator itself does not need.
 *
 * @module thermolink/emulator/profiles
 */
export type { FieldProblem } from './fields.js';
export { type ParsedProfile, parseProfile } from './profile-schema.js';
