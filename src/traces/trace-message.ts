import type { ChannelName, Direction } from '../../firmware-protocol/message-table.js';
import type { CommandName, Event, EventName } from '../../firmware-protocol/messages/index.js';

/** Bytes that passed a port in one piece. */
export interface LinkChunk {
  /** Wall clock time of the recording host in ns since 1970; it never runs backwards within a trace. */
  readonly hostTimeNs: bigint;
  readonly direction: Direction;
  /** Number of the port, counted from 1. Every reconnect and every client of a server has a new number. */
  readonly connection: number;
  /** The side of the port that was recorded. */
  readonly side: 'host' | 'device';
  /** Name of the port. */
  readonly port: string;
  readonly bytes: Uint8Array;
}

/** The value of a field, as the message tables define it. A choice is its number. */
export type FieldValue = number | string | Uint8Array;

/** The samples of a block. */
export interface TraceSamples {
  /** Every field of the block but its codes. */
  readonly header: Omit<Event<'sampleBlock'>, 'codes'>;
  /** sampleCount × cellCount ADC codes, row-major. */
  readonly codes: Int16Array;
}

/**
 * One message of a session, in causal order, as the receiver gets it. Retransmissions, acknowledgements and
 * keep-alives are not messages.
 */
export interface TraceMessage {
  /** Index among the messages of the trace, from 0. */
  readonly index: number;
  readonly hostTimeNs: bigint;
  /** The clock of the device in µs, if the message contains it. */
  readonly deviceTimeUs?: number;
  /** Number of its port. */
  readonly connection: number;
  /** Number of its session, counted from 1; 0 before the first answer to HELLO. */
  readonly session: number;
  readonly direction: Direction;
  /** `bad` is a payload that is not a message of this protocol. */
  readonly kind: 'command' | 'answer' | 'event' | 'bad';
  /** The name in the message tables; `bad` for a payload that is not a message. */
  readonly name: CommandName | EventName | 'bad';
  readonly channel: ChannelName;
  /** Identifies a command and its answer; 0 for events and bad payloads. */
  readonly requestId: number;
  /** Fields by name, in the order of the message tables. The codes of a block are in `samples`. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly samples?: TraceSamples;
  /** Number of bytes of the payload. */
  readonly payloadBytes: number;
}

/** Counts of the findings of the decoder beside messages. */
export interface LinkFindings {
  /** Number of good frames of the open session, in both directions together. */
  framesReceived: number;
  /** Number of byte blocks between two delimiters that are not frames. */
  framesFaulty: number;
  /** Number of frames of a session that is not the open one. */
  framesForeign: number;
  /** Number of command frames that had passed before. */
  retransmissions: number;
  /** Number of command frames after a gap. If the gap is never filled, messages are missing. */
  framesOutOfOrder: number;
  /**
   * Number of gaps in the command frames that were not filled until the end of their session. Messages are
   * missing there.
   */
  openGaps: number;
  /** Number of missing frames of the sample channel. */
  sampleFramesLost: number;
}
