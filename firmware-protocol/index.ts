/**
 * The contract between host and board: messages, codec, frames, link. It is pure: no I/O, no clock, nothing
 * of Node. The tables and rules are in docs/reference/protocol.md.
 *
 * @module thermolink/protocol
 */
export type { Clock } from './clock.js';
export {
  type BadPayload,
  decodeToDevice,
  decodeToHost,
  encodeAnswer,
  encodeCommand,
  encodeCommandParts,
  encodeEvent,
  type ToDevice,
  type ToHost,
} from './codec.js';
export { crc32, crc32c, useFasterCrc32 } from './crc.js';
export {
  DEVICE_INPUTS,
  DEVICE_STATE,
  type DeviceInput,
  type DeviceState,
  type DeviceStateName,
  deviceStateName,
  nextState,
  RUN_OUTCOME,
  type RunOutcomeCode,
  type Transition,
} from './device-status.js';
export { useFasterByteSearch } from './find-byte.js';
export {
  CHANNEL,
  type Channel,
  type DecodedItem,
  encodeFrame,
  FLAG_NAK,
  FRAME_FAULTS,
  FRAME_VERSION,
  type Frame,
  FrameDecoder,
  type FrameFault,
  type FrameHeader,
  wireBytesMax,
} from './framing.js';
export type { LinkLimits } from './link/command-sender.js';
export { faultyFrames, type LinkCounters } from './link/counters.js';
export { Link, type LinkEvent } from './link/link.js';
export type {
  BytesField,
  ChannelName,
  ChoiceField,
  CommandRow,
  Direction,
  EventRow,
  Field,
  FieldsObject,
  IntegerField,
  Row,
  TextField,
} from './message-table.js';
export {
  type Answer,
  type Command,
  type CommandName,
  commandRow,
  type Event,
  type EventName,
  eventRow,
  MESSAGES,
} from './messages/index.js';
export type { Port } from './port.js';
export { codeBytes, type ProgramDigest, programDigest } from './program-digest.js';
export {
  PROGRAM_MODE,
  type ProgramImage,
  type ProgramMode,
  type RowElement,
} from './program-image.js';
export { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from './version.js';
