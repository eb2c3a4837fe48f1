import type { ChannelName, Direction } from '../../firmware-protocol/message-table.js';
import type { CommandName, Event, EventName } from '../../firmware-protocol/messages/index.js';

/** Bytes as they passed a port, cut as the port cut them. */
export interface LinkChunk {
  /** Wall clock time of the recording host in ns since 1970; it never runs backwards within a trace. */
  readonly hostTimeNs: bigint;
  readonly direction: Direction;
  /** Which port they passed, counted from 1: every reconnect and every client of a server is another one. */
  readonly connection: number;
  /** Which end of the port was listened at. */
  readonly side: 'host' | 'device';
  /** What the port was called. */
  readonly port: string;
  readonly bytes: Uint8Array;
}

/** The value of a field, as the message tables define it: a choice is its number. */
export type FieldValue = number | string | Uint8Array;

/** The samples of a block. */
export interface TraceSamples {
  /** Every field of the block but its codes. */
  readonly header: Omit<Event<'sampleBlock'>, 'codes'>;
  /** sampleCount × cellCount ADC codes, row-major. */
  readonly codes: Int16Array;
}

/**
 * One message of a session in causal order: what the receiver was handed. Retransmissions, acknowledgements
 * and keep-alives are no messages.
 */
export interface TraceMessage {
  /** Its place among the messages of the trace, from 0. */
  readonly index: number;
  readonly hostTimeNs: bigint;
  /** The device's clock in µs, where the message carries it. */
  readonly deviceTimeUs?: number;
  /** The number of the port it passed. */
  readonly connection: number;
  /** Which session it belongs to, counted from 1; 0 before the first answer to HELLO. */
  readonly session: number;
  readonly direction: Direction;
  /** `bad` is a payload that is no message of this protocol. */
  readonly kind: 'command' | 'answer' | 'event' | 'bad';
  /** The name in the message tables; `bad` for a payload that has none. */
  readonly name: CommandName | EventName | 'bad';
  readonly channel: ChannelName;
  /** Joins a command with its answer; 0 where there is none. */
  readonly requestId: number;
  /** By name, in the order of the message tables. A block's codes are in `samples`. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly samples?: TraceSamples;
  /** Bytes of the payload. */
  readonly payloadBytes: number;
}

/** What the decoder of a trace has seen beside messages: how many of each. */
export interface LinkFindings {
  /** Good frames of both directions. */
  framesReceived: number;
  /** Bytes between two delimiters that are no frame. */
  framesFaulty: number;
  /** Frames of another session than the open one. */
  framesForeign: number;
  /** Command frames that had passed already. */
  retransmissions: number;
  /** Command frames behind a gap. Where the gap is never filled, messages are missing. */
  framesOutOfOrder: number;
  /** Gaps in the command frames of a session that were not filled until its end: messages are missing. */
  openGaps: number;
  /** Frames of the sample channel that never passed. */
  sampleFramesLost: number;
}
