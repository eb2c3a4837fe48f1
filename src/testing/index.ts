/**
 * Tools for tests with vitest: boards from recorded sessions, and matchers of samples with a stated
 * false-alarm rate. The import of this module adds the matchers to `expect`.
 *
 * @module thermolink/testing
 */
import './matchers.js';

export type { GaussianDistribution, RateOptions, SampleMatchers } from './matchers.js';
export { type ReplayedOptions, recordedOr, replayed } from './recorded.js';
export { meanVolts, recordedPrograms } from './session.js';
