/**
 * Recorded sessions: the frames between a host and a board, in an MCAP file. `Recorder` writes one (usually
 * through `connect({ record })`), `openTrace` reads one.
 *
 * @module thermolink/traces
 */
export { examineTrace, type TraceHealth } from './doctor.js';
export type { FileFinding } from './mcap-reader.js';
export { openTrace, type Trace, type TraceAttachment } from './open-trace.js';
export { fieldsOf, type ReadableValue, readableFields } from './readable-fields.js';
export { type RecordedFile, Recorder, type RecordOptions } from './recorder.js';
export { recoverTrace } from './recover.js';
export type { SampleDetail } from './sample-detail.js';
export type { FieldValue, LinkChunk, LinkFindings, TraceMessage, TraceSamples } from './trace-message.js';
