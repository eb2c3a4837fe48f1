/**
 * Board types as JSON: reads a profile that a user wrote, or says which field is wrong and why. It loads zod,
 * which the emulator itself does not need.
 *
 * @module thermolink/emulator/profiles
 */
export type { FieldProblem } from './fields.js';
export { type ParsedProfile, parseProfile } from './profile-schema.js';
